namespace Weft.Topology;

/// <summary>A pod's port on a logical switch. Id = <c>namespace/name</c> of the pod.</summary>
/// <remarks>A node receives its own pods, and of other nodes' pods only those that it needs one by one (tenant subnets that span nodes).</remarks>
public sealed record LogicalPort : TopologyItem
{
    /// <summary>The pod's uid.</summary>
    public required string Uid { get; init; }

    /// <summary>The node that the pod is bound to.</summary>
    public required string Node { get; init; }

    /// <summary>The network's key.</summary>
    public int NetworkKey { get; init; } = Network.DefaultKey;

    /// <summary>The logical switch's id.</summary>
    public required string Switch { get; init; }

    /// <summary>A number that is unique in the cluster while the port exists.</summary>
    public int Key { get; init; }

    /// <summary>Addresses chosen by the controller (tenants, fixed addresses). Empty: the node's agent allocates from the node's CIDRs.</summary>
    public EquatableArray<string> Addresses { get; init; } = [];

    /// <summary>The MAC address chosen by the controller, or null: computed by the agent.</summary>
    public string? Mac { get; init; }

    /// <summary>Why the pod cannot have an interface, for the runtime; null when it can.</summary>
    public string? Problem { get; init; }
}
