namespace Weft.Agent.Sync;

/// <summary>What must be sent so that the switch holds what is wanted.</summary>
/// <param name="Upserts">Entries that are missing or different.</param>
/// <param name="Deletes">Entries that nobody wants.</param>
public sealed record Difference<TKey, TValue>(IReadOnlyList<KeyValuePair<TKey, TValue>> Upserts, IReadOnlyList<KeyValuePair<TKey, TValue>> Deletes)
    where TKey : notnull
{
    /// <summary>True when there is nothing to send.</summary>
    public bool IsEmpty => Upserts.Count == 0 && Deletes.Count == 0;

    /// <summary>The number of changes.</summary>
    public int Count => Upserts.Count + Deletes.Count;
}

/// <summary>Follows what the switch holds, and compares it with what is wanted. Not thread-safe.</summary>
public sealed class InstalledEntries<TKey, TValue>(IEqualityComparer<TValue>? values = null)
    where TKey : notnull
{
    private readonly IEqualityComparer<TValue> _values = values ?? EqualityComparer<TValue>.Default;
    private Dictionary<TKey, TValue> _installed = [];

    /// <summary>The number of entries that the switch holds.</summary>
    public int Count => _installed.Count;

    /// <summary>Every entry that the switch holds.</summary>
    public IEnumerable<KeyValuePair<TKey, TValue>> All => _installed;

    /// <summary>The entry with this key, when the switch holds it.</summary>
    public bool TryGet(TKey key, out TValue? value) => _installed.TryGetValue(key, out value);

    /// <summary>Replaces all knowledge: the switch was read.</summary>
    public void Reload(IEnumerable<KeyValuePair<TKey, TValue>> dump)
    {
        _installed = [];
        foreach (var (key, value) in dump)
        {
            _installed[key] = value;
        }
    }

    /// <summary>Compares everything.</summary>
    public Difference<TKey, TValue> CompareAll(IEnumerable<KeyValuePair<TKey, TValue>> wanted)
    {
        var upserts = new List<KeyValuePair<TKey, TValue>>();
        var seen = new HashSet<TKey>();
        foreach (var entry in wanted)
        {
            seen.Add(entry.Key);
            if (!Holds(entry.Key, entry.Value))
            {
                upserts.Add(entry);
            }
        }

        return new Difference<TKey, TValue>(upserts, [.. _installed.Where(e => !seen.Contains(e.Key))]);
    }

    /// <summary>Compares some keys. The cost follows the number of keys.</summary>
    /// <param name="keys">The keys that may have changed.</param>
    /// <param name="wanted">The value that is wanted for a key; not found: it must go.</param>
    public Difference<TKey, TValue> Compare(IEnumerable<TKey> keys, TryGetValue wanted)
    {
        var upserts = new List<KeyValuePair<TKey, TValue>>();
        var deletes = new List<KeyValuePair<TKey, TValue>>();
        foreach (var key in keys)
        {
            if (wanted(key, out var value))
            {
                if (!Holds(key, value!))
                {
                    upserts.Add(KeyValuePair.Create(key, value!));
                }
            }
            else if (_installed.TryGetValue(key, out var old))
            {
                deletes.Add(KeyValuePair.Create(key, old));
            }
        }

        return new Difference<TKey, TValue>(upserts, deletes);
    }

    /// <summary>The switch confirmed the difference.</summary>
    public void Confirm(Difference<TKey, TValue> difference)
    {
        foreach (var (key, _) in difference.Deletes)
        {
            _installed.Remove(key);
        }

        foreach (var (key, value) in difference.Upserts)
        {
            _installed[key] = value;
        }
    }

    /// <summary>The switch says that an entry was changed or, with <paramref name="present"/> false, removed by somebody.</summary>
    public void Observe(TKey key, TValue value, bool present)
    {
        if (present)
        {
            _installed[key] = value;
        }
        else
        {
            _installed.Remove(key);
        }
    }

    private bool Holds(TKey key, TValue value) => _installed.TryGetValue(key, out var old) && _values.Equals(old, value);

    /// <summary>Looks a wanted value up.</summary>
    public delegate bool TryGetValue(TKey key, out TValue? value);
}
