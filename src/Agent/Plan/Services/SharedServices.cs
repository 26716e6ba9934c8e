using Weft.Agent.Facts;
using Weft.Topology;

namespace Weft.Agent.Plan.Services;

/// <summary>Which networks share which Service ports. Each pair has flows of its own, so a network that comes costs what it shares, however many others share it.</summary>
/// <remarks>Not thread-safe; owned by the plan.</remarks>
internal sealed class SharedServices
{
    private readonly Dictionary<string, HashSet<string>> _sharedBy = new(StringComparer.Ordinal);
    private readonly Dictionary<string, HashSet<string>> _networksOf = new(StringComparer.Ordinal);

    // Of shared Services only: there may be very many others.
    private readonly Dictionary<string, HashSet<string>> _balancersOf = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _serviceOf = new(StringComparer.Ordinal);

    /// <summary>Takes a network as it is now, or its end.</summary>
    /// <returns>The pairs of Service port and network that may be others.</returns>
    public List<(string Balancer, string Network)> TakeNetwork(NodeFacts facts, string id)
    {
        var before = _sharedBy.GetValueOrDefault(id) ?? [];
        var now = (facts.Slice.Find<Network>(ItemKind.Network, id)?.SharedServices ?? []).ToHashSet(StringComparer.Ordinal);
        foreach (var service in now.Except(before))
        {
            if (!_networksOf.TryGetValue(service, out var networks))
            {
                _networksOf[service] = networks = new HashSet<string>(StringComparer.Ordinal);
                foreach (var balancer in facts.Slice.All<LoadBalancer>().Where(b => b.Service == service))
                {
                    Note(balancer.Id, service);
                }
            }

            networks.Add(id);
        }

        var pairs = before.Union(now).SelectMany(BalancersOf).Select(b => (b, id)).ToList();
        foreach (var service in before.Except(now))
        {
            _networksOf[service].Remove(id);
            if (_networksOf[service].Count == 0)
            {
                _networksOf.Remove(service);
                BalancersOf(service).ToList().ForEach(Forget);
            }
        }

        if (now.Count == 0)
        {
            _sharedBy.Remove(id);
        }
        else
        {
            _sharedBy[id] = now;
        }

        return pairs;
    }

    /// <summary>The pairs of a network that was taken.</summary>
    public IEnumerable<(string Balancer, string Network)> Of(string network) => (_sharedBy.GetValueOrDefault(network) ?? []).SelectMany(BalancersOf).Select(b => (b, network));

    /// <summary>Takes a Service port as it is now, or its end.</summary>
    /// <returns>The pairs of Service port and network that may be others.</returns>
    public List<(string Balancer, string Network)> TakeBalancer(NodeFacts facts, string id)
    {
        var before = _serviceOf.GetValueOrDefault(id);
        var now = facts.Slice.Find<LoadBalancer>(ItemKind.LoadBalancer, id)?.Service;
        if (before is null && (now is null || !_networksOf.ContainsKey(now)))
        {
            return [];
        }

        var pairs = new[] { before, now }.OfType<string>().Distinct(StringComparer.Ordinal).SelectMany(s => _networksOf.GetValueOrDefault(s) ?? []).Select(n => (id, n)).ToList();
        Forget(id);
        if (now is not null && _networksOf.ContainsKey(now))
        {
            Note(id, now);
        }

        return pairs;
    }

    private HashSet<string> BalancersOf(string service) => _balancersOf.GetValueOrDefault(service) ?? [];

    private void Note(string balancer, string service)
    {
        _serviceOf[balancer] = service;
        if (!_balancersOf.TryGetValue(service, out var balancers))
        {
            _balancersOf[service] = balancers = new HashSet<string>(StringComparer.Ordinal);
        }

        balancers.Add(balancer);
    }

    private void Forget(string balancer)
    {
        if (_serviceOf.Remove(balancer, out var service) && _balancersOf[service].Remove(balancer) && _balancersOf[service].Count == 0)
        {
            _balancersOf.Remove(service);
        }
    }
}
