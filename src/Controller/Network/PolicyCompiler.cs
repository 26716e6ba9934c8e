using Weft.Kubernetes;
using Weft.Topology;

namespace Weft.Controller.Network;

/// <summary>Compiles one NetworkPolicy: selectors become sets, named ports numbers. Reads the groups as they are now.</summary>
/// <remarks>
/// Semantics: Kubernetes NetworkPolicy v1 (concepts/services-networking/network-policies). A rule that cannot be used is left out and the pods are
/// isolated all the same: a mistake never opens anything. An instance compiles one policy.
/// </remarks>
internal sealed class PolicyCompiler(GroupTable groups, Interner interner, NamespaceState ns)
{
    /// <summary>Peers are pods of the same network: equal addresses of others are others. Without a network there are none.</summary>
    private readonly PolicyDraft _draft = new(groups, interner, ns.Network == 0 ? -1 : ns.Network);

    /// <summary>Compiles.</summary>
    /// <exception cref="InvalidObjectException">A field cannot be used; nothing is held then.</exception>
    public CompiledPolicy Compile(V1NetworkPolicy policy, string id, int key)
    {
        try
        {
            var spec = policy.Spec ?? throw new InvalidObjectException("spec is missing");
            var selected = interner.Selector(spec.PodSelector, "spec.podSelector");
            var target = _draft.Target(new GroupKey(ns, null, selected, null));
            var (ingress, egress) = TypesOf(spec);
            for (var i = 0; ingress && i < (spec.Ingress?.Count ?? 0); i++)
            {
                var (rule, at, template) = (spec.Ingress![i], $"spec.ingress[{i}]", new PolicyRule { Index = i, Direction = Direction.Ingress });
                AddUsable(() => _draft.AddIngress(template, target.Group, PeersOf(rule.FromProperty, at + ".from"), PortsOf(rule.Ports, at + ".ports")));
            }

            for (var i = 0; egress && i < (spec.Egress?.Count ?? 0); i++)
            {
                var (rule, at, template) = (spec.Egress![i], $"spec.egress[{i}]", new PolicyRule { Index = i, Direction = Direction.Egress });
                AddUsable(() => _draft.AddEgress(template, PeersOf(rule.To, at + ".to"), PortsOf(rule.Ports, at + ".ports")));
            }

            var deny = DenyOptions.Of(policy.Metadata, _draft.Note).Or(ns.Deny);
            return _draft.Finish(target, new Policy
            {
                Id = id,
                RejectIsolated = deny.Reject == true,
                LogDrops = deny.Log == true,
                Key = key,
                NetworkKey = ns.Network,
                AppliedTo = target.Group.Id,
                IsolatesIngress = ingress,
                IsolatesEgress = egress,
            });
        }
        catch
        {
            _draft.Abandon();
            throw;
        }
    }

    private void AddUsable(Action add)
    {
        try
        {
            add();
        }
        catch (InvalidObjectException e)
        {
            _draft.Note($"{e.Message}; this rule is left out, so it allows nothing");
        }
    }

    private (bool Ingress, bool Egress) TypesOf(V1NetworkPolicySpec spec)
    {
        if (spec.PolicyTypes is not { Count: > 0 } types)
        {
            return (true, spec.Egress is { Count: > 0 });
        }

        if (types.Find(t => t is not ("Ingress" or "Egress")) is { } unknown)
        {
            _draft.Note($"spec.policyTypes has '{unknown}': it must be Ingress or Egress; the pods are isolated in both directions");
            return (true, true);
        }

        return (types.Contains("Ingress"), types.Contains("Egress"));
    }

    private PolicyPeers PeersOf(List<V1NetworkPolicyPeer>? peers, string field)
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
                found.Add(_draft.Acquire(peer.NamespaceSelector is null
                    ? new GroupKey(ns, null, pods, null, _draft.PeerNetwork)
                    : new GroupKey(null, interner.Selector(peer.NamespaceSelector, at + ".namespaceSelector"), pods, null, _draft.PeerNetwork)));
            }
        }

        return new PolicyPeers(peers is not { Count: > 0 }, found, blocks);
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

    private static PolicyPorts PortsOf(List<V1NetworkPolicyPort>? ports, string field)
    {
        var (numbered, named) = (new List<PortRange>(), new List<(string, Protocol)>());
        for (var i = 0; i < (ports?.Count ?? 0); i++)
        {
            var (port, at) = (ports![i], $"{field}[{i}]");
            if (!Protocols.TryParse(port.Protocol, out var protocol))
            {
                throw new InvalidObjectException($"{at}.protocol is '{port.Protocol}': it must be TCP, UDP or SCTP");
            }

            if (port.EndPort is { } end && port.Port is not { Name: null })
            {
                throw new InvalidObjectException($"{at}.endPort is {end} without a number in port: give the first port of the range as a number");
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

        return new PolicyPorts(ports is not { Count: > 0 }, numbered, named);
    }
}
