namespace Weft.Topology;

/// <summary>The tunnel protocol between nodes.</summary>
public enum TunnelType
{
    Geneve = 0,
    Vxlan,
    Gre,
}

/// <summary>What every node must agree on. One per stream, id <c>cluster</c>.</summary>
public sealed record ClusterSettings : TopologyItem
{
    /// <summary>The id of the only instance.</summary>
    public const string TheId = "cluster";

    /// <summary>The tunnel protocol. All nodes use the same.</summary>
    public TunnelType Tunnel { get; init; }

    /// <summary>MTU of pod interfaces, bytes. 0: each node computes it from its uplink and the tunnel's overhead.</summary>
    public int Mtu { get; init; }

    /// <summary>The ranges of the default network, both families: destinations that are never masqueraded.</summary>
    public EquatableArray<string> ClusterCidrs { get; init; } = [];

    /// <summary>The ranges of ClusterIPs, both families.</summary>
    public EquatableArray<string> ServiceCidrs { get; init; } = [];
}
