namespace Weft.Controller.Allocation;

/// <summary>Decides who gets which key. Pure: what is stored in, what is to be stored and an assignment out.</summary>
/// <param name="first">The lowest key that may be given.</param>
/// <param name="last">The highest.</param>
/// <param name="rest">How long a key of an owner that is gone is not given again, at least.</param>
internal sealed class KeyLedger(int first, int last, TimeSpan rest)
{
    /// <summary>Characters that the ledger may hold: a Kubernetes object ends at 1 MiB.</summary>
    public const int Capacity = 900_000;

    // "16777215":"", and a little.
    private const int EntryOverhead = 16;

    /// <summary>Brings the ledger in line with the owners that exist.</summary>
    /// <param name="keys">What is stored; changed in place.</param>
    /// <param name="owners">All owners that exist.</param>
    /// <param name="mayStillBeUsed">Whether a node may still hold flows with the key.</param>
    /// <param name="now">The time.</param>
    public KeyAssignment Reconcile(StoredKeys keys, IReadOnlyCollection<NetworkOwner> owners, Func<int, bool> mayStillBeUsed, DateTimeOffset now)
    {
        var wanted = owners.DistinctBy(o => o.Uid).ToDictionary(o => o.Uid, StringComparer.Ordinal);
        var given = Settle(keys, wanted, mayStillBeUsed, now);
        var refused = new Dictionary<string, string>(StringComparer.Ordinal);
        var missing = wanted.Values.Where(o => !given.ContainsKey(o.Uid)).ToList();
        missing.RemoveAll(owner => Readopt(keys, owner, given));
        var size = keys.Entries.Values.Sum(Size);
        foreach (var owner in missing)
        {
            if (size + Size(KeyEntry.For(owner)) > Capacity)
            {
                refused[owner.Uid] = $"the ledger of network keys is full with {keys.Entries.Count} networks: delete networks that are not needed";
            }
            else if (FindFree(keys) is { } key)
            {
                keys.Set(key, KeyEntry.For(owner));
                keys.Next = key + 1;
                size += Size(keys.Entries[key]);
                given[owner.Uid] = key;
            }
            else
            {
                refused[owner.Uid] = $"no network key is free: all of {first} to {last} are in use, or may be on a node that has not reported since; delete networks that are not needed, and nodes that are gone";
            }
        }

        return new KeyAssignment(given, refused);
    }

    /// <summary>Lets keys of owners that are gone rest, and go when they rested.</summary>
    private Dictionary<string, int> Settle(StoredKeys keys, Dictionary<string, NetworkOwner> wanted, Func<int, bool> mayStillBeUsed, DateTimeOffset now)
    {
        var given = new Dictionary<string, int>(wanted.Count, StringComparer.Ordinal);
        foreach (var (key, entry) in keys.Entries.OrderBy(e => e.Key).ToList())
        {
            // Only a person can have given an owner two entries; the lower one counts then.
            if (wanted.ContainsKey(entry.Uid) && given.TryAdd(entry.Uid, key))
            {
                if (entry.RestingSince is not null)
                {
                    keys.Set(key, entry with { RestingSince = null });
                }
            }
            else if (entry.RestingSince is null)
            {
                keys.Set(key, entry with { RestingSince = now });
            }
            else if (now - entry.RestingSince >= rest && !mayStillBeUsed(key))
            {
                keys.Remove(key);
            }
        }

        return given;
    }

    /// <summary>Gives an owner back what its own status says it has: somebody deleted the ledger.</summary>
    private bool Readopt(StoredKeys keys, NetworkOwner owner, Dictionary<string, int> given)
    {
        if (owner.KnownKey is not { } key || key < first || key > last || !keys.IsFree(key))
        {
            return false;
        }

        // With the ledger the resting keys were lost: new ones come from above all that are known.
        keys.Set(key, KeyEntry.For(owner));
        keys.Next = Math.Max(keys.Next, key + 1);
        given[owner.Uid] = key;
        return true;
    }

    private int? FindFree(StoredKeys keys)
    {
        var count = last - first + 1;
        var start = keys.Next < first || keys.Next > last ? first : keys.Next;
        for (var i = 0; i < count; i++)
        {
            var key = first + ((start - first + i) % count);
            if (keys.IsFree(key))
            {
                return key;
            }
        }

        return null;
    }

    private static int Size(KeyEntry entry) => entry.ToString().Length + EntryOverhead;
}
