using System.Net;
using Weft.Agent.Facts;
using Weft.Agent.Names;
using Weft.Ctl.Nodes;
using Weft.Ctl.Tracing;
using Weft.Topology;

namespace Weft.Ctl.Verification;

/// <summary>What the policies say about a new connection, computed from the controller's records alone: no flow is looked at.</summary>
/// <remarks>Tiers as in the Network Policy API: Admin in order, then NetworkPolicy, then Baseline in order; nothing said is allowed.</remarks>
public static class PolicyIntent
{
    /// <summary>Whether the policies of one end allow the packet.</summary>
    /// <inheritdoc cref="Decide"/>
    public static bool Allows(Slice slice, NodePort pod, Direction direction, TracePacket packet) => Decide(slice, pod, direction, packet).Allowed;

    /// <summary>What the policies of one end decide, and which of them.</summary>
    /// <param name="slice">The slice of the pod's node.</param>
    /// <param name="pod">The pod at this end.</param>
    /// <param name="direction">Egress for the sender, ingress for the receiver.</param>
    /// <param name="packet">The packet.</param>
    public static PolicyDecision Decide(Slice slice, NodePort pod, Direction direction, TracePacket packet)
    {
        var policies = slice.All<Policy>().Where(p => (p.Tier != PolicyTier.Namespace || p.NetworkKey == pod.NetworkKey) && Selects(slice, p.AppliedTo, pod.Pod!)).ToList();
        PolicyDecision? First(PolicyTier tier) => FirstOf(slice, policies.Where(p => p.Tier == tier).OrderBy(p => p.Priority).ThenBy(p => p.Id, StringComparer.Ordinal), pod, direction, packet);
        if (First(PolicyTier.Admin) is { } admin)
        {
            return admin;
        }

        var isolating = policies.Where(p => p.Tier == PolicyTier.Namespace && (direction == Direction.Ingress ? p.IsolatesIngress : p.IsolatesEgress))
            .OrderBy(p => p.Id, StringComparer.Ordinal).ToList();
        if (isolating.Count == 0)
        {
            return First(PolicyTier.Baseline) ?? PolicyDecision.Nothing;
        }

        // Any of them may be the one that the switch meets.
        var allowing = isolating.SelectMany(p => p.Rules.Where(r => Matches(slice, r, pod, direction, packet)).Select(r => RuleRef.Of(p, r))).Distinct().ToList();
        return allowing.Count > 0
            ? new PolicyDecision(true, PolicyReason.Rule, allowing)
            : new PolicyDecision(false, PolicyReason.Isolation, [.. isolating.Select(p => new RuleRef(p.Id, direction, null, null))]);
    }

    private static PolicyDecision? FirstOf(Slice slice, IEnumerable<Policy> policies, NodePort pod, Direction direction, TracePacket packet)
    {
        foreach (var (policy, rule) in policies.SelectMany(p => p.Rules.Where(r => r.Direction == direction).OrderBy(r => r.Index).Select(r => (p, r))))
        {
            if (Matches(slice, rule, pod, direction, packet))
            {
                return rule.Action == RuleAction.Pass ? null : new PolicyDecision(rule.Action == RuleAction.Allow, PolicyReason.Rule, [RuleRef.Of(policy, rule)]);
            }
        }

        return null;
    }

    private static bool Matches(Slice slice, PolicyRule rule, NodePort pod, Direction direction, TracePacket packet)
    {
        if (rule.Direction != direction || (rule.NetworkKey > 0 && rule.NetworkKey != pod.NetworkKey) || (rule.AppliedTo is { } own && !Selects(slice, own, pod.Pod!)))
        {
            return false;
        }

        var peer = direction == Direction.Ingress ? packet.Source : packet.Destination;
        return (rule.AnyPeer || (rule.PeerSets.Any(s => Contains(slice, s, peer)) && (rule.Within.IsEmpty || rule.Within.Any(b => Contains(b, peer)))) || rule.IpBlocks.Any(b => Contains(b, peer)) || Names(rule, pod, peer))
            && (rule.Ports.Count == 0 || rule.Ports.Any(p => Matches(p, packet)));
    }

    /// <summary>A name means what the pod itself was told, which its node knows.</summary>
    private static bool Names(PolicyRule rule, NodePort pod, IPAddress peer) =>
        !rule.DomainNames.IsEmpty && pod.NamesOf(peer).Any(n => rule.DomainNames.Any(d => NamePattern.Matches(d, n)));

    private static bool Matches(PortRange range, TracePacket packet) =>
        string.Equals(range.Protocol.ToString(), packet.Protocol, StringComparison.OrdinalIgnoreCase)
        && ((range.First == 0 && range.Last == 0) || (packet.Port >= range.First && packet.Port <= range.Last));

    private static bool Selects(Slice slice, string portSet, string pod) => slice.Find<PortSet>(ItemKind.PortSet, portSet)?.Ports.Contains(pod) == true;

    private static bool Contains(Slice slice, string set, IPAddress address) =>
        slice.Find<AddressSet>(ItemKind.AddressSet, set)?.Addresses.Any(a => Covers(a, address)) == true;

    private static bool Contains(IpBlock block, IPAddress address) => Covers(block.Cidr, address) && !block.Except.Any(e => Covers(e, address));

    private static bool Covers(string text, IPAddress address) =>
        text.Contains('/', StringComparison.Ordinal) ? IPNetwork.TryParse(text, out var cidr) && cidr.Contains(address) : text == address.ToString();
}
