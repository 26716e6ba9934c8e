using System.Globalization;
using Weft.Agent.Plan.Pipeline;
using Weft.Agent.Plan.Policies;
using Weft.Ctl.Nodes;
using Weft.Ctl.Tracing;
using Weft.Ctl.Verification;
using Weft.Topology;

namespace Weft.Ctl.Policies;

/// <summary>Reads from the flows that a packet met what policies decided at one end.</summary>
internal static class SwitchDecision
{
    private const string PolicyPrefix = "policy ";

    private static readonly byte[] EgressTables = [Tables.EgressAdmin.Id, Tables.EgressPolicy.Id, Tables.EgressBaseline.Id];
    private static readonly byte[] IngressTables = [Tables.IngressAdmin.Id, Tables.IngressPolicy.Id, Tables.IngressBaseline.Id];

    /// <summary>The decision; null when the packet did not come to the tables of that direction.</summary>
    /// <param name="node">Whose switch it is.</param>
    /// <param name="steps">The flows that the packet met there.</param>
    /// <param name="direction">Which tables.</param>
    public static PolicyDecision? Of(NodeView node, IReadOnlyList<TraceStep> steps, Direction direction)
    {
        var tables = direction == Direction.Egress ? EgressTables : IngressTables;
        var met = steps.Where(s => tables.Contains(s.Table)).ToList();
        if (met.Count == 0)
        {
            return null;
        }

        var ends = met[^1] == steps[^1];
        var last = met.LastOrDefault(s => s.Is(FlowFeature.Isolation) || (s.Is(FlowFeature.Policy) && !Passes(s)));
        if (last is null)
        {
            return ends && met[^1].Priority == Priorities.Await ? new PolicyDecision(false, PolicyReason.CutOff, []) : PolicyDecision.Nothing;
        }

        if (last.Is(FlowFeature.Isolation))
        {
            return new PolicyDecision(false, PolicyReason.Isolation, []);
        }

        var policy = last.Owner.StartsWith(PolicyPrefix, StringComparison.Ordinal) ? last.Owner[PolicyPrefix.Length..] : last.Owner;
        var rule = RuleOf(node.Slice.Find<Policy>(ItemKind.Policy, policy), last.Cookie, last.Match);
        return new PolicyDecision(!ends, PolicyReason.Rule, [rule is null ? new RuleRef(policy, direction, null, null) : new RuleRef(policy, direction, rule.Index, rule.Name)]);
    }

    /// <summary>The rule that a deciding flow belongs to; null when the policy is another one by now.</summary>
    public static PolicyRule? RuleOf(Policy? policy, ulong cookie, string match)
    {
        if (policy is null || Cookies.PartOf(cookie) is not { } part)
        {
            return null;
        }

        if (part == Cookies.LastPart && ConjunctionIn(match) is { } id)
        {
            return Enumerable.Range(0, policy.Rules.Count).Where(i => PolicyCompiler.ConjunctionOf(policy, i) == id).Select(i => policy.Rules[i]).FirstOrDefault();
        }

        return part < policy.Rules.Count ? policy.Rules[part] : null;
    }

    private static uint? ConjunctionIn(string match) =>
        match.Split(',').Select(m => m.Trim()).FirstOrDefault(m => m.StartsWith("conj_id=", StringComparison.Ordinal)) is { } found
            && uint.TryParse(found["conj_id=".Length..], CultureInfo.InvariantCulture, out var id) ? id : null;

    // A rule that passes leads to the next tier's table; one that allows leaves the tables of its direction.
    private static bool Passes(TraceStep step) =>
        Tables.All.FirstOrDefault(t => t.Id == step.Table)?.Next is { } next && EgressTables.Concat(IngressTables).Contains(next)
            && step.Actions.Split(',').Any(a => a == $"goto_table:{next}" || a == $"resubmit(,{next})");
}
