using System.Text.RegularExpressions;
using Weft.Kubernetes;
using Weft.Topology;

namespace Weft.Controller.Network;

/// <summary>Compiles one cluster-wide policy. Reads groups and nodes as they are now.</summary>
/// <remarks>
/// It selects pods of every network, and has its rules once for each network of them: peers are pods of the same network, as others cannot be reached.
/// A rule with something that this version does not know, or that cannot be used, fails closed, as the API demands: Accept then matches nothing,
/// Deny and Pass deny everything. An instance compiles one policy.
/// </remarks>
internal sealed partial class ClusterPolicyCompiler(GroupTable groups, Interner interner, NodeTable nodes)
{
    private static readonly Protocol[] AllProtocols = [Protocol.Tcp, Protocol.Udp, Protocol.Sctp];

    private readonly PolicyDraft _draft = new(groups, interner, Topology.Network.DefaultKey);

    /// <summary>What a denying rule does.</summary>
    private RuleAction _deny = RuleAction.Deny;

    /// <summary>Compiles.</summary>
    /// <exception cref="InvalidObjectException">A field cannot be used; nothing is held then.</exception>
    public CompiledPolicy Compile(ClusterPolicy policy, int key)
    {
        try
        {
            var subject = policy.Spec.Subject ?? throw new InvalidObjectException("spec.subject is missing: give namespaces or pods");
            var target = _draft.Target((SelectorOf(subject, "spec.subject") ?? throw new InvalidObjectException("spec.subject: give namespaces or pods")) with { Network = 0 });
            _draft.Watch(target.Group);
            var deny = DenyOptions.Of(policy.Metadata, _draft.Note);
            _deny = deny.Reject == true ? RuleAction.Reject : RuleAction.Deny;
            foreach (var network in NetworksOf(target.Group))
            {
                _draft.PeerNetwork = network;
                AddRules(policy.Spec, target.Group);
            }

            return _draft.Finish(target, new Policy { Id = policy.Id, Key = key, Tier = policy.Tier, Priority = policy.Priority, AppliedTo = target.Group.Id, LogDrops = deny.Log == true });
        }
        catch
        {
            _draft.Abandon();
            throw;
        }
    }

    /// <summary>The default network first; it is always there, so that its rules keep their places.</summary>
    private static IEnumerable<int> NetworksOf(PodGroup group)
    {
        var others = new SortedSet<int>();
        foreach (var c in group.Classes.Items)
        {
            if (c.Network > Topology.Network.DefaultKey)
            {
                others.Add(c.Network);
            }
        }

        return others.Prepend(Topology.Network.DefaultKey);
    }

    private void AddRules(ClusterPolicySpec spec, PodGroup target)
    {
        var network = _draft.PeerNetwork == Topology.Network.DefaultKey ? 0 : _draft.PeerNetwork;
        var (ingress, egress) = (spec.Ingress ?? [], spec.Egress ?? []);
        for (var i = 0; i < ingress.Count; i++)
        {
            var (template, peers, ports) = ReadClosed(ingress[i], i, Direction.Ingress, $"spec.ingress[{i}]");
            _draft.AddIngress(template with { NetworkKey = network }, target, peers, ports);
        }

        for (var i = 0; i < egress.Count; i++)
        {
            var (template, peers, ports) = ReadClosed(egress[i], i, Direction.Egress, $"spec.egress[{i}]");
            _draft.AddEgress(template with { NetworkKey = network }, peers, ports);
        }
    }

    private (PolicyRule Template, PolicyPeers Peers, PolicyPorts Ports) ReadClosed(ClusterPolicyRule rule, int index, Direction direction, string at)
    {
        try
        {
            return Read(rule, index, direction, at);
        }
        catch (InvalidObjectException e)
        {
            var accepts = rule.Action is "Accept" or "Allow";
            _draft.Note($"{e.Message}; until then this rule {(accepts ? "accepts nothing" : "denies everything")}");
            var template = new PolicyRule { Index = index, Direction = direction, Name = rule.Name, Action = accepts ? RuleAction.Allow : _deny };
            return (template, new PolicyPeers(!accepts, [], []), new PolicyPorts(true, [], []));
        }
    }

    private (PolicyRule Template, PolicyPeers Peers, PolicyPorts Ports) Read(ClusterPolicyRule rule, int index, Direction direction, string at)
    {
        var action = rule.Action switch
        {
            "Accept" or "Allow" => RuleAction.Allow,
            "Deny" => _deny,
            "Pass" => RuleAction.Pass,
            _ => throw new InvalidObjectException($"{at}.action is '{rule.Action}': it must be Accept (v1alpha1: Allow), Deny or Pass"),
        };
        var (name, given) = direction == Direction.Ingress ? ("from", rule.FromProperty) : ("to", rule.To);
        if (given is not { Count: > 0 })
        {
            throw new InvalidObjectException($"{at}.{name} is missing: a cluster-wide rule names its peers; use namespaces: {{}} for all pods");
        }

        var template = new PolicyRule { Index = index, Direction = direction, Action = action, Name = rule.Name };
        var peers = PeersOf(given, action, $"{at}.{name}", out var known);
        var ports = PortsOf(rule, at, ref known);
        if (!known && action != RuleAction.Allow)
        {
            return (template with { Action = _deny }, new PolicyPeers(true, [], []), new PolicyPorts(true, [], []));
        }

        if (ports.Named.Count > 0 && given.Exists(p => p.Nodes is not null || p.Networks is not null || p.DomainNames is not null))
        {
            throw new InvalidObjectException($"{at}: a named port stands beside networks, nodes or domainNames, which have none: give numbers, or split the rule");
        }

        var domains = given.SelectMany(p => p.DomainNames ?? []).Select(d => d.TrimEnd('.').ToLowerInvariant()).Distinct().ToEquatableArray();
        return (template with { DomainNames = domains }, known ? peers : new PolicyPeers(false, [], []), ports);
    }

