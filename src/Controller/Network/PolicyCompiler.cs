using Weft.Kubernetes;
using Weft.Topology;

namespace Weft.Controller.Network;

/// <summary>Compiles one NetworkPolicy: selectors become sets, named ports numbers. Reads the groups as they are now.</summary>
/// <remarks>Semantics: Kubernetes NetworkPolicy v1 (concepts/services-networking/network-policies). An instance compiles one policy.</remarks>
internal sealed class PolicyCompiler(GroupTable groups, Interner interner, NamespaceState ns)
{
    private readonly List<PodGroup> _held = [];
    private readonly List<MemberSet> _uses = [];
    private readonly List<PodGroup> _watched = [];
    private readonly List<PolicyRule> _rules = [];

    /// <summary>Peers are pods of the same network: equal addresses of others are others. Without a network there are none.</summary>
    private int PeerNetwork => ns.Network == 0 ? -1 : ns.Network;

    /// <summary>Compiles.</summary>
    /// <exception cref="InvalidObjectException">A field cannot be used; nothing is held then.</exception>
    public CompiledPolicy Compile(V1NetworkPolicy policy, string id, int key)
    {
        try
        {
            var spec = policy.Spec ?? throw new InvalidObjectException("spec is missing");
            var selected = interner.Selector(spec.PodSelector, "spec.podSelector");
            var group = Acquire(new GroupKey(ns, null, selected, null));
            var target = GroupTable.TargetOf(group);
            Use(target);
            var (ingress, egress) = TypesOf(spec);
            for (var i = 0; ingress && i < (spec.Ingress?.Count ?? 0); i++)
            {
                var rule = spec.Ingress![i];
                CompileIngress(i, group, PeersOf(rule.FromProperty, $"spec.ingress[{i}].from"), PortsOf(rule.Ports, $"spec.ingress[{i}].ports"));
            }

            for (var i = 0; egress && i < (spec.Egress?.Count ?? 0); i++)
            {
                var rule = spec.Egress![i];
                CompileEgress(i, PeersOf(rule.To, $"spec.egress[{i}].to"), PortsOf(rule.Ports, $"spec.egress[{i}].ports"));
            }

            var item = new Policy
            {
                Id = id,
                Key = key,
                NetworkKey = ns.Network,
                AppliedTo = target.Group.Id,
                IsolatesIngress = ingress,
                IsolatesEgress = egress,
                Rules = _rules.ToEquatableArray(),
            };
            return new CompiledPolicy(item, target, [.. _uses], [.. _held], [.. _watched]);
        }
        catch
        {
            _held.ForEach(groups.Release);
            throw;
        }
    }

    private static (bool Ingress, bool Egress) TypesOf(V1NetworkPolicySpec spec)
    {
        if (spec.PolicyTypes is not { Count: > 0 } types)
        {
            return (true, spec.Egress is { Count: > 0 });
        }

        var unknown = types.Find(t => t is not ("Ingress" or "Egress"));
        return unknown is null
            ? (types.Contains("Ingress"), types.Contains("Egress"))
            : throw new InvalidObjectException($"spec.policyTypes has '{unknown}': it must be Ingress or Egress");
    }

