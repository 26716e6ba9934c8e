using System.Net;
using Weft.Agent.Facts;
using Weft.Agent.Plan.Pipeline;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;
using Weft.Topology;

namespace Weft.Agent.Plan.Policies;

/// <summary>A clause that is satisfied by the members of an address set.</summary>
/// <param name="Set">The set's id.</param>
/// <param name="Stage">Table and decisions.</param>
/// <param name="Priority">The rule's priority.</param>
/// <param name="Direction">Ingress compares sources, egress destinations.</param>
/// <param name="NetworkKey">The network.</param>
/// <param name="Conjunction">What a member contributes.</param>
public sealed record SetUse(string Set, PolicyStage Stage, ushort Priority, Direction Direction, int NetworkKey, ConjunctionRef Conjunction)
{
    /// <summary>Where not empty: only members inside of one of these count.</summary>
    public EquatableArray<IpBlock> Within { get; init; } = [];

    /// <summary>Whether a member counts.</summary>
    public bool Takes(IPNetwork member) => Within.IsEmpty || Within.Any(b => Cidrs.Contains(b, member.BaseAddress));

    /// <summary>The flow that a member of the set needs.</summary>
    public FlowKey KeyOf(IPNetwork member) => new(Stage.Table.Id, Priority, Match.Of(
        Fields.Metadata.Is((ulong)NetworkKey),
        Packets.Family(member.BaseAddress),
        Direction == Direction.Ingress ? Packets.From(member) : Packets.To(member)));
}

/// <summary>What one policy needs on this node, apart from the members of its address sets.</summary>
/// <param name="Flows">Flows of its own: decisions and isolation.</param>
/// <param name="Contributions">Conjunction actions on shared flows.</param>
/// <param name="Uses">Address sets that it refers to.</param>
public sealed record CompiledPolicy(
    IReadOnlyList<Flow> Flows,
    IReadOnlyList<(FlowKey Key, ConjunctionRef Conjunction)> Contributions,
    IReadOnlyCollection<SetUse> Uses)
{
    /// <summary>Nothing.</summary>
    public static readonly CompiledPolicy Empty = new([], [], []);
}
