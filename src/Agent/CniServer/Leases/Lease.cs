using Weft.Topology;

namespace Weft.Agent.CniServer.Leases;

/// <summary>The addresses that one container interface has.</summary>
public sealed record Lease
{
    /// <summary>The runtime's container id.</summary>
    public required string ContainerId { get; init; }

    /// <summary>The interface's name inside the pod.</summary>
    public required string IfName { get; init; }

    /// <summary><c>namespace/name</c> of the pod.</summary>
    public required string Pod { get; init; }

    /// <summary>The name in the CNI configuration that asked for it; empty when unknown. GC of one configuration leaves the others alone.</summary>
    public string Configuration { get; init; } = "";

    /// <summary>The host side's name when it does not follow from the names of container and interface, because it was made in advance; else empty.</summary>
    public string SpareInterface { get; init; } = "";

    /// <summary>The network in which the addresses are unique.</summary>
    public int NetworkKey { get; init; } = Network.DefaultKey;

    /// <summary>Without prefix length, IPv4 first.</summary>
    public EquatableArray<string> Addresses { get; init; } = [];

    /// <summary>What names the lease.</summary>
    internal LeaseKey Key => new(ContainerId, IfName);

    /// <summary>The host side's name.</summary>
    internal string HostInterface => SpareInterface.Length > 0 ? SpareInterface : PodInterface.HostNameOf(ContainerId, IfName);
}

/// <summary>What names a container interface.</summary>
public readonly record struct LeaseKey(string ContainerId, string IfName)
{
    /// <inheritdoc/>
    public override string ToString() => $"{ContainerId}/{IfName}";
}
