using Weft.Agent.Plan.Pipeline;
using Weft.OpenFlow.Fields;
using Weft.Topology;

namespace Weft.Agent.Plan.Policies;

/// <summary>Where rules of one tier and direction live, and what their decisions mean there.</summary>
/// <param name="Table">The table of its rules.</param>
/// <param name="Allowed">Where an allowed packet goes on.</param>
/// <param name="Passed">Where a passed packet goes on: the next tier.</param>
public sealed record PolicyStage(FlowTable Table, FlowTable Allowed, FlowTable Passed)
{
    private static readonly PolicyStage EgressAdmin = new(Tables.EgressAdmin, Tables.Routing, Tables.EgressPolicy);
    private static readonly PolicyStage EgressPolicy = new(Tables.EgressPolicy, Tables.Routing, Tables.EgressBaseline);
    private static readonly PolicyStage EgressBaseline = new(Tables.EgressBaseline, Tables.Routing, Tables.Routing);
    private static readonly PolicyStage IngressAdmin = new(Tables.IngressAdmin, Tables.ConntrackCommit, Tables.IngressPolicy);
    private static readonly PolicyStage IngressPolicy = new(Tables.IngressPolicy, Tables.ConntrackCommit, Tables.IngressBaseline);
    private static readonly PolicyStage IngressBaseline = new(Tables.IngressBaseline, Tables.ConntrackCommit, Tables.ConntrackCommit);

    /// <summary>Priority of the drops of isolated pods.</summary>
    public const ushort Isolation = 100;

    /// <summary>The same where one of the policies wants it answered or logged.</summary>
    public const ushort ToldIsolation = 101;

    /// <summary>The stage of a tier and direction.</summary>
    public static PolicyStage Of(PolicyTier tier, Direction direction) => (tier, direction) switch
    {
        (PolicyTier.Admin, Direction.Egress) => EgressAdmin,
        (PolicyTier.Admin, _) => IngressAdmin,
        (PolicyTier.Baseline, Direction.Egress) => EgressBaseline,
        (PolicyTier.Baseline, _) => IngressBaseline,
        (_, Direction.Egress) => EgressPolicy,
        _ => IngressPolicy,
    };

    /// <summary>The condition that a packet is sent by, or goes to, the pod at this port.</summary>
    public static FieldMatch AppliesTo(Direction direction, int ofPort) =>
        direction == Direction.Egress ? Fields.InPort.Is((uint)ofPort) : Registers.Output.Is((uint)ofPort);
}
