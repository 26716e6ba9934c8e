namespace Weft.Topology;

/// <summary>What the name of a Service of a tenant's namespace means within its network. Id = <c>namespace/name</c> of the Service.</summary>
public sealed record DnsName : TopologyItem
{
    /// <summary>The network's key.</summary>
    public required int NetworkKey { get; init; }

    /// <summary>The ClusterIPs, or, of a headless Service, the addresses of its endpoints in the network.</summary>
    public EquatableArray<string> Addresses { get; init; } = [];

    /// <summary>Endpoints with a host name of their own, such as the members of a StatefulSet.</summary>
    public EquatableArray<DnsHost> Hosts { get; init; } = [];
}

/// <summary>A host behind a Service.</summary>
/// <param name="Name">One label, for example <c>db-0</c>.</param>
/// <param name="Addresses">Its addresses in the network.</param>
public sealed record DnsHost(string Name, EquatableArray<string> Addresses);
