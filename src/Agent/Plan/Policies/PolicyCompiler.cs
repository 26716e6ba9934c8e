using System.Net;
using Weft.Agent.Facts;
using Weft.Agent.Plan.Features;
using Weft.Agent.Plan.Pipeline;
using Weft.OpenFlow;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;
using Weft.Topology;

namespace Weft.Agent.Plan.Policies;

/// <summary>Turns a policy of the slice into what this node needs for it. Pure.</summary>
/// <remarks>
/// A rule is a conjunction of "one of these pods", "one of these peers" and "one of these ports": flows grow as the sum of the
/// three, never as their product. A rule with the first part only needs no conjunction.
/// </remarks>
public sealed class PolicyCompiler(NodeFacts facts, ILookup<string, AttachedPort> portsByPod)
{
    /// <summary>Dropped, and the agent is told, who answers or logs; the policy is known by the flow's cookie.</summary>
    private static readonly Output Tell = new(Ports.Controller, 256);

    private readonly List<Flow> _flows = [];
    private readonly List<(FlowKey, ConjunctionRef)> _contributions = [];
    private readonly HashSet<SetUse> _uses = [];

    /// <summary>The name behind the cookies of a policy's flows.</summary>
    public static string OwnerOf(Policy policy) => "policy " + policy.Id;

    /// <summary>The conjunction of a rule.</summary>
    /// <param name="policy">The policy.</param>
    /// <param name="number">The rule's place among its rules.</param>
    public static uint ConjunctionOf(Policy policy, int number) => Cookies.OwnerNumber($"{policy.Id}/{policy.Rules[number].Direction}/{number}");

    /// <summary>Compiles a policy; call it once per instance.</summary>
    public CompiledPolicy Compile(Policy policy)
    {
        Isolate(policy, Direction.Ingress, policy.IsolatesIngress);
        Isolate(policy, Direction.Egress, policy.IsolatesEgress);
        var number = 0;
        foreach (var rule in policy.Rules)
        {
            CompileRule(policy, rule, number++);
        }

        return new CompiledPolicy(_flows, _contributions, _uses);
    }

    private void Isolate(Policy policy, Direction direction, bool isolates)
    {
        if (!isolates)
        {
            return;
        }

        foreach (var port in PortsOf(policy.AppliedTo))
        {
            // Several policies isolate the same pod with the same flow; its cookie names the pod.
            var cookie = Cookies.Of(FlowFeature.Isolation, PodFlows.OwnerOf(port.Attachment.Pod));
            var table = PolicyStage.Of(PolicyTier.Namespace, direction).Table;
            var draft = new FlowDraft(table, policy.RejectIsolated || policy.LogDrops ? PolicyStage.ToldIsolation : PolicyStage.Isolation, cookie);
            draft = draft.When(PolicyStage.AppliesTo(direction, port.OfPort));
            _flows.Add(policy.RejectIsolated || policy.LogDrops ? draft.Do(Tell).End() : draft.End());
        }
    }

    private void CompileRule(Policy policy, PolicyRule rule, int number)
    {
        var ports = PortsOf(rule.AppliedTo ?? policy.AppliedTo).ToList();
        if (ports.Count == 0)
        {
            return;
        }

        var stage = PolicyStage.Of(policy.Tier, rule.Direction);
        var hasPeers = !rule.AnyPeer;
        var hasPorts = !rule.Ports.IsEmpty;
        var priority = PolicyStage.PriorityOf(policy, rule, alone: !hasPeers && !hasPorts);
        if (!hasPeers && !hasPorts)
        {
            _flows.AddRange(ports.SelectMany(p => Decide(policy, number, stage, priority, PolicyStage.AppliesTo(rule.Direction, p.OfPort))));
            return;
        }

        var clauses = (byte)(1 + (hasPeers ? 1 : 0) + (hasPorts ? 1 : 0));
        var id = ConjunctionOf(policy, number);
        var clause = (byte)1;
        _flows.AddRange(Decide(policy, number, stage, priority, Fields.ConjId.Is(id)));
        Contribute(stage, priority, new ConjunctionRef(id, clause++, clauses), ports.Select(p => Match.Of(PolicyStage.AppliesTo(rule.Direction, p.OfPort))));
        if (hasPeers)
        {
            var conjunction = new ConjunctionRef(id, clause++, clauses);
            var peers = new SetUse("", stage, priority, rule.Direction, policy.NetworkKey, conjunction);
            _uses.UnionWith(rule.PeerSets.Select(s => peers with { Set = s }));
            _contributions.AddRange(rule.IpBlocks.SelectMany(Expand).Select(c => (peers.KeyOf(c), conjunction)));
        }

        if (hasPorts)
        {
            Contribute(stage, priority, new ConjunctionRef(id, clause, clauses), rule.Ports.SelectMany(p => PortMatches(p, policy.NetworkKey)));
        }
    }

    private void Contribute(PolicyStage stage, ushort priority, ConjunctionRef conjunction, IEnumerable<Match> matches) =>
        _contributions.AddRange(matches.Select(m => (new FlowKey(stage.Table.Id, priority, m), conjunction)));

    /// <summary>Two flows, so that their counters tell connections from packets: the first packets of connections, and the others.</summary>
    private static IEnumerable<Flow> Decide(Policy policy, int number, PolicyStage stage, ushort priority, FieldMatch condition)
    {
        var cookie = Cookies.Of(FlowFeature.Policy, OwnerOf(policy), number);
        foreach (var state in new[] { CtStateFlags.New, CtStateFlags.None })
        {
            var draft = new FlowDraft(stage.Table, priority, cookie).When(condition, Fields.CtState.Masked((uint)state, (uint)CtStateFlags.New));
            yield return policy.Rules[number].Action switch
            {
                RuleAction.Allow => draft.Goto(stage.Allowed),
                RuleAction.Pass => draft.Goto(stage.Passed),
                RuleAction.Reject => draft.Do(Tell).End(),
                _ => policy.LogDrops ? draft.Do(Tell).End() : draft.End(),
            };
        }
    }

    private static IEnumerable<IPNetwork> Expand(IpBlock block) => IPNetwork.TryParse(block.Cidr, out var cidr)
        ? Cidrs.Without(cidr, block.Except.Select(e => IPNetwork.TryParse(e, out var x) ? x : (IPNetwork?)null).OfType<IPNetwork>())
        : [];

    private static IEnumerable<Match> PortMatches(PortRange range, int networkKey)
    {
        var network = Fields.Metadata.Is((ulong)networkKey);
        var protocol = Fields.IpProto.Is((byte)range.Protocol);
        var field = range.Protocol switch { Protocol.Udp => Fields.UdpDst, Protocol.Sctp => Fields.SctpDst, _ => Fields.TcpDst };
        foreach (var family in new[] { Packets.Ip, Packets.Ipv6 })
        {
            if (range is { First: 0, Last: 0 })
            {
                yield return Match.Of(network, family, protocol);
                continue;
            }

            foreach (var (value, mask) in Cidrs.PortMasks(range.First, range.Last))
            {
                yield return Match.Of(network, family, protocol, field.Masked(value, mask));
            }
        }
    }

    private IEnumerable<AttachedPort> PortsOf(string portSet) =>
        (facts.Slice.Find<PortSet>(ItemKind.PortSet, portSet)?.Ports ?? []).SelectMany(p => portsByPod[p]);
}
