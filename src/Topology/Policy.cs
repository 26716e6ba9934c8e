namespace Weft.Topology;

/// <summary>Where a policy stands in the order of evaluation.</summary>
public enum PolicyTier
{
    /// <summary>ClusterNetworkPolicy Admin tier, AdminNetworkPolicy.</summary>
    Admin = 0,

    /// <summary>NetworkPolicy of Kubernetes: rules allow, isolation denies the rest.</summary>
    Namespace,

    /// <summary>ClusterNetworkPolicy Baseline tier, BaselineAdminNetworkPolicy.</summary>
    Baseline,
}

/// <summary>The direction that a rule looks at, seen from the pod that the policy selects.</summary>
public enum Direction
{
    Ingress = 0,
    Egress,
}

/// <summary>What a matching rule decides.</summary>
public enum RuleAction
{
    Allow = 0,
    Deny,

    /// <summary>Deny, with a TCP reset or an ICMP administratively-prohibited answer.</summary>
    Reject,

    /// <summary>Skip the rest of this tier.</summary>
    Pass,
}

/// <summary>A policy, compiled: selectors are sets, named ports are numbers. Id = <c>kind/namespace/name</c> (no namespace for cluster ones).</summary>
public sealed record Policy : TopologyItem
{
    /// <summary>A number that is unique while the object exists; conjunction ids and cookies are made from it.</summary>
    public int Key { get; init; }

    /// <summary>The network of the pods that it selects; a rule of a cluster-wide policy may name another.</summary>
    public int NetworkKey { get; init; } = Network.DefaultKey;

    /// <summary>The tier.</summary>
    public PolicyTier Tier { get; init; } = PolicyTier.Namespace;

    /// <summary>Order within Admin and Baseline: lower first, 0 to 1000. Equal priorities: by id.</summary>
    public int Priority { get; init; }

    /// <summary>The <see cref="PortSet"/> of the pods that it selects.</summary>
    public required string AppliedTo { get; init; }

    /// <summary>NetworkPolicy only: pods that it selects accept no ingress but what rules allow.</summary>
    public bool IsolatesIngress { get; init; }

    /// <summary>NetworkPolicy only: pods that it selects send no egress but what rules allow.</summary>
    public bool IsolatesEgress { get; init; }

    /// <summary>Isolation answers with a reset or ICMP instead of silence.</summary>
    public bool RejectIsolated { get; init; }

    /// <summary>Log what it drops, isolation included.</summary>
    public bool LogDrops { get; init; }

    /// <summary>The rules, in order.</summary>
    public EquatableArray<PolicyRule> Rules { get; init; } = [];
}

/// <summary>One rule. It matches when peer and port both match.</summary>
public sealed record PolicyRule
{
    /// <summary>Its position among the policy's rules of the same direction in the user's manifest.</summary>
    public int Index { get; init; }

    /// <summary>The rule's name, when the API gives one.</summary>
    public string? Name { get; init; }

    /// <summary>The direction.</summary>
    public Direction Direction { get; init; }

    /// <summary>The decision.</summary>
    public RuleAction Action { get; init; }

    /// <summary>Narrows <see cref="Policy.AppliedTo"/> for this rule (named ports that differ from pod to pod), or null.</summary>
    public string? AppliedTo { get; init; }

    /// <summary>Of a cluster-wide policy: only pods of the network with this key, and addresses in it; 0: <see cref="Policy.NetworkKey"/>.</summary>
    public int NetworkKey { get; init; }

    /// <summary>Every peer matches; the other peer fields are empty.</summary>
    public bool AnyPeer { get; init; }

    /// <summary>Ids of <see cref="AddressSet"/>s; one must contain the peer.</summary>
    public EquatableArray<string> PeerSets { get; init; } = [];

    /// <summary>Where not empty: members of <see cref="PeerSets"/> count only inside of one of these (a named port of a pod that is named by its address).</summary>
    public EquatableArray<IpBlock> Within { get; init; } = [];

    /// <summary>CIDR peers.</summary>
    public EquatableArray<IpBlock> IpBlocks { get; init; } = [];

    /// <summary>DNS names (egress), lower case and without a last dot; <c>*.example.com</c> stands for all names below it. The agent learns what they mean.</summary>
    public EquatableArray<string> DomainNames { get; init; } = [];

    /// <summary>Ports; empty: every protocol and port.</summary>
    public EquatableArray<PortRange> Ports { get; init; } = [];
}

/// <summary>A CIDR less some of its parts.</summary>
/// <param name="Cidr">The range.</param>
/// <param name="Except">Ranges inside it that do not match.</param>
public sealed record IpBlock(string Cidr, EquatableArray<string> Except);

/// <summary>A protocol and a range of destination ports.</summary>
/// <param name="Protocol">The protocol.</param>
/// <param name="First">First port; 0 with <paramref name="Last"/> 0: every port of the protocol.</param>
/// <param name="Last">Last port, at least <paramref name="First"/>.</param>
public sealed record PortRange(Protocol Protocol, int First, int Last);
