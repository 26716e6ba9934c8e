namespace Weft.Agent.Plan;

/// <summary>Entries (flows, groups) by key, each wanted by one or more owners. An entry exists while an owner wants it.</summary>
/// <remarks>
/// Two owners may want the same entry; neither takes it from the other. When they want different values for one key, the owner
/// that sorts first wins, whatever the order of calls, and <see cref="Conflicts"/> counts it. Not thread-safe.
/// </remarks>
public sealed class OwnedEntries<TKey, TValue>(IEqualityComparer<TValue>? values = null)
    where TKey : notnull
{
    private readonly IEqualityComparer<TValue> _values = values ?? EqualityComparer<TValue>.Default;
    private readonly Dictionary<string, OwnerEntries<TKey, TValue>> _byOwner = new(StringComparer.Ordinal);
    private readonly Dictionary<TKey, Entry> _entries = [];
    private HashSet<TKey> _changed = [];

    /// <summary>The number of entries.</summary>
    public int Count => _entries.Count;

    /// <summary>Keys for which owners disagree now.</summary>
    public int Conflicts => _entries.Values.Count(e => e.Disputed);

    /// <summary>Owners that have entries.</summary>
    public IReadOnlyCollection<string> Owners => _byOwner.Keys;

    /// <summary>Every entry with the value that counts.</summary>
    public IEnumerable<KeyValuePair<TKey, TValue>> All => _entries.Select(e => KeyValuePair.Create(e.Key, e.Value.Value));

    /// <summary>The value for a key.</summary>
    public bool TryGet(TKey key, out TValue? value)
    {
        var found = _entries.TryGetValue(key, out var entry);
        value = found ? entry!.Value : default;
        return found;
    }

    /// <summary>The owner whose value counts, or null.</summary>
    public string? OwnerOf(TKey key) => _entries.GetValueOrDefault(key)?.Owner;

    /// <summary>Replaces everything that <paramref name="owner"/> wants. Repeated keys: the last counts.</summary>
    public void Replace(string owner, IEnumerable<KeyValuePair<TKey, TValue>> entries)
    {
        var next = OwnerEntries<TKey, TValue>.Of(entries);
        var before = _byOwner.GetValueOrDefault(owner);
        if (next.Count == 0)
        {
            _byOwner.Remove(owner);
        }
        else
        {
            _byOwner[owner] = next;
        }

        foreach (var (key, value) in next)
        {
            if (before is null || !before.TryGet(key, out var old) || !_values.Equals(old, value))
            {
                Want(owner, key, value);
            }
        }

        foreach (var (key, _) in before?.Where(e => !next.TryGet(e.Key, out _)) ?? [])
        {
            Unwant(owner, key);
        }
    }

    /// <summary>Makes an owner want one more entry, or another value for it.</summary>
    public void Set(string owner, TKey key, TValue value)
    {
        if (!_byOwner.TryGetValue(owner, out var entries))
        {
            _byOwner[owner] = entries = new OwnerEntries<TKey, TValue>();
        }

        if (!entries.TryGet(key, out var old) || !_values.Equals(old, value))
        {
            entries.Set(key, value);
            Want(owner, key, value);
        }
    }

    /// <summary>Makes an owner want one entry less. Unknown entries are no error.</summary>
    public void Unset(string owner, TKey key)
    {
        if (!_byOwner.TryGetValue(owner, out var entries) || !entries.Remove(key))
        {
            return;
        }

        if (entries.Count == 0)
        {
            _byOwner.Remove(owner);
        }

        Unwant(owner, key);
    }

    /// <summary>Keys whose value may have changed since the last call.</summary>
    public HashSet<TKey> TakeChanged()
    {
        var changed = _changed;
        _changed = [];
        return changed;
    }

    private void Want(string owner, TKey key, TValue value)
    {
        if (!_entries.TryGetValue(key, out var entry))
        {
            _entries[key] = new Entry(owner, value);
            _changed.Add(key);
            return;
        }

        if (entry.Owner != owner)
        {
            (entry.Others ??= new SortedSet<string>(StringComparer.Ordinal)).Add(owner);
        }

        Choose(key, entry);
    }

    private void Unwant(string owner, TKey key)
    {
        var entry = _entries[key];
        if (entry.Others?.Remove(owner) != true)
        {
            if (entry.Others is not { Count: > 0 } others)
            {
                _entries.Remove(key);
                _changed.Add(key);
                return;
            }

            entry.Owner = others.Min!;
            others.Remove(entry.Owner);
        }

        Choose(key, entry);
    }

    private void Choose(TKey key, Entry entry)
    {
        if (entry.Others is { Count: > 0 } others && string.CompareOrdinal(others.Min, entry.Owner) < 0)
        {
            others.Add(entry.Owner);
            entry.Owner = others.Min!;
            others.Remove(entry.Owner);
        }

        var value = _byOwner[entry.Owner][key];
        entry.Disputed = entry.Others is not null && entry.Others.Any(o => !_values.Equals(_byOwner[o][key], value));
        if (!_values.Equals(entry.Value, value))
        {
            entry.Value = value;
            _changed.Add(key);
        }
    }

    private sealed class Entry(string owner, TValue value)
    {
        public string Owner { get; set; } = owner;

        public TValue Value { get; set; } = value;

        public bool Disputed { get; set; }

        // Most entries have one owner: no set until there is a second.
        public SortedSet<string>? Others { get; set; }
    }
}
