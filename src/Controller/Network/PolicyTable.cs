using Weft.Kubernetes;
using Weft.Topology;

namespace Weft.Controller.Network;

/// <summary>The policies and what they are compiled to. Not thread-safe.</summary>
internal sealed class PolicyTable(GroupTable groups, Interner interner, KeyTable keys, Changes changes)
{
    private readonly Dictionary<ObjectKey, PolicyState> _policies = [];

    /// <summary>Every policy.</summary>
    public IEnumerable<PolicyState> All => _policies.Values;

    /// <summary>The number of policies.</summary>
    public int Count => _policies.Count;

    /// <summary>Compiles a new or changed policy.</summary>
    /// <exception cref="InvalidObjectException">It cannot be compiled. A policy known before stays as it was: fail closed.</exception>
    public void Upsert(V1NetworkPolicy policy)
    {
        var key = ObjectKey.Of(policy);
        var ns = groups.Namespace(key.Namespace);
        if (_policies.TryGetValue(key, out var known))
        {
            Recompile(known, policy, ns);
            return;
        }

        var id = $"NetworkPolicy/{key}";
        var state = new PolicyState(id, keys.Take(id));
        try
        {
            Recompile(state, policy, ns);
        }
        catch (InvalidObjectException)
        {
            keys.Release(state.Key);
            throw;
        }

        _policies[key] = state;
    }

    /// <summary>Removes a policy; one that is not there is no error.</summary>
    public void Remove(ObjectKey key)
    {
        if (_policies.Remove(key, out var policy))
        {
            var old = policy.Compiled!;
            policy.Compiled = null;
            Detach(policy, old, next: null);
            keys.Release(policy.Key);
            groups.StalePolicies.Remove(policy);
        }
    }

    /// <summary>Compiles again the policies whose named ports may mean other numbers now.</summary>
    public void CompileStale()
    {
        while (groups.StalePolicies.Count > 0)
        {
            var stale = groups.StalePolicies.ToArray();
            groups.StalePolicies.Clear();
            foreach (var policy in stale)
            {
                // A version without named ports may have come since it was marked.
                if (policy.Source is { } source)
                {
                    Recompile(policy, source, groups.Namespace(source.Metadata.NamespaceProperty ?? ""));
                }
            }
        }
    }

    /// <summary>Policies of namespaces whose network changed have to be told again: only those with named ports are kept.</summary>
    public HashSet<ObjectKey> ToTellAgain { get; } = [];

    /// <summary>Marks the policies of namespaces that moved to another network.</summary>
    public void MarkTenants(HashSet<NamespaceState> moved)
    {
        if (moved.Count > 0)
        {
            ToTellAgain.UnionWith(_policies.Keys.Where(k => moved.Contains(groups.Namespace(k.Namespace))));
        }
    }

    private void Recompile(PolicyState policy, V1NetworkPolicy source, NamespaceState ns)
    {
        var next = new PolicyCompiler(groups, interner, ns).Compile(source, policy.Id, policy.Key);
        var old = policy.Compiled;
        policy.Compiled = next;
        policy.Source = next.Watched.Length > 0 ? source : null;

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
