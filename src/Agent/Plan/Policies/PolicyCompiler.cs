using System.Net;
using Weft.Agent.Facts;
using Weft.Agent.Names;
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
public sealed class PolicyCompiler(NodeFacts facts, ILookup<string, AttachedPort> portsByPod, PolicyOrder order)
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

        if (NameFlows.HasNames(policy))
        {
            _flows.AddRange(PortsOf(policy.AppliedTo).SelectMany(NameFlows.Listen));
        }

        return new CompiledPolicy(_flows, _contributions, _uses);
    }

    /// <summary>Compiles what the rules' domain names mean to one pod, by what it learned; call it once per instance.</summary>
    public CompiledPolicy CompileNames(Policy policy, AttachedPort port)
    {
        var learned = facts.Names.Of(port.Id);
        for (var number = 0; number < policy.Rules.Count; number++)
        {
            var rule = policy.Rules[number];
            if (!rule.DomainNames.IsEmpty && PortsOf(policy, rule).Contains(port))
            {
                var meant = learned.Where(l => rule.DomainNames.Any(d => NamePattern.Matches(d, l.Key.Name))).ToList();
                CompileNames(policy, number, port, meant.GroupBy(l => l.Key.Address).Select(a => (a.Key, a.Any(l => l.Value.IsLive))).ToList());
            }
        }

        return new CompiledPolicy(_flows, _contributions, _uses);
    }

    /// <summary>A conjunction for this pod alone: nobody else may use what it was told. Addresses that expired are for connections that exist.</summary>
    /// <remarks>That the connection exists is asked for beside the address, not where the conjunction decides: a conjunction that is satisfied and decides
    /// nothing makes Open vSwitch take the best flow without conjunctions, and no other rule (find_conjunctive_match in lib/classifier.c).</remarks>
    private void CompileNames(Policy policy, int number, AttachedPort port, List<(IPAddress Address, bool IsLive)> addresses)
    {
        if (addresses.Count == 0)
        {
            return;
        }

        var rule = policy.Rules[number];
        var stage = PolicyStage.Of(policy.Tier, rule.Direction);
        var priority = order.PriorityOf(policy, rule, alone: false);
        var clauses = (byte)(rule.Ports.IsEmpty ? 2 : 3);
        var id = Cookies.OwnerNumber($"{policy.Id}/{rule.Direction}/{number}/{port.Id}");
        _flows.AddRange(Decide(policy, number, stage, priority, Fields.ConjId.Is(id)));
        Contribute(stage, priority, new ConjunctionRef(id, 1, clauses), [Match.Of(PolicyStage.AppliesTo(rule.Direction, port.OfPort))]);
        Contribute(stage, priority, new ConjunctionRef(id, 2, clauses), addresses.Select(a => NameFlows.To(a.Address, port.Attachment.NetworkKey, a.IsLive)));
        if (!rule.Ports.IsEmpty)
        {
            Contribute(stage, priority, new ConjunctionRef(id, 3, clauses), rule.Ports.SelectMany(p => PortMatches(p, port.Attachment.NetworkKey)));
        }
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
        var ports = PortsOf(policy, rule).ToList();
        var network = NetworkOf(policy, rule);
        if (ports.Count == 0)
        {
            return;
        }

        var stage = PolicyStage.Of(policy.Tier, rule.Direction);
        var hasPeers = !rule.AnyPeer;
        var hasPorts = !rule.Ports.IsEmpty;
        var priority = order.PriorityOf(policy, rule, alone: !hasPeers && !hasPorts);
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
            var peers = new SetUse("", stage, priority, rule.Direction, network, conjunction) { Within = rule.Within };
            _uses.UnionWith(rule.PeerSets.Select(s => peers with { Set = s }));
            _contributions.AddRange(rule.IpBlocks.SelectMany(Expand).Select(c => (peers.KeyOf(c), conjunction)));
        }

        if (hasPorts)
        {
            Contribute(stage, priority, new ConjunctionRef(id, clause, clauses), rule.Ports.SelectMany(p => PortMatches(p, network)));
        }
    }

    private void Contribute(PolicyStage stage, ushort priority, ConjunctionRef conjunction, IEnumerable<Match> matches) =>
        _contributions.AddRange(matches.Select(m => (new FlowKey(stage.Table.Id, priority, m), conjunction)));

    /// <summary>Two flows, so that their counters tell connections from packets: the first packets of connections, and the others.</summary>
    private static IEnumerable<Flow> Decide(Policy policy, int number, PolicyStage stage, ushort priority, FieldMatch condition) =>
    [
        Decide(policy, number, stage, priority, condition, CtStateFlags.New),
        Decide(policy, number, stage, priority, condition, CtStateFlags.None),
    ];

    private static Flow Decide(Policy policy, int number, PolicyStage stage, ushort priority, FieldMatch condition, CtStateFlags state)
    {
        var draft = new FlowDraft(stage.Table, priority, Cookies.Of(FlowFeature.Policy, OwnerOf(policy), number))
            .When(condition, Fields.CtState.Masked((uint)state, (uint)CtStateFlags.New));
        return policy.Rules[number].Action switch
        {
            RuleAction.Allow => draft.Goto(stage.Allowed),
            RuleAction.Pass => draft.Goto(stage.Passed),
            RuleAction.Reject => draft.Do(Tell).End(),
            _ => policy.LogDrops ? draft.Do(Tell).End() : draft.End(),
        };
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

    private static int NetworkOf(Policy policy, PolicyRule rule) => rule.NetworkKey > 0 ? rule.NetworkKey : policy.NetworkKey;

    /// <summary>Cluster-wide policies select pods of every network, and have a rule for each.</summary>
    private IEnumerable<AttachedPort> PortsOf(Policy policy, PolicyRule rule)
    {
        var ports = PortsOf(rule.AppliedTo ?? policy.AppliedTo);
        return policy.Tier == PolicyTier.Namespace ? ports : ports.Where(p => p.Attachment.NetworkKey == NetworkOf(policy, rule));
    }

    private IEnumerable<AttachedPort> PortsOf(string portSet) =>
        (facts.Slice.Find<PortSet>(ItemKind.PortSet, portSet)?.Ports ?? []).SelectMany(p => portsByPod[p]);
}
