using System.Net;
using Weft.Agent.Facts;
using Weft.Agent.Names;
using Weft.OpenFlow.Entries;
using Weft.Topology;

namespace Weft.Agent.Plan.Policies;

/// <summary>Keeps the flows of policies up to date. A changed member of an address set costs as many flows as rules use the set.</summary>
/// <remarks>The result depends on the last facts only. Not thread-safe.</remarks>
public sealed class PolicyPlanner(OwnedEntries<FlowKey, Flow> flows)
{
    private readonly ConjunctionFlows _conjunctions = new(flows);
    private readonly Dictionary<string, CompiledPolicy> _policies = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _notPlanned = new(StringComparer.Ordinal);
    private readonly Dictionary<string, HashSet<SetUse>> _uses = new(StringComparer.Ordinal);
    private readonly Dictionary<string, HashSet<string>> _members = new(StringComparer.Ordinal);
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    // Policies with domain names, and the ports that have flows for them.
    private readonly Dictionary<string, HashSet<string>> _named = new(StringComparer.Ordinal);
    private PolicyOrder _order = PolicyOrder.Empty;

    /// <summary>Policies that could not be compiled, and why: the pods that they select are isolated, as the policy would have them at its strictest.</summary>
    public IEnumerable<KeyValuePair<string, string>> NotPlanned => _notPlanned;

    /// <summary>Address-set members looked at since the start, for tests of cost.</summary>
    public long MembersVisited { get; private set; }

    /// <summary>Policies compiled since the start, for tests of cost.</summary>
    public long PoliciesCompiled { get; private set; }

    /// <summary>Computes everything.</summary>
    public void PlanAll(NodeFacts facts)
    {
        PlanPolicies(facts, facts.Slice.All<Policy>().Select(p => p.Id).Concat(_known).ToHashSet(StringComparer.Ordinal));
        PlanSets(facts, facts.Slice.All<AddressSet>().Select(s => s.Id).Concat(_members.Keys).ToHashSet(StringComparer.Ordinal));
        _conjunctions.Flush();
    }

    /// <summary>Computes what depends on changed items of the slice.</summary>
    public void PlanItems(NodeFacts facts, IReadOnlyCollection<ItemRef> changed)
    {
        var portSets = changed.Where(c => c.Kind == ItemKind.PortSet).Select(c => c.Id).ToHashSet(StringComparer.Ordinal);
        var policies = changed.Where(c => c.Kind == ItemKind.Policy).Select(c => c.Id).ToHashSet(StringComparer.Ordinal);
        if (portSets.Count > 0)
        {
            policies.UnionWith(facts.Slice.All<Policy>().Where(p => UsesAny(p, portSets)).Select(p => p.Id));
        }

        PlanPolicies(facts, policies);
        PlanSets(facts, changed.Where(c => c.Kind == ItemKind.AddressSet).Select(c => c.Id));
        _conjunctions.Flush();
    }

    /// <summary>Computes what depends on a port that came, went or changed its number.</summary>
    public void PlanPod(NodeFacts facts, string pod)
    {
        var portSets = facts.Slice.All<PortSet>().Where(s => s.Ports.Contains(pod)).Select(s => s.Id).ToHashSet(StringComparer.Ordinal);
        PlanPolicies(facts, facts.Slice.All<Policy>().Where(p => UsesAny(p, portSets)).Select(p => p.Id).ToList());
        _conjunctions.Flush();
    }

    /// <summary>Computes what depends on what one port learned of names.</summary>
    public void PlanNames(NodeFacts facts, string portId)
    {
        var portsByPod = PortsByPod(facts);
        foreach (var id in _named.Keys)
        {
            PlanNames(facts, facts.Slice.Find<Policy>(ItemKind.Policy, id), id, portId, portsByPod);
        }

        _conjunctions.Flush();
    }

    /// <summary>Whether a rule with a domain name that means <paramref name="name"/> is about this pod.</summary>
    public bool Wants(NodeFacts facts, string pod, string name) => _named.Keys.Select(id => facts.Slice.Find<Policy>(ItemKind.Policy, id)).OfType<Policy>().Any(policy =>
        facts.Slice.Find<PortSet>(ItemKind.PortSet, policy.AppliedTo)?.Ports.Contains(pod) == true
        && policy.Rules.Any(r => r.DomainNames.Any(d => NamePattern.Matches(d, name))));

    private static bool UsesAny(Policy policy, HashSet<string> portSets) =>
        portSets.Contains(policy.AppliedTo) || policy.Rules.Any(r => r.AppliedTo is { } own && portSets.Contains(own));

    private void PlanPolicies(NodeFacts facts, IReadOnlyCollection<string> ids)
    {
        if (ids.Count == 0)
        {
            return;
        }

        var portsByPod = PortsByPod(facts);
        foreach (var id in ids.Union(Reorder(facts, ids), StringComparer.Ordinal))
        {
            PoliciesCompiled++;
            var policy = facts.Slice.Find<Policy>(ItemKind.Policy, id);
            _notPlanned.Remove("policy " + id);
            Replace("policy " + id, policy is null ? CompiledPolicy.Empty : Compile(facts, portsByPod, policy));
            if (policy is null)
            {
                _known.Remove(id);
            }
            else
            {
                _known.Add(id);
            }

            PlanNames(facts, id, policy, portsByPod);
        }
    }

    /// <summary>Brings the order of cluster-wide policies up to date.</summary>
    /// <returns>Policies that others moved.</returns>
    private List<string> Reorder(NodeFacts facts, IReadOnlyCollection<string> ids)
    {
        if (!ids.Any(id => _order.Has(id) || facts.Slice.Find<Policy>(ItemKind.Policy, id) is { Tier: not PolicyTier.Namespace }))
        {
            return [];
        }

        var order = PolicyOrder.Of(facts.Slice.All<Policy>());
        var moved = _order.MovedIn(order).ToList();
        _order = order;
        return moved;
    }

