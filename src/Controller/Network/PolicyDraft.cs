using Weft.Topology;

namespace Weft.Controller.Network;

/// <summary>Whom a rule names, compiled: everybody, or groups of pods and ranges.</summary>
internal readonly record struct PolicyPeers(bool Any, List<PodGroup> Groups, List<IpBlock> Blocks);

/// <summary>The ports that a rule names: all, or ranges and names.</summary>
internal readonly record struct PolicyPorts(bool Any, List<PortRange> Numbered, List<(string Name, Protocol Protocol)> Named);

/// <summary>A policy while it is compiled: its rules, and the groups and sets that they need. For one policy.</summary>
/// <param name="groups">The groups as they are now.</param>
/// <param name="interner">The selectors.</param>
/// <param name="peerNetwork">The network of peers that are pods.</param>
internal sealed class PolicyDraft(GroupTable groups, Interner interner, int peerNetwork)
{
    private readonly List<PodGroup> _held = [];
    private readonly List<MemberSet> _uses = [];
    private readonly List<PodGroup> _watched = [];
    private readonly List<PolicyRule> _rules = [];
    private readonly List<string> _problems = [];

    /// <summary>The network of peers that are pods, of the rules that are added next.</summary>
    public int PeerNetwork { get; set; } = peerNetwork;

    /// <summary>The pods that the policy applies to.</summary>
    public TargetSet Target(GroupKey key)
    {
        var target = GroupTable.TargetOf(Acquire(key));
        Use(target);
        return target;
    }

    /// <summary>The result.</summary>
    public CompiledPolicy Finish(TargetSet target, Policy item) =>
        new(item with { Rules = _rules.ToEquatableArray() }, target, [.. _uses], [.. _held], [.. _watched], [.. _problems]);

    /// <summary>Notes what cannot be used, and what is done instead.</summary>
    public void Note(string problem)
    {
        if (!_problems.Contains(problem))
        {
            _problems.Add(problem);
        }
    }

    /// <summary>Compiles the policy again when pods of other networks, or with other named ports, come to a group or leave it.</summary>
    public void Watch(PodGroup group)
    {
        if (!_watched.Contains(group))
        {
            _watched.Add(group);
        }
    }

    /// <summary>Gives everything back: it cannot be compiled.</summary>
    public void Abandon() => _held.ForEach(groups.Release);

    /// <summary>Adds an ingress rule: one, and one more for each number behind each named port.</summary>
    public void AddIngress(PolicyRule template, PodGroup target, PolicyPeers peers, PolicyPorts ports)
    {
        var rule = With(template, peers);
        AddNumbered(rule, ports);
        foreach (var (name, protocol) in ports.Named)
        {
            // The port's number is the selected pod's: one rule for each number, for the pods that have it.
            foreach (var number in NumbersOf(target, name, protocol))
            {
                var part = GroupTable.TargetOf(Acquire(target.Key with { Port = new NamedPort(name, protocol, number) }));
                Use(part);
                _rules.Add(rule with { AppliedTo = part.Group.Id, Ports = [new PortRange(protocol, number, number)] });
            }
        }
    }

    /// <summary>Adds an egress rule: one, and one more for each number behind each named port.</summary>
    public void AddEgress(PolicyRule template, PolicyPeers peers, PolicyPorts ports)
    {
        if (ports.Any || ports.Numbered.Count > 0)
        {
            AddNumbered(With(template, peers), ports);
        }

        if (ports.Named.Count == 0)
        {
            return;
        }

        // The port's number is the peer's: one rule for each number, to the peers that have it. A pod that a range names by its address has them too;
        // addresses outside have no named ports.
        AddNamed(template, peers.Any ? [AllPods()] : peers.Groups, [], ports.Named);
        if (peers.Blocks.Count > 0)
        {
            AddNamed(template, [AllPods()], peers.Blocks, ports.Named);
        }
    }

    private void AddNamed(PolicyRule template, List<PodGroup> destinations, List<IpBlock> within, List<(string Name, Protocol Protocol)> named)
    {
        foreach (var (name, protocol) in named)
        {
            var parts = destinations
                .SelectMany(g => NumbersOf(g, name, protocol).Select(number => (Group: g, Number: number)))
                .GroupBy(p => p.Number, p => p.Group);
            foreach (var part in parts.OrderBy(p => p.Key))
            {
                var sets = part.Select(g => PeerSetOf(Acquire(g.Key with { Port = new NamedPort(name, protocol, part.Key) })).Group.Id);
                _rules.Add(template with
                {
                    PeerSets = sets.Distinct().ToEquatableArray(),
                    Within = within.ToEquatableArray(),
                    Ports = [new PortRange(protocol, part.Key, part.Key)],
                });
            }
        }
    }

    private PolicyRule With(PolicyRule template, PolicyPeers peers) => template with
    {
        AnyPeer = peers.Any,
        PeerSets = peers.Groups.Select(g => PeerSetOf(g).Group.Id).Distinct().ToEquatableArray(),
        IpBlocks = peers.Blocks.ToEquatableArray(),
    };

    private void AddNumbered(PolicyRule rule, PolicyPorts ports)
    {
        if (ports.Any || ports.Numbered.Count > 0)
        {
            _rules.Add(rule with { Ports = ports.Numbered.ToEquatableArray() });
        }
    }

    private PodGroup AllPods()
    {
        var everything = interner.Selector(null, "");
        return Acquire(new GroupKey(null, everything, everything, null, PeerNetwork));
    }

    private int[] NumbersOf(PodGroup group, string name, Protocol protocol)
    {
        Watch(group);
        var numbers = new SortedSet<int>();
        foreach (var c in group.Classes.Items)
        {
            if (c.Ports[name, protocol] is { } number)
            {
                numbers.Add(number);
            }
        }

        return [.. numbers];
    }

    /// <summary>A group, held for the policy.</summary>
    public PodGroup Acquire(GroupKey key)
    {
        var group = groups.Acquire(key);
        _held.Add(group);
        return group;
    }

    private PeerSet PeerSetOf(PodGroup group)
    {
        var set = groups.PeerOf(group);
        Use(set);
        return set;
    }

    private void Use(MemberSet set)
    {
        if (!_uses.Contains(set))
        {
            _uses.Add(set);
        }
    }
}