    private void CompileIngress(int index, PodGroup target, Peers peers, Ports ports)
    {
        var rule = RuleOf(index, Direction.Ingress, peers);
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

    private void CompileEgress(int index, Peers peers, Ports ports)
    {
        if (ports.Any || ports.Numbered.Count > 0)
        {
            AddNumbered(RuleOf(index, Direction.Egress, peers), ports);
        }

        if (ports.Named.Count == 0)
        {
            return;
        }

        // The port's number is the peer's: one rule for each number, to the peers that have it. Addresses outside have no named ports.
        var destinations = peers.Any ? [AllPods()] : peers.Groups;
        foreach (var (name, protocol) in ports.Named)
        {
            var parts = destinations
                .SelectMany(g => NumbersOf(g, name, protocol).Select(number => (Group: g, Number: number)))
                .GroupBy(p => p.Number, p => p.Group);
            foreach (var part in parts.OrderBy(p => p.Key))
            {
                var sets = part.Select(g => PeerSetOf(Acquire(g.Key with { Port = new NamedPort(name, protocol, part.Key) })).Group.Id);
                _rules.Add(new PolicyRule
                {
                    Index = index,
                    Direction = Direction.Egress,
                    PeerSets = sets.Distinct().ToEquatableArray(),
                    Ports = [new PortRange(protocol, part.Key, part.Key)],
                });
            }
        }
    }

    private PolicyRule RuleOf(int index, Direction direction, Peers peers) => new()
    {
        Index = index,
        Direction = direction,
        AnyPeer = peers.Any,
        PeerSets = peers.Groups.Select(g => PeerSetOf(g).Group.Id).Distinct().ToEquatableArray(),
        IpBlocks = peers.Blocks.ToEquatableArray(),
    };

    private void AddNumbered(PolicyRule rule, Ports ports)
    {
        if (ports.Any || ports.Numbered.Count > 0)
        {
            _rules.Add(rule with { Ports = ports.Numbered.ToEquatableArray() });
        }
    }

    private Peers PeersOf(List<V1NetworkPolicyPeer>? peers, string field)
    {
        var (found, blocks) = (new List<PodGroup>(), new List<IpBlock>());
        for (var i = 0; i < (peers?.Count ?? 0); i++)
        {
            var (peer, at) = (peers![i], $"{field}[{i}]");
            if (peer.IpBlock is { } block)
            {
                if (peer.PodSelector is not null || peer.NamespaceSelector is not null)
                {
                    throw new InvalidObjectException($"{at}: ipBlock stands alone; move the selectors to another entry");
                }

                blocks.Add(BlockOf(block, at + ".ipBlock"));
            }
            else if (peer.PodSelector is null && peer.NamespaceSelector is null)
            {
                throw new InvalidObjectException($"{at}: give podSelector, namespaceSelector or ipBlock");
            }
            else
            {
                var pods = interner.Selector(peer.PodSelector, at + ".podSelector");
                found.Add(Acquire(peer.NamespaceSelector is null
                    ? new GroupKey(ns, null, pods, null, PeerNetwork)
                    : new GroupKey(null, interner.Selector(peer.NamespaceSelector, at + ".namespaceSelector"), pods, null, PeerNetwork)));
            }
        }

        return new Peers(peers is not { Count: > 0 }, found, blocks);
    }

    private static IpBlock BlockOf(V1IPBlock block, string field)
    {
        if (!Cidr.TryNormalise(block.Cidr, out var cidr))
        {
            throw new InvalidObjectException($"{field}.cidr is '{block.Cidr}': it must be a CIDR such as 10.0.0.0/8");
        }

        var except = (block.Except ?? []).Select(e => Cidr.TryNormalise(e, out var part)
            ? part
            : throw new InvalidObjectException($"{field}.except has '{e}': it must be a CIDR inside {cidr}"));
        return new IpBlock(cidr, except.ToEquatableArray());
    }

    private static Ports PortsOf(List<V1NetworkPolicyPort>? ports, string field)
    {
        var (numbered, named) = (new List<PortRange>(), new List<(string, Protocol)>());
        for (var i = 0; i < (ports?.Count ?? 0); i++)
        {
            var (port, at) = (ports![i], $"{field}[{i}]");
            if (!Protocols.TryParse(port.Protocol, out var protocol))
            {
                throw new InvalidObjectException($"{at}.protocol is '{port.Protocol}': it must be TCP, UDP or SCTP");
            }

            if (port.Port is not { } value)
            {
                numbered.Add(new PortRange(protocol, 0, 0));
            }
            else if (value.Name is { } name)
            {
                named.Add((name, protocol));
            }
            else
            {
                var last = port.EndPort ?? value.Number;
                if (value.Number is < 1 or > 65535 || last < value.Number || last > 65535)
                {
                    throw new InvalidObjectException($"{at}: port {value.Number} to {last} must be an ascending range within 1 to 65535");
                }

                numbered.Add(new PortRange(protocol, value.Number, last));
            }
        }

        return new Ports(ports is not { Count: > 0 }, numbered, named);
    }

    private PodGroup AllPods()
    {
        var everything = interner.Selector(null, "");
        return Acquire(new GroupKey(null, everything, everything, null, PeerNetwork));
    }

    private int[] NumbersOf(PodGroup group, string name, Protocol protocol)
    {
        if (!_watched.Contains(group))
        {
            _watched.Add(group);
        }

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

    private PodGroup Acquire(GroupKey key)
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

    private readonly record struct Peers(bool Any, List<PodGroup> Groups, List<IpBlock> Blocks);

    private readonly record struct Ports(bool Any, List<PortRange> Numbered, List<(string Name, Protocol Protocol)> Named);
}