    /// <summary>Plans the domain names of a policy for every pod that was told something.</summary>
    private void PlanNames(NodeFacts facts, string id, Policy? policy, ILookup<string, AttachedPort> portsByPod)
    {
        if (policy is not null && NameFlows.HasNames(policy))
        {
            _named.TryAdd(id, []);
        }

        if (!_named.TryGetValue(id, out var planned))
        {
            return;
        }

        foreach (var port in facts.Names.ByPort.Keys.Union(planned, StringComparer.Ordinal).ToList())
        {
            PlanNames(facts, policy, id, port, portsByPod);
        }

        if (policy is null || !NameFlows.HasNames(policy))
        {
            _named.Remove(id);
        }
    }

    private void PlanNames(NodeFacts facts, Policy? policy, string id, string portId, ILookup<string, AttachedPort> portsByPod)
    {
        // Of a policy that makes no sense, neither do its names.
        var compiled = policy is not null && !_notPlanned.ContainsKey("policy " + id) && facts.Ports.TryGetValue(portId, out var port)
            ? new PolicyCompiler(facts, portsByPod, _order).CompileNames(policy, port)
            : CompiledPolicy.Empty;
        var isEmpty = compiled.Flows.Count == 0;
        Replace($"names {id} {portId}", isEmpty ? CompiledPolicy.Empty : compiled);
        if (isEmpty)
        {
            _named[id].Remove(portId);
        }
        else
        {
            _named[id].Add(portId);
        }
    }

    /// <summary>A policy that makes no sense closes: to leave it out would let through what it forbids.</summary>
    private CompiledPolicy Compile(NodeFacts facts, ILookup<string, AttachedPort> portsByPod, Policy policy)
    {
        try
        {
            return new PolicyCompiler(facts, portsByPod, _order).Compile(policy);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            _notPlanned["policy " + policy.Id] = e.Message;
            return new PolicyCompiler(facts, portsByPod, _order).Compile(policy with
            {
                Tier = PolicyTier.Namespace,
                Rules = [],
                IsolatesIngress = policy.IsolatesIngress || policy.Rules.Any(r => r.Direction == Direction.Ingress),
                IsolatesEgress = policy.IsolatesEgress || policy.Rules.Any(r => r.Direction == Direction.Egress),
            });
        }
    }

    private static ILookup<string, AttachedPort> PortsByPod(NodeFacts facts) => facts.Ports.Values.ToLookup(p => p.Attachment.Pod, StringComparer.Ordinal);

    private void Replace(string owner, CompiledPolicy next)
    {
        var before = _policies.GetValueOrDefault(owner, CompiledPolicy.Empty);
        foreach (var (key, conjunction) in next.Contributions)
        {
            _conjunctions.Add(key, conjunction);
        }

        foreach (var (key, conjunction) in before.Contributions)
        {
            _conjunctions.Remove(key, conjunction);
        }

        foreach (var use in next.Uses.Where(u => !before.Uses.Contains(u)))
        {
            Bind(use);
        }

        foreach (var use in before.Uses.Where(u => !next.Uses.Contains(u)))
        {
            Unbind(use);
        }

        flows.Replace(owner, next.Flows.Select(f => KeyValuePair.Create(f.Key, f)));
        if (ReferenceEquals(next, CompiledPolicy.Empty))
        {
            _policies.Remove(owner);
        }
        else
        {
            _policies[owner] = next;
        }
    }

    private void Bind(SetUse use)
    {
        if (!_uses.TryGetValue(use.Set, out var uses))
        {
            _uses[use.Set] = uses = [];
        }

        uses.Add(use);
        Contribute(use, _members.GetValueOrDefault(use.Set) ?? [], add: true);
    }

    private void Unbind(SetUse use)
    {
        Contribute(use, _members.GetValueOrDefault(use.Set) ?? [], add: false);
        if (_uses.TryGetValue(use.Set, out var uses) && uses.Remove(use) && uses.Count == 0)
        {
            _uses.Remove(use.Set);
        }
    }

    private void PlanSets(NodeFacts facts, IEnumerable<string> ids)
    {
        foreach (var id in ids)
        {
            var set = facts.Slice.Find<AddressSet>(ItemKind.AddressSet, id);
            var before = _members.GetValueOrDefault(id) ?? [];
            var now = new HashSet<string>(set?.Addresses ?? [], StringComparer.Ordinal);
            var added = now.Where(a => !before.Contains(a)).ToList();
            var removed = before.Where(a => !now.Contains(a)).ToList();
            foreach (var use in _uses.GetValueOrDefault(id) ?? [])
            {
                Contribute(use, added, add: true);
                Contribute(use, removed, add: false);
            }

            if (set is null)
            {
                _members.Remove(id);
            }
            else
            {
                _members[id] = now;
            }
        }
    }

    private void Contribute(SetUse use, IReadOnlyCollection<string> members, bool add)
    {
        MembersVisited += members.Count;
        foreach (var member in members)
        {
            if (ParseMember(member) is not { } range || !use.Takes(range))
            {
                continue;
            }

            if (add)
            {
                _conjunctions.Add(use.KeyOf(range), use.Conjunction);
            }
            else
            {
                _conjunctions.Remove(use.KeyOf(range), use.Conjunction);
            }
        }
    }

    private static IPNetwork? ParseMember(string member) =>
        IPAddress.TryParse(member, out var address) ? new IPNetwork(address, address.IsV6() ? 128 : 32)
        : IPNetwork.TryParse(member, out var cidr) ? cidr
        : null;
}
