namespace Weft.Topology;

/// <summary>Transport protocols of Services and policies, by their IANA numbers.</summary>
public enum Protocol
{
    Tcp = 6,
    Udp = 17,
    Sctp = 132,
}

/// <summary>One port of one Service, one address family. Id = <c>namespace/name/port/family</c>, family <c>4</c> or <c>6</c>.</summary>
public sealed record LoadBalancer : TopologyItem
{
    /// <summary><c>namespace/name</c> of the Service.</summary>
    public required string Service { get; init; }

    /// <summary>A number that is unique while the object exists; group ids and cookies are made from it.</summary>
    public int Key { get; init; }

    /// <summary>The network that its endpoints belong to.</summary>
    public int NetworkKey { get; init; } = Network.DefaultKey;

    /// <summary>It is the way from outside to a tenant's Service: its endpoints are aliases of the tenant's pods, and what no gateway brings in does not use it.</summary>
    public bool OutsideOnly { get; init; }

    /// <summary>The protocol.</summary>
    public Protocol Protocol { get; init; } = Protocol.Tcp;

    /// <summary>The Service's port.</summary>
    public required int Port { get; init; }

    /// <summary>The ClusterIP of this family, or null.</summary>
    public string? ClusterIp { get; init; }

    /// <summary>ExternalIPs of this family.</summary>
    public EquatableArray<string> ExternalIps { get; init; } = [];

    /// <summary>LoadBalancer status addresses of this family.</summary>
    public EquatableArray<string> LoadBalancerIps { get; init; } = [];

    /// <summary>Those of <see cref="LoadBalancerIps"/> that are of the cluster's own pools: one node must answer for them on its link.</summary>
    public EquatableArray<string> Announced { get; init; } = [];

    /// <summary>The node that answers for <see cref="Announced"/>, or null: none can.</summary>
    public string? Announcer { get; init; }

    /// <summary>LoadBalancer source ranges; empty = everyone.</summary>
    public EquatableArray<string> SourceRanges { get; init; } = [];

    /// <summary>The node port, or 0.</summary>
    public int NodePort { get; init; }

    /// <summary>The port that answers health checks for <c>externalTrafficPolicy: Local</c>, or 0.</summary>
    public int HealthCheckNodePort { get; init; }

    /// <summary>Seconds of ClientIP affinity, 1 to 86,400, or 0 for none.</summary>
    public int AffinitySeconds { get; init; }

    /// <summary>Traffic from inside goes only to endpoints of the same node.</summary>
    public bool InternalLocal { get; init; }

    /// <summary>Traffic from outside goes only to endpoints of the node where it arrives, with the client's address kept.</summary>
    public bool ExternalLocal { get; init; }

    /// <summary>The id of its <see cref="EndpointSet"/>.</summary>
    public required string Endpoints { get; init; }
}
