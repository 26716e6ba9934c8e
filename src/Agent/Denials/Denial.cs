using Weft.Agent.Facts;
using Weft.Agent.Plan.Features;
using Weft.Agent.Plan.Pipeline;
using Weft.Agent.Plan.Policies;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Messages;
using Weft.Topology;

namespace Weft.Agent.Denials;

/// <summary>Who denied a packet, and what is asked for then.</summary>
/// <param name="Pod">The pod whose policies decided.</param>
/// <param name="Direction">Its direction.</param>
/// <param name="Policies">The policy that denied; of isolation, all that isolate the pod.</param>
/// <param name="Rule">The rule; null for isolation.</param>
/// <param name="Reject">The sender is told.</param>
/// <param name="Log">It is logged.</param>
internal sealed record Denial(string Pod, Direction Direction, IReadOnlyList<string> Policies, PolicyRule? Rule, bool Reject, bool Log)
{
    /// <summary>The denial behind a packet that a flow of a policy or of isolation sent; null when the policies are others by now.</summary>
    public static Denial? Of(PacketIn packet, NodeFacts facts)
    {
        if (!Cookies.IsOurs(packet.Cookie))
        {
            return null;
        }

        var direction = packet.Table >= Tables.IngressAdmin.Id ? Direction.Ingress : Direction.Egress;
        return Cookies.FeatureOf(packet.Cookie) switch
        {
            FlowFeature.Isolation => OfIsolation(packet, facts, direction),
            FlowFeature.Policy => OfRule(packet, facts, direction),
            _ => null,
        };
    }

    private static Denial? OfIsolation(PacketIn packet, NodeFacts facts, Direction direction)
    {
        var owner = (uint)packet.Cookie;
        if (facts.Ports.Values.FirstOrDefault(p => Cookies.OwnerNumber(PodFlows.OwnerOf(p.Attachment.Pod)) == owner)?.Attachment.Pod is not { } pod)
        {
            return null;
        }

        var policies = facts.Slice.All<Policy>()
            .Where(p => (direction == Direction.Ingress ? p.IsolatesIngress : p.IsolatesEgress)
                && facts.Slice.Find<PortSet>(ItemKind.PortSet, p.AppliedTo)?.Ports.Contains(pod) == true)
            .OrderBy(p => p.Id, StringComparer.Ordinal).ToList();
        return policies.Count == 0 ? null
            : new Denial(pod, direction, [.. policies.Select(p => p.Id)], null, policies.Exists(p => p.RejectIsolated), policies.Exists(p => p.LogDrops));
    }

    private static Denial? OfRule(PacketIn packet, NodeFacts facts, Direction direction)
    {
        var owner = (uint)packet.Cookie;
        var policy = facts.Slice.All<Policy>().FirstOrDefault(p => Cookies.OwnerNumber(PolicyCompiler.OwnerOf(p)) == owner);
        if (policy is null || Cookies.PartOf(packet.Cookie) is not { } part || part >= policy.Rules.Count)
        {
            return null;
        }

        var port = direction == Direction.Egress ? packet.InPort : PortIn(packet);
        var pod = facts.Ports.Values.FirstOrDefault(p => p.OfPort == port)?.Attachment.Pod ?? "";
        var rule = policy.Rules[part];
        return new Denial(pod, direction, [policy.Id], rule, rule.Action == RuleAction.Reject, policy.LogDrops);
    }

    private static uint PortIn(PacketIn packet) => packet.Metadata.TryGet(Registers.Output.Field, out var output) ? (uint)output.Value : 0;
}
