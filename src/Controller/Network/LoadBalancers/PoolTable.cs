using Weft.Controller.Allocation;
using Weft.Kubernetes;

namespace Weft.Controller.Network.LoadBalancers;

/// <summary>The load balancer addresses of the cluster's own pools: who has which, and who waits for one.</summary>
/// <remarks>What is given is kept in <c>status.loadBalancer</c> of the Service and nowhere else, so it outlives every controller. Not thread-safe.</remarks>
internal sealed class PoolTable(IReadOnlyList<AddressRange> pools)
{
    /// <summary>Services that name it, or no class at all, are served from the pools.</summary>
    public const string Class = "weft.dev/pool";

    private readonly Dictionary<ObjectKey, V1Service> _services = [];
    private readonly Dictionary<string, ObjectKey> _holders = new(StringComparer.Ordinal);
    private readonly HashSet<ObjectKey> _waiting = [];

    /// <summary>Whether there are pools at all.</summary>
    public bool HasPools => pools.Count > 0;

    /// <summary>Whether a Service may wait for something to be written.</summary>
    public bool HasWaiting => _waiting.Count > 0;

    /// <summary>Whether an address is of a pool.</summary>
    public bool Owns(string address) => AddressRange.TryNumber(address, out var number, out var isV6) && pools.Any(p => p.Contains(number, isV6));

    /// <summary>Takes a Service as it is now, or its end.</summary>
    public void Take(ObjectKey key, V1Service? service)
    {
        if (!HasPools)
        {
            return;
        }

        foreach (var address in Given(_services.GetValueOrDefault(key)))
        {
            if (_holders.TryGetValue(address, out var holder) && holder == key)
            {
                _holders.Remove(address);

                // What was taken is free: who waited in vain is tried again.
                _waiting.UnionWith(_services.Where(s => IsOurs(s.Value) && Missing(s.Value).Count > 0).Select(s => s.Key));
            }
        }

        if (service is null)
        {
            _services.Remove(key);
            _waiting.Remove(key);
            return;
        }

        _services[key] = service;
        foreach (var address in Given(service))
        {
            _holders.TryAdd(address, key);
        }

        if (WantedOf(service) is null)
        {
            _waiting.Remove(key);
        }
        else
        {
            _waiting.Add(key);
        }
    }

    /// <summary>What has to be written now. Nothing of it is asked for again until the Service comes back changed, or <see cref="Retry"/>.</summary>
    public IReadOnlyList<PoolDecision> Decide(int most)
    {
        var decisions = new List<PoolDecision>();
        foreach (var key in _waiting.OrderBy(k => k.ToString(), StringComparer.Ordinal).Take(most).ToList())
        {
            _waiting.Remove(key);
            if (_services.TryGetValue(key, out var service) && WantedOf(service) is { } wanted)
            {
                foreach (var address in wanted.Addresses)
                {
                    _holders.TryAdd(address, key);
                }

                decisions.Add(new PoolDecision(service, wanted.Addresses, wanted.Problem));
            }
        }

        return decisions;
    }

    /// <summary>A decision could not be written.</summary>
    public void Retry(V1Service service)
    {
        if (_services.ContainsKey(ObjectKey.Of(service)))
        {
            _waiting.Add(ObjectKey.Of(service));
        }
    }

    /// <summary>The whole list of addresses that the Service should have, and what is wrong; null when it has it and nothing is.</summary>
    private (IReadOnlyList<string> Addresses, string? Problem)? WantedOf(V1Service service)
    {
        var key = ObjectKey.Of(service);
        var given = Given(service).ToList();
        if (!IsOurs(service))
        {
            // It was a load balancer: its address is given back.
            return given.Count > 0 ? ([], null) : null;
        }

        // Of two that hold one address (somebody wrote a status by hand) the first that was seen keeps it.
        var kept = given.Where(a => _holders.GetValueOrDefault(a) == key).ToList();
        var missing = Missing(service, kept);
        if (missing.Count == 0 && kept.Count == given.Count)
        {
            return null;
        }

        string? problem = null;
        foreach (var v6 in missing)
        {
            if (Free(v6) is { } address)
            {
                kept.Add(address);
            }
            else
            {
                problem = $"no pool has a free {(v6 ? "IPv6" : "IPv4")} address: add a range to loadBalancerPools, or delete load balancers that nobody needs";
            }
        }

        return (kept, problem);
    }

    private static bool IsOurs(V1Service service) =>
        service is { Metadata.DeletionTimestamp: null, Spec: { Type: "LoadBalancer", LoadBalancerClass: null or "" or Class } };

    private List<bool> Missing(V1Service service) => Missing(service, [.. Given(service)]);

    /// <summary>The families that have a ClusterIP and no address yet.</summary>
    private List<bool> Missing(V1Service service, List<string> given)
    {
        // An address of somebody else (another controller, an administrator) means that he serves it.
        return given.Count == 0 && HasForeign(service) ? [] : [.. ServiceCompiler.FamiliesOf(service).Where(v6 => !given.Exists(a => Cidr.IsV6(a) == v6))];
    }

    private bool HasForeign(V1Service service) =>
        (service.Status?.LoadBalancer?.Ingress ?? []).Any(i => Cidr.Address(i.Ip) is not { } address || !Owns(address));

    private IEnumerable<string> Given(V1Service? service) =>
        (service?.Status?.LoadBalancer?.Ingress ?? []).Select(i => Cidr.Address(i.Ip)).OfType<string>().Where(Owns).Distinct(StringComparer.Ordinal);

    private string? Free(bool v6)
    {
        foreach (var pool in pools.Where(p => p.IsV6 == v6))
        {
            // The search ends after at most as many steps as addresses are taken.
            for (var number = pool.First; number <= pool.Last; number++)
            {
                var address = AddressRange.ToText(number, v6);
                if (!_holders.ContainsKey(address))
                {
                    return address;
                }

                if (number == UInt128.MaxValue)
                {
                    break;
                }
            }
        }

        return null;
    }
}

/// <summary>What a Service's status must say.</summary>
/// <param name="Service">The Service as it was when this was decided.</param>
/// <param name="Addresses">All addresses of pools that it has; none: they are given back.</param>
/// <param name="Problem">Why it gets no more, or null.</param>
internal sealed record PoolDecision(V1Service Service, IReadOnlyList<string> Addresses, string? Problem);
