using System.Collections.Immutable;
using System.Net;

namespace Weft.Agent.Names;

/// <summary>A name and one of its addresses.</summary>
public readonly record struct NameAddress(string Name, IPAddress Address);

/// <summary>How long an address is its name's.</summary>
/// <param name="IsLive">True until it expires: new connections may be opened. Afterwards, only connections that exist go on.</param>
/// <param name="Until">When it expires; when it has, when it is forgotten.</param>
public readonly record struct LearnedAddress(bool IsLive, DateTimeOffset Until);

/// <summary>What the pods of this node were told by name servers, each for itself: what one is told means nothing to others. Immutable.</summary>
/// <remarks>
/// Time passes by <see cref="Pass"/> only, so equal values give equal plans. At most <see cref="MostAddresses"/> addresses of a name and
/// <see cref="MostOfPort"/> of a pod; beyond, those go first that expire first.
/// </remarks>
public sealed record LearnedNames
{
    /// <summary>Addresses of one name of one pod; network-policy-api asks for 100.</summary>
    public const int MostAddresses = 256;

    /// <summary>Addresses of all names of one pod.</summary>
    public const int MostOfPort = 4096;

    /// <summary>How long connections go on after the address expired, at least.</summary>
    public static readonly TimeSpan Keep = TimeSpan.FromDays(7);

    private static readonly TimeSpan LongestLife = TimeSpan.FromDays(7);
    private static readonly ImmutableDictionary<NameAddress, LearnedAddress> None = ImmutableDictionary<NameAddress, LearnedAddress>.Empty;

    /// <summary>Nothing.</summary>
    public static readonly LearnedNames Empty = new();

    /// <summary>By <see cref="Facts.AttachedPort.Id"/>.</summary>
    public ImmutableDictionary<string, ImmutableDictionary<NameAddress, LearnedAddress>> ByPort { get; init; } =
        ImmutableDictionary<string, ImmutableDictionary<NameAddress, LearnedAddress>>.Empty;

    /// <summary>The number of live addresses of all pods.</summary>
    public int Live => ByPort.Values.Sum(p => p.Values.Count(a => a.IsLive));

    /// <summary>Whether both mean the same flows for a port: their lives may differ.</summary>
    public bool SameFlows(LearnedNames other, string port)
    {
        var (mine, theirs) = (ByPort.GetValueOrDefault(port, None), other.ByPort.GetValueOrDefault(port, None));
        return ReferenceEquals(mine, theirs) || (mine.Count == theirs.Count && mine.All(m => theirs.TryGetValue(m.Key, out var t) && t.IsLive == m.Value.IsLive));
    }

    /// <summary>What a pod was told.</summary>
    public IReadOnlyDictionary<NameAddress, LearnedAddress> Of(string port) => ByPort.GetValueOrDefault(port, None);

    /// <summary>Takes an answer.</summary>
    /// <param name="port">The pod's port.</param>
    /// <param name="answer">The answer.</param>
    /// <param name="now">The time.</param>
    /// <param name="least">The shortest life of an address, whatever the answer says.</param>
    public LearnedNames Learn(string port, DnsAnswer answer, DateTimeOffset now, TimeSpan least)
    {
        var known = ByPort.GetValueOrDefault(port, None).ToBuilder();
        foreach (var (address, seconds) in answer.Addresses)
        {
            var life = TimeSpan.FromSeconds(seconds);
            var until = now + (life < least ? least : life > LongestLife ? LongestLife : life);
            var key = new NameAddress(answer.Name, address);
            if (!known.TryGetValue(key, out var before) || !before.IsLive || before.Until < until)
            {
                known[key] = new LearnedAddress(true, until);
            }
        }

        Trim(known, known.Keys.Where(k => k.Name == answer.Name).ToList(), MostAddresses);
        Trim(known, [.. known.Keys], MostOfPort);
        return known.Count == 0 ? this : this with { ByPort = ByPort.SetItem(port, known.ToImmutable()) };
    }

    /// <summary>Lets addresses expire, and forgets those that connections were kept for long enough.</summary>
    /// <param name="now">The time.</param>
    public LearnedNames Pass(DateTimeOffset now)
    {
        var byPort = ByPort;
        foreach (var (port, known) in ByPort.Where(p => p.Value.Values.Any(a => a.Until <= now)))
        {
            var next = known.ToBuilder();
            foreach (var (key, address) in known.Where(a => a.Value.Until <= now))
            {
                if (address.IsLive && address.Until + Keep > now)
                {
                    next[key] = new LearnedAddress(false, address.Until + Keep);
                }
                else
                {
                    next.Remove(key);
                }
            }

            byPort = next.Count == 0 ? byPort.Remove(port) : byPort.SetItem(port, next.ToImmutable());
        }

        return ReferenceEquals(byPort, ByPort) ? this : this with { ByPort = byPort };
    }

    /// <summary>Forgets what a port was told: its pod is gone.</summary>
    public LearnedNames Without(string port) => ByPort.ContainsKey(port) ? this with { ByPort = ByPort.Remove(port) } : this;

    private static void Trim(ImmutableDictionary<NameAddress, LearnedAddress>.Builder known, List<NameAddress> keys, int most)
    {
        if (keys.Count > most)
        {
            // Expired ones first.
            known.RemoveRange(keys.OrderBy(k => known[k].IsLive).ThenBy(k => known[k].Until).ThenBy(k => k.Name, StringComparer.Ordinal)
                .ThenBy(k => k.Address.ToString(), StringComparer.Ordinal).Take(keys.Count - most).ToList());
        }
    }
}