    private PolicyPeers PeersOf(List<ClusterPolicyPeer> peers, RuleAction action, string field, out bool known)
    {
        var (found, blocks) = (new List<PodGroup>(), new List<IpBlock>());
        known = true;
        for (var i = 0; i < peers.Count; i++)
        {
            var (peer, at) = (peers[i], $"{field}[{i}]");
            if (SelectorOf(peer, at) is { } key)
            {
                found.Add(_draft.Acquire(key));
            }
            else if (peer.Nodes is { } selector)
            {
                blocks.AddRange(AddressesOf(interner.Selector(selector, at + ".nodes")));
            }
            else if (peer.Networks is { } networks)
            {
                blocks.AddRange(networks.Select(n => Cidr.TryNormalise(n, out var cidr)
                    ? new IpBlock(cidr, [])
                    : throw new InvalidObjectException($"{at}.networks has '{n}': it must be a CIDR such as 10.0.0.0/8")));
            }
            else if (peer.DomainNames is not null)
            {
                if (action != RuleAction.Allow)
                {
                    throw new InvalidObjectException($"{at}.domainNames: only Accept rules can name domains; deny the rest with a rule of lower precedence");
                }

                if (peer.DomainNames.Find(d => !IsDomainName(d)) is { } bad)
                {
                    throw new InvalidObjectException($"{at}.domainNames has '{bad}': it must be a name of two labels or more such as example.com, or *.example.com for the names below it");
                }
            }
            else if (action == RuleAction.Allow)
            {
                continue;
            }
            else
            {
                known = false;
            }
        }

        return new PolicyPeers(false, found, blocks);
    }

    private GroupKey? SelectorOf(ClusterPolicyPeer peer, string at)
    {
        if (peer.Namespaces is { } namespaces)
        {
            return new GroupKey(null, interner.Selector(namespaces, at + ".namespaces"), interner.Selector(null, ""), null, _draft.PeerNetwork);
        }

        return peer.Pods is { } pods
            ? new GroupKey(
                null, interner.Selector(pods.NamespaceSelector, at + ".pods.namespaceSelector"), interner.Selector(pods.PodSelector, at + ".pods.podSelector"), null, _draft.PeerNetwork)
            : null;
    }

    private IEnumerable<IpBlock> AddressesOf(Selector selector) =>
        nodes.All.Where(n => n.Facts is not null && selector.Matches(n.Labels!))
            .SelectMany(n => n.Facts!.Addresses).Select(a => new IpBlock($"{a}/{(Cidr.IsV6(a) ? 128 : 32)}", []));

    private static PolicyPorts PortsOf(ClusterPolicyRule rule, string at, ref bool known)
    {
        var (numbered, named) = (new List<PortRange>(), new List<(string, Protocol)>());
        for (var i = 0; i < (rule.Protocols?.Count ?? 0); i++)
        {
            var (protocol, field) = (rule.Protocols![i], $"{at}.protocols[{i}]");
            if (protocol.DestinationNamedPort is { } name)
            {
                // The name alone: it may be a port of any protocol.
                named.AddRange(AllProtocols.Select(p => (name, p)));
                continue;
            }

            var (destination, kind) = protocol switch
            {
                { Tcp: { } tcp } => (tcp, Protocol.Tcp),
                { Udp: { } udp } => (udp, Protocol.Udp),
                _ => (protocol.Sctp, Protocol.Sctp),
            };
            known &= destination is not null;
            if (destination is not null)
            {
                var port = destination.DestinationPort;
                numbered.Add(port is null ? new PortRange(kind, 0, 0)
                    : RangeOf(kind, port.Range?.Start ?? port.Number ?? 0, port.Range?.End ?? port.Number ?? 0, field));
            }
        }

        for (var i = 0; i < (rule.Ports?.Count ?? 0); i++)
        {
            var (port, field) = (rule.Ports![i], $"{at}.ports[{i}]");
            if (port.NamedPort is { } name)
            {
                named.AddRange(AllProtocols.Select(p => (name, p)));
            }
            else if (port.PortNumber is { } number)
            {
                numbered.Add(RangeOf(ProtocolOf(number.Protocol, field), number.Port, number.Port, field));
            }
            else if (port.PortRange is { } range)
            {
                numbered.Add(RangeOf(ProtocolOf(range.Protocol, field), range.Start, range.End, field));
            }
            else
            {
                known = false;
            }
        }

        return new PolicyPorts(rule is { Protocols: null, Ports: null }, numbered, named);
    }

    /// <summary>The pattern of the API's own definition.</summary>
    [GeneratedRegex(@"^(\*\.)?([a-zA-Z0-9]([-a-zA-Z0-9_]*[a-zA-Z0-9])?\.)+[a-zA-Z0-9]([-a-zA-Z0-9_]*[a-zA-Z0-9])?\.?$", RegexOptions.CultureInvariant)]
    private static partial Regex DomainNamePattern { get; }

    private static bool IsDomainName(string name) => name.Length <= 255 && DomainNamePattern.IsMatch(name);

    private static Protocol ProtocolOf(string? text, string at) => Protocols.TryParse(text, out var protocol)
        ? protocol
        : throw new InvalidObjectException($"{at}.protocol is '{text}': it must be TCP, UDP or SCTP");

    private static PortRange RangeOf(Protocol protocol, int first, int last, string at) => first is >= 1 and <= 65535 && last >= first && last <= 65535
        ? new PortRange(protocol, first, last)
        : throw new InvalidObjectException($"{at}: port {first} to {last} must be an ascending range within 1 to 65535");
}
