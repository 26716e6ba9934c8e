using Weft.Kubernetes;
using Weft.Topology;

namespace Weft.Controller.Network;

/// <summary>The policies and what they are compiled to. Not thread-safe.</summary>
internal sealed class PolicyTable(GroupTable groups, NodeTable nodes, Interner interner, KeyTable keys, Changes changes)
{
    private readonly Dictionary<string, PolicyState> _policies = new(StringComparer.Ordinal);
    private readonly HashSet<PolicyState> _withNodes = [];

    /// <summary>Every policy.</summary>
    public IEnumerable<PolicyState> All => _policies.Values;

    /// <summary>The number of policies.</summary>
    public int Count => _policies.Count;

    /// <summary>Compiles a new or changed policy.</summary>
    /// <returns>What of it cannot be used, with what is done instead; the rest is in force.</returns>
    /// <exception cref="InvalidObjectException">Nothing of it can be used. A policy known before stays as it was: fail closed.</exception>
    public IReadOnlyList<string> Upsert(V1NetworkPolicy policy)
    {
        var key = ObjectKey.Of(policy);
        var ns = groups.Namespace(key.Namespace);
        return Upsert(IdOf(key), key, state => new PolicyCompiler(groups, interner, ns).Compile(policy, state.Id, state.Key)).Compiled!.Problems;
    }

    /// <summary>Compiles a new or changed cluster-wide policy.</summary>
    /// <inheritdoc cref="Upsert(V1NetworkPolicy)"/>
    public IReadOnlyList<string> Upsert(ClusterPolicy policy)
    {
        var state = Upsert(policy.Id, null, state => new ClusterPolicyCompiler(groups, interner, nodes).Compile(policy, state.Key));
        if (policy.HasNodes)
        {
            _withNodes.Add(state);
        }
        else
        {
            _withNodes.Remove(state);
        }

        return state.Compiled!.Problems;
    }

    /// <summary>Removes a policy; one that is not there is no error.</summary>
    public void Remove(ObjectKey key) => Remove(IdOf(key));

    /// <summary>Removes a policy by its id; one that is not there is no error.</summary>
    public void Remove(string id)
    {
        if (_policies.Remove(id, out var policy))
        {
            var old = policy.Compiled!;
            policy.Compiled = null;
            Detach(policy, old, next: null);
            keys.Release(policy.Key);
            groups.StalePolicies.Remove(policy);
            _withNodes.Remove(policy);
        }
    }

    /// <summary>Compiles again the policies whose named ports or nodes may mean something else now.</summary>
    public void CompileStale()
    {
        if (nodes.TakeRelabelled())
        {
            groups.StalePolicies.UnionWith(_withNodes);
        }

        while (groups.StalePolicies.Count > 0)
        {
            var stale = groups.StalePolicies.ToArray();
            groups.StalePolicies.Clear();
            foreach (var policy in stale)
            {
                // A version without named ports may have come since it was marked.
                if (policy.Again is { } again)
                {
                    Take(policy, again);
                }
            }
        }
    }

    /// <summary>Policies of namespaces whose network or annotations changed have to be told again: only those with named ports are kept.</summary>
    public HashSet<ObjectKey> ToTellAgain { get; } = [];

    /// <summary>Marks the policies of a namespace whose annotations changed.</summary>
    public void MarkOf(NamespaceState ns) => ToTellAgain.UnionWith(_policies.Values.Select(p => p.Namespaced).OfType<ObjectKey>().Where(k => k.Namespace == ns.Name));

    /// <summary>Marks the policies of namespaces that moved to another network.</summary>
    public void MarkTenants(HashSet<NamespaceState> moved)
    {
        if (moved.Count > 0)
        {
            ToTellAgain.UnionWith(_policies.Values.Select(p => p.Namespaced).OfType<ObjectKey>().Where(k => moved.Contains(groups.Namespace(k.Namespace))));
        }
    }

    private static string IdOf(ObjectKey key) => $"NetworkPolicy/{key}";

    private PolicyState Upsert(string id, ObjectKey? namespaced, Func<PolicyState, CompiledPolicy> compile)
    {
        if (_policies.TryGetValue(id, out var known))
        {
            Take(known, () => compile(known));
            return known;
        }

        var state = new PolicyState(id, keys.Take(id)) { Namespaced = namespaced };
        try
        {
            Take(state, () => compile(state));
        }
        catch (InvalidObjectException)
        {
            keys.Release(state.Key);
            throw;
        }

        return _policies[id] = state;
    }

    private void Take(PolicyState policy, Func<CompiledPolicy> compile)
    {
        var next = compile();
        var old = policy.Compiled;
        policy.Compiled = next;
        policy.Again = next.Watched.Length > 0 || policy.Namespaced is null ? compile : null;

        // New references first, so that a set that both versions use does not go and come back.
        foreach (var set in next.Uses)
        {
            PolicyDelivery.Use(changes, next.Target, set);
        }

        next.Target.Policies.Add(policy);
        foreach (var group in next.Watched)
        {
            group.PortWatchers.Add(policy);
        }

        if (old is null || !old.Item.Equals(next.Item))
        {
            PolicyDelivery.NotePolicy(changes, next.Target, policy);
        }

        if (old is not null)
        {
            Detach(policy, old, next);
        }
    }

    private void Detach(PolicyState policy, CompiledPolicy old, CompiledPolicy? next)
    {
        if (old.Target != next?.Target)
        {
            old.Target.Policies.Remove(policy);
            PolicyDelivery.NotePolicy(changes, old.Target, policy);
        }

        foreach (var set in old.Uses)
        {
            PolicyDelivery.StopUsing(changes, old.Target, set);
        }

        foreach (var group in old.Watched.Except(next?.Watched ?? []))
        {
            group.PortWatchers.Remove(policy);
        }

        foreach (var group in old.Held)
        {
            groups.Release(group);
        }
    }
}
