namespace Weft.Topology;

/// <summary>A node: where its tunnels end and which pods live behind it. Id = node name.</summary>
public sealed record NodeEndpoint : TopologyItem
{
    /// <summary>The node's own addresses (InternalIP), both families, in the order of the Node's status. The first is the tunnel's end.</summary>
    public EquatableArray<string> Addresses { get; init; } = [];

    /// <summary>The node's pod CIDRs, both families; empty when Kubernetes has not given it any yet.</summary>
    public EquatableArray<string> PodCidrs { get; init; } = [];

    /// <summary>The node's topology zone, or null.</summary>
    public string? Zone { get; init; }
}
