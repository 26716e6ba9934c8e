using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Weft.Agent.CniServer.Leases;

/// <summary>Who has which address, and which addresses rest after a release. Decides, and forgets nothing; writes nothing. Not safe for concurrent use.</summary>
internal sealed class LeaseBook(TimeSpan rest)
{
    private readonly Dictionary<LeaseKey, Lease> _leases = [];
    private readonly Dictionary<(int Network, IPAddress Address), LeaseKey> _holders = [];
    private readonly Dictionary<(int Network, IPAddress Address), DateTimeOffset> _restingUntil = [];
    private readonly Dictionary<(int Network, AddressFamily Family), IPAddress> _cursors = [];

    public IReadOnlyCollection<Lease> Leases => _leases.Values;

    public int RestingCount => _restingUntil.Count;

    public Lease? Find(LeaseKey key) => _leases.GetValueOrDefault(key);

    /// <summary>Chooses addresses and notes them.</summary>
    /// <returns>The lease that the key has already, or a new one.</returns>
    /// <exception cref="LeaseException">There is none to give; nothing changed.</exception>
    public Lease Give(LeaseRequest request, DateTimeOffset now, out bool isNew)
    {
        var key = new LeaseKey(request.ContainerId, request.IfName);
        isNew = !_leases.TryGetValue(key, out var lease);
        if (lease is not null)
        {
            return lease;
        }

        ForgetRested(now);
        var ranges = request.Subnets.Select(s => new AddressRange(s.Cidr, s.Gateway)).ToList();
        var addresses = request.Fixed.Select(a => TakeFixed(a, ranges, request)).ToList();
        foreach (var family in ranges.Select(r => r.Family).Distinct())
        {
            if (!request.FixedByController && addresses.TrueForAll(a => a.AddressFamily != family))
            {
                addresses.Add(Choose(ranges.Where(r => r.Family == family).ToList(), family, request.NetworkKey));
            }
        }

        if (addresses.Count == 0)
        {
            throw new LeaseException("the node has no pod CIDR yet: set spec.podCIDRs (kube-controller-manager --allocate-node-cidrs)", isTransient: true);
        }

        lease = new Lease
        {
            ContainerId = request.ContainerId,
            IfName = request.IfName,
            Pod = request.Pod,
            Configuration = request.Configuration,
            SpareInterface = request.SpareInterface,
            NetworkKey = request.NetworkKey,
            Addresses = [.. addresses.OrderBy(a => a.AddressFamily).Select(a => a.ToString())],
        };
        Note(lease);
        return lease;
    }

    /// <summary>Notes a lease that was given elsewhere or earlier. A later one takes an address over from an earlier one.</summary>
    public void Note(Lease lease)
    {
        Remove(lease.Key);
        _leases[lease.Key] = lease;
        foreach (var address in Parse(lease))
        {
            var place = (lease.NetworkKey, address);
            if (_holders.TryGetValue(place, out var earlier) && earlier != lease.Key)
            {
                Remove(earlier);
            }

            _holders[place] = lease.Key;
            _restingUntil.Remove(place);
            _cursors[(lease.NetworkKey, address.AddressFamily)] = address;
        }
    }

    /// <summary>Ends a lease; its addresses rest.</summary>
    /// <returns>The lease, or null when there was none.</returns>
    public Lease? Release(LeaseKey key, DateTimeOffset releasedAt, DateTimeOffset now)
    {
        if (Remove(key) is not { } lease)
        {
            return null;
        }

        Rest(lease, releasedAt, now);
        return lease;
    }

    /// <summary>Lets a released lease's addresses rest, except those that somebody else has by now.</summary>
    public void Rest(Lease lease, DateTimeOffset releasedAt, DateTimeOffset now)
    {
        // A clock that jumped back must not make the rest longer than asked for.
        var until = (releasedAt < now ? releasedAt : now) + rest;
        foreach (var address in Parse(lease).Where(a => until > now && !_holders.ContainsKey((lease.NetworkKey, a))))
        {
            _restingUntil[(lease.NetworkKey, address)] = until;
        }
    }

