using Weft.Agent.Plan.Pipeline;
using Weft.Ctl.Nodes;
using Weft.Topology;

namespace Weft.Ctl.Tracing;

/// <summary>Says in words how a packet ended.</summary>
internal static class VerdictWriter
{
    private const string PolicyPrefix = "policy ";

    /// <summary>Judges the last switch's trace.</summary>
    /// <param name="node">Where it ended.</param>
    /// <param name="last">The trace there.</param>
    /// <param name="steps">All steps, of the first node too.</param>
    /// <param name="packet">The packet as sent.</param>
    public static Verdict Judge(NodeView node, SwitchTrace last, IReadOnlyList<TraceStep> steps, TracePacket packet)
    {
        if (last.Output is { } output)
        {
            return Arrived(node, output, last, steps, packet);
        }

        var step = steps[^1];
        var (reason, policies, words) = Why(node, step, last, packet);
        var outcome = last.ToController && policies.Select(p => node.Slice.Find<Policy>(ItemKind.Policy, p)).Any(p => p is not null && Rejects(p, step)) ? Outcome.Rejected : Outcome.Dropped;
        return new Verdict(outcome, reason, policies, node.Name,
            $"{(outcome == Outcome.Rejected ? "rejected" : "dropped")} on {node.Name} in table {step.TableName}: {words}");
    }

    /// <summary>Flows that only log lead to the agent too.</summary>
    private static bool Rejects(Policy policy, TraceStep step) => step.Is(FlowFeature.Isolation)
        ? policy.RejectIsolated
        : Cookies.PartOf(step.Cookie) is { } part && part < policy.Rules.Count && policy.Rules[part].Action == RuleAction.Reject;

    private static Verdict Arrived(NodeView node, long output, SwitchTrace last, IReadOnlyList<TraceStep> steps, TracePacket packet)
    {
        var allowing = steps.Where(s => s.Is(FlowFeature.Policy) && s.Owner.StartsWith(PolicyPrefix, StringComparison.Ordinal))
            .Select(s => s.Owner[PolicyPrefix.Length..]).Distinct().ToList();
        var because = allowing.Count == 0 ? "no policy stands against it" : $"allowed by {string.Join(" and ", allowing)}";
        if (node.PortAt(output) is { Pod: { } pod })
        {
            var target = last.Packet.GetValueOrDefault("nw_dst") ?? last.Packet.GetValueOrDefault("ipv6_dst") ?? packet.Destination.ToString();
            var translated = target == packet.Destination.ToString() ? "" : $", as {target}:{last.Packet.GetValueOrDefault("tp_dst")}";
            return new Verdict(Outcome.Delivered, "", allowing, node.Name, $"delivered to pod {pod} on {node.Name}{translated}: {because}");
        }

        var own = node.Slice.Node(node.Name);
        var destination = last.Packet.GetValueOrDefault("nw_dst") ?? last.Packet.GetValueOrDefault("ipv6_dst") ?? packet.Destination.ToString();
        return own?.Addresses.Contains(destination) == true
            ? new Verdict(Outcome.Delivered, "", allowing, node.Name, $"delivered to node {node.Name} itself: {because}")
            : new Verdict(Outcome.Leaves, "", allowing, node.Name, $"leaves the cluster through the gateway of {node.Name}: {because}");
    }

    private static (string Reason, IReadOnlyList<string> Policies, string Words) Why(NodeView node, TraceStep step, SwitchTrace last, TracePacket packet)
    {
        if (step.Is(FlowFeature.Isolation))
        {
            return Isolated(node, step);
        }

        if (step.Is(FlowFeature.Policy))
        {
            var policy = step.Owner.StartsWith(PolicyPrefix, StringComparison.Ordinal) ? step.Owner[PolicyPrefix.Length..] : step.Owner;
            return ("DeniedByPolicy", [policy], $"denied by {policy}");
        }

        if (step.Is(FlowFeature.Service))
        {
            return ("NoEndpoint", [], $"{step.Owner} has no endpoint that is ready");
        }

        var target = last.Packet.GetValueOrDefault("nw_dst") ?? last.Packet.GetValueOrDefault("ipv6_dst") ?? packet.Destination.ToString();
        return step.TableName switch
        {
            "Classifier" => ("UnknownPort", [], "the switch knows no pod at this port"),
            "SpoofGuard" => ("SpoofedSource", [], $"{step.Owner} may only send from its own addresses"),
            "ArpNd" => ("Answered", [], "address resolution is answered by the switch"),
            "ConntrackState" => ("InvalidConnection", [], "it belongs to no connection that is known"),
            "Routing" => ("NoRoute", [], $"no pod and no route has the address {target}"),
            "EdgeOut" => ("OtherNetwork", [], $"the tenant's network has no way to {target}: it is of another network"),
            "Forwarding" => ("NoRoute", [], $"no port has the address {target}"),
            _ when step.Priority == Priorities.Await => ("PoliciesNotKnown", [], $"the policies of {step.Owner} are not known yet"),
            _ => ("Dropped", [], $"by the flow of {step.Owner}: {(step.Match.Length > 0 ? step.Match : "everything else")}"),
        };
    }

    /// <summary>The drop of an isolated pod names the pod; the policies that isolate it are in the node's slice.</summary>
    private static (string, IReadOnlyList<string>, string) Isolated(NodeView node, TraceStep step)
    {
        var pod = step.Owner.Replace("pod ", "", StringComparison.Ordinal);
        var ingress = step.Table is >= 80 and < 90;
        var policies = node.Slice.All<Policy>()
            .Where(p => (ingress ? p.IsolatesIngress : p.IsolatesEgress)
                && node.Slice.Find<PortSet>(ItemKind.PortSet, p.AppliedTo)?.Ports.Contains(pod) == true)
            .Select(p => p.Id).Order(StringComparer.Ordinal).ToList();
        var names = policies.Count == 0 ? "a policy" : string.Join(", ", policies);
        var does = ingress ? "accepts" : "sends";
        return ("Isolated", policies, $"pod {pod} {does} only what {(policies.Count > 1 ? "one of these allows" : "this policy allows")}, and it does not allow this: {names}");
    }
}
