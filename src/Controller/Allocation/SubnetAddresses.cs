namespace Weft.Controller.Allocation;

/// <summary>The addresses of one subnet: who claims which, and which are free.</summary>
internal sealed class SubnetAddresses
{
    private readonly Dictionary<(UInt128 Number, bool IsV6), List<(AddressHolder Holder, AddressClaim Claim)>> _claims = [];
    private readonly Dictionary<(UInt128 Number, bool IsV6), DateTimeOffset> _resting = [];
    private readonly Dictionary<AddressRange, (UInt128 Next, long Term)> _cursors = [];

    /// <summary>What it gives; null: the subnet does not exist (yet).</summary>
    public SubnetPlan? Plan { get; set; }

    public void Add(AddressHolder holder, AddressClaim claim)
    {
        foreach (var at in Numbers(claim))
        {
            if (!_claims.TryGetValue(at, out var list))
            {
                _claims[at] = list = new(1);
            }

            list.Add((holder, claim));
            _resting.Remove(at);
            Pass(at.Number, at.IsV6, claim.Term);
        }
    }

    /// <summary>Removes a claim.</summary>
    /// <param name="holder">Whose.</param>
    /// <param name="claim">Which.</param>
    /// <param name="restUntil">Until when its addresses are not given to others.</param>
    public void Remove(AddressHolder holder, AddressClaim claim, DateTimeOffset restUntil)
    {
        foreach (var at in Numbers(claim))
        {
            if (!_claims.TryGetValue(at, out var list))
            {
                continue;
            }

            // Only one: what was given and what is stored may be the same claim.
            list.RemoveAt(list.FindIndex(c => c.Holder == holder && ReferenceEquals(c.Claim, claim)));
            if (list.Count == 0)
            {
                _claims.Remove(at);
                _resting[at] = restUntil;
            }
        }
    }

    /// <summary>Whether no other pod's claim to any of these addresses counts more.</summary>
    public bool IsHolder(AddressHolder holder, AddressClaim claim) => Plan is not null && Numbers(claim).All(at =>
        _claims.TryGetValue(at, out var list) && list.TrueForAll(c => c.Holder == holder || AddressHolder.CountsMore(holder, claim, c.Holder, c.Claim)));

    /// <summary>Whether these addresses are in the subnet and are the ones that are asked for.</summary>
    public bool Suits(AddressClaim claim, IReadOnlyList<string> wanted)
    {
        var numbers = Numbers(claim).ToList();
        return numbers.TrueForAll(at => Plan!.Ranges.Any(r => r.Contains(at.Number, at.IsV6)))
            && wanted.All(w => AddressRange.TryNumber(w, out var number, out var isV6) && numbers.Contains((number, isV6)));
    }

    /// <summary>Finds one address of each family.</summary>
    public (List<string>? Found, string? Refusal) Find(AddressHolder holder, IReadOnlyList<string> wanted, DateTimeOffset now)
    {
        var found = new List<string>(2);
        var families = new HashSet<bool>();
        foreach (var text in wanted)
        {
            if (!AddressRange.TryNumber(text, out var number, out var isV6))
            {
                return (null, $"'{text}' is no IP address");
            }

            if (!families.Add(isV6))
            {
                return (null, $"two {Family(isV6)} addresses are asked for; a pod has one of each family");
            }

            if (Refuse(holder, number, isV6) is { } refusal)
            {
                return (null, refusal);
            }

            found.Add(AddressRange.ToText(number, isV6));
        }

        foreach (var family in Plan!.Ranges.GroupBy(r => r.IsV6).Where(g => !families.Contains(g.Key)))
        {
            if (FindAny(family, now) is not { } number)
            {
                return (null, Exhausted(family.Key, now));
            }

            found.Add(AddressRange.ToText(number, family.Key));
        }

        return (found, null);
    }

    private string? Refuse(AddressHolder holder, UInt128 number, bool isV6)
    {
        var text = AddressRange.ToText(number, isV6);
        if (!Plan!.Ranges.Any(r => r.Hosts().Contains(number, isV6)))
        {
            return $"{text} is not an address that a pod can have in subnet {Plan.Id} ({string.Join(", ", Plan.Ranges.Select(r => r.Hosts()))})";
        }

        if (Plan.Excluded.Any(e => e.Contains(number, isV6)))
        {
            return $"{text} is not for pods of subnet {Plan.Id}: it is a gateway";
        }

        // A fixed address does not rest: a StatefulSet's pod comes back at once.
        var other = _claims.TryGetValue((number, isV6), out var list) ? list.Find(c => c.Holder != holder).Holder : null;
        return other is null ? null : $"{text} is in use by pod {other.Owner.Name} in subnet {Plan.Id}";
    }

    private UInt128? FindAny(IEnumerable<AddressRange> ranges, DateTimeOffset now)
    {
        foreach (var range in ranges)
        {
            var hosts = range.Hosts();
            var start = _cursors.TryGetValue(range, out var cursor) && hosts.Contains(cursor.Next, range.IsV6) ? cursor.Next : hosts.First;
            if ((FindBetween(start, hosts.Last, range.IsV6, now) ?? (start == hosts.First ? null : FindBetween(hosts.First, start - 1, range.IsV6, now))) is { } number)
            {
                return number;
            }
        }

        return null;
    }

    private UInt128? FindBetween(UInt128 first, UInt128 last, bool isV6, DateTimeOffset now)
    {
        for (var number = first; number <= last; number++)
        {
            var excluded = Plan!.Excluded.Concat(Plan.Kept ?? []).FirstOrDefault(e => e.Contains(number, isV6));
            if (excluded != default)
            {
                number = excluded.Last;
            }
            else if (!_claims.ContainsKey((number, isV6)) && !IsResting((number, isV6), now))
            {
                return number;
            }

            if (number == UInt128.MaxValue)
            {
                break;
            }
        }

        return null;
    }

    private bool IsResting((UInt128, bool) at, DateTimeOffset now)
    {
        if (!_resting.TryGetValue(at, out var until))
        {
            return false;
        }

        if (until > now)
        {
            return true;
        }

        _resting.Remove(at);
        return false;
    }

    private string Exhausted(bool isV6, DateTimeOffset now)
    {
        var resting = _resting.Count(r => r.Key.IsV6 == isV6 && r.Value > now);
        return $"subnet {Plan!.Id} has no free {Family(isV6)} address: {_claims.Keys.Count(k => k.IsV6 == isV6)} are in use"
            + (resting > 0 ? $", {resting} of pods that just ended become free within {AddressTable.Rest.TotalSeconds:0} s" : "")
            + "; delete pods, exclude less, or use a larger subnet";
    }

    /// <summary>Goes on searching behind an address, so that one that was given lately comes again as late as possible, also after a restart.</summary>
    private void Pass(UInt128 number, bool isV6, long term)
    {
        foreach (var range in Plan?.Ranges ?? [])
        {
            if (range.Contains(number, isV6) && number != UInt128.MaxValue)
            {
                var known = _cursors.GetValueOrDefault(range);
                if (term > known.Term || (term == known.Term && number >= known.Next))
                {
                    _cursors[range] = (number + 1, term);
                }
            }
        }
    }

    private static string Family(bool isV6) => isV6 ? "IPv6" : "IPv4";

    /// <summary>Claims hold addresses: that is checked where they are read.</summary>
    private static IEnumerable<(UInt128 Number, bool IsV6)> Numbers(AddressClaim claim) =>
        claim.Addresses.Select(text => AddressRange.TryNumber(text, out var number, out var isV6) ? (number, isV6) : throw new FormatException($"'{text}' is no address"));
}