    /// <summary>Takes a lease out as if it had never been given.</summary>
    public Lease? Remove(LeaseKey key)
    {
        if (!_leases.Remove(key, out var lease))
        {
            return null;
        }

        foreach (var address in Parse(lease))
        {
            if (_holders.TryGetValue((lease.NetworkKey, address), out var holder) && holder == key)
            {
                _holders.Remove((lease.NetworkKey, address));
            }
        }

        return lease;
    }

    /// <summary>Everything as records: writing them again gives the same book.</summary>
    public IEnumerable<LeaseRecord> ToRecords()
    {
        foreach (var ((network, address), until) in _restingUntil)
        {
            var lease = new Lease { ContainerId = "", IfName = "", Pod = "", NetworkKey = network, Addresses = [address.ToString()] };
            yield return new LeaseRecord { Release = lease, At = (until - rest).ToUnixTimeSeconds() };
        }

        // The holder of a cursor goes last, so that the round robin goes on where it was.
        var last = _cursors.Select(c => _holders.TryGetValue((c.Key.Network, c.Value), out var key) ? key : default).ToHashSet();
        foreach (var lease in _leases.Values.OrderBy(l => last.Contains(l.Key)))
        {
            yield return new LeaseRecord { Give = lease };
        }
    }

    private IPAddress TakeFixed(IPAddress address, List<AddressRange> ranges, LeaseRequest request)
    {
        if (_holders.TryGetValue((request.NetworkKey, address), out var holder))
        {
            throw new LeaseException(
                $"address {address} is held by container {holder} of pod {_leases[holder].Pod}: delete that pod or ask for another address", isTransient: true)
            {
                Holder = _leases[holder],
            };
        }

        if (request.FixedByController)
        {
            return address;
        }

        if (!ranges.Exists(r => r.Allows(address)))
        {
            var cidrs = string.Join(", ", ranges.Select(r => $"{r.Cidr} without {r.Gateway}"));
            throw new LeaseException($"address {address} is not one that pods of this node may have ({cidrs}): ask for another address");
        }

        return _restingUntil.TryGetValue((request.NetworkKey, address), out var until)
            ? throw new LeaseException(string.Create(CultureInfo.InvariantCulture, $"address {address} was released a moment ago and rests until {until:T} UTC"), isTransient: true)
            : address;
    }

    private IPAddress Choose(List<AddressRange> ranges, AddressFamily family, int network)
    {
        var cursor = _cursors.GetValueOrDefault((network, family));

        // The range of the last address comes first: the round robin walks through all ranges before it starts over.
        var start = Math.Max(ranges.FindIndex(r => cursor is not null && r.Contains(cursor)), 0);
        for (var i = 0; i <= ranges.Count; i++)
        {
            var range = ranges[(start + i) % ranges.Count];
            var taken = _holders.Count + _restingUntil.Count;
            var from = i == 0 ? cursor : null;
            if (range.NextFree(from, a => _holders.ContainsKey((network, a)) || _restingUntil.ContainsKey((network, a)), taken) is { } free)
            {
                return free;
            }
        }

        throw Exhausted(ranges, network);
    }

    private LeaseException Exhausted(List<AddressRange> ranges, int network)
    {
        bool In((int Network, IPAddress Address) place) => place.Network == network && ranges.Exists(r => r.Contains(place.Address));
        var resting = _restingUntil.Keys.Count(In);
        var capacity = ranges.Aggregate(UInt128.Zero, (sum, r) => sum + r.Capacity);
        var cidrs = string.Join(", ", ranges.Select(r => r.Cidr));
        return new LeaseException(
            $"no address is free in {cidrs}: {_holders.Keys.Count(In)} of {capacity} are in use, {resting} rest after release "
            + $"(at most {rest.TotalSeconds:0} s); delete pods or give the node a larger or second pod CIDR",
            isTransient: resting > 0);
    }

    private void ForgetRested(DateTimeOffset now)
    {
        foreach (var (place, until) in _restingUntil)
        {
            // The second condition: the clock jumped back by more than the whole rest.
            if (until <= now || until > now + rest)
            {
                _restingUntil.Remove(place);
            }
        }
    }

    private static IEnumerable<IPAddress> Parse(Lease lease) => lease.Addresses.Select(IPAddress.Parse);
}
