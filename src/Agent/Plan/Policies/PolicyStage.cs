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

    /// <summary>Priority of the rules of NetworkPolicy: they only allow, so they need no order.</summary>
    private const ushort NamespaceRule = 200;

    /// <summary>Priority of the drops of isolated pods.</summary>
    public const ushort Isolation = 100;

    /// <summary>The same where one of the policies wants it answered or logged.</summary>
    public const ushort ToldIsolation = 101;

    private const int FirstOrdered = 60_000;
    private const int RulesPerPriority = 25;

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

    /// <summary>The OpenFlow priority of a rule: by the policy's priority, then by its place in the policy.</summary>
    /// <param name="policy">The policy.</param>
    /// <param name="rule">Its rule.</param>
    /// <param name="alone">The rule needs no conjunction. It gets a priority of its own, because a flow that decides and a flow
    /// that contributes to conjunctions cannot share match and priority.</param>
    public static ushort PriorityOf(Policy policy, PolicyRule rule, bool alone)
    {
        var priority = policy.Tier == PolicyTier.Namespace
            ? NamespaceRule
            : FirstOrdered - (2 * ((policy.Priority * RulesPerPriority) + Math.Min(rule.Index, RulesPerPriority - 1)));
        return (ushort)(priority + (alone ? 1 : 0));
    }

    /// <summary>The condition that a packet is sent by, or goes to, the pod at this port.</summary>
    public static FieldMatch AppliesTo(Direction direction, int ofPort) =>
        direction == Direction.Egress ? Fields.InPort.Is((uint)ofPort) : Registers.Output.Is((uint)ofPort);
}
