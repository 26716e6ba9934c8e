using Weft.Topology;

namespace Weft.Agent.CniServer;

/// <summary>A container interface that is, or is about to be, a port of the integration bridge.</summary>
/// <remarks>Everything in it can be read back from the OVSDB rows of its port (<c>external_ids</c>), so a restarted agent knows it again.</remarks>
public sealed record Attachment
{
    /// <summary><c>namespace/name</c> of the pod.</summary>
    public required string Pod { get; init; }

    /// <summary>The pod's uid; empty when the runtime did not tell it.</summary>
    public string Uid { get; init; } = "";

    /// <summary>The runtime's container id.</summary>
    public required string ContainerId { get; init; }

    /// <summary>The interface's name inside the pod.</summary>
    public required string IfName { get; init; }

    /// <summary>The path of the pod's network namespace.</summary>
    public required string Netns { get; init; }

    /// <summary>The host side of the veth pair (docs/design/data-flow.md says how it is made).</summary>
    public required string HostInterface { get; init; }

    /// <summary>The pod's MAC address, lower case with colons.</summary>
    public required string Mac { get; init; }

    /// <summary>The pod's addresses, IPv4 first.</summary>
    public EquatableArray<string> Addresses { get; init; } = [];

    /// <summary>Addresses from the node's own range by which only this node reaches a tenant pod, of the families of <see cref="Addresses"/>, in their order.</summary>
    public EquatableArray<string> Aliases { get; init; } = [];

    /// <summary>Which of this node's blocks of conntrack zones the tenant's network has, from 1; 0 in the default network.</summary>
    public int ZoneBlock { get; init; }

    /// <summary>What may come to the pod; null: no limit.</summary>
    public BandwidthLimit? IngressLimit { get; init; }

    /// <summary>What the pod may send; null: no limit.</summary>
    public BandwidthLimit? EgressLimit { get; init; }

    /// <summary>The network's key.</summary>
    public int NetworkKey { get; init; } = Network.DefaultKey;
}
