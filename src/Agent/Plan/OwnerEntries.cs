using System.Collections;

namespace Weft.Agent.Plan;

/// <summary>What one owner wants. A dictionary that is small when it holds little: nearly every owner, and there are tens of thousands, has one entry.</summary>
internal sealed class OwnerEntries<TKey, TValue> : IEnumerable<KeyValuePair<TKey, TValue>>
    where TKey : notnull
{
    // Up to here a search through an array is as fast.
    private const int MostInArray = 4;

    private KeyValuePair<TKey, TValue>[] _few = [];
    private Dictionary<TKey, TValue>? _many;

    /// <summary>The number of entries.</summary>
    public int Count => _many?.Count ?? _few.Length;

    /// <summary>The value for a key; throws when there is none.</summary>
    public TValue this[TKey key] => TryGet(key, out var value) ? value! : throw new KeyNotFoundException($"no entry {key}");

    /// <summary>Takes entries; of those with one key the last counts.</summary>
    public static OwnerEntries<TKey, TValue> Of(IEnumerable<KeyValuePair<TKey, TValue>> entries)
    {
        var result = new OwnerEntries<TKey, TValue>();
        foreach (var (key, value) in entries)
        {
            result.Set(key, value);
        }

        return result;
    }

    /// <summary>The value for a key.</summary>
    public bool TryGet(TKey key, out TValue? value)
    {
        if (_many is not null)
        {
            return _many.TryGetValue(key, out value);
        }

        var index = IndexOf(key);
        value = index < 0 ? default : _few[index].Value;
        return index >= 0;
    }

    /// <summary>Adds an entry, or gives it another value.</summary>
    public void Set(TKey key, TValue value)
    {
        if (_many is not null)
        {
            _many[key] = value;
        }
        else if (IndexOf(key) is >= 0 and var index)
        {
            _few[index] = KeyValuePair.Create(key, value);
        }
        else if (_few.Length < MostInArray)
        {
            _few = [.. _few, KeyValuePair.Create(key, value)];
        }
        else
        {
            _many = new Dictionary<TKey, TValue>(_few) { [key] = value };
            _few = [];
        }
    }

    /// <summary>Removes an entry.</summary>
    /// <returns>False when there was none.</returns>
    public bool Remove(TKey key)
    {
        if (_many is not null)
        {
            return _many.Remove(key);
        }

        var index = IndexOf(key);
        if (index < 0)
        {
            return false;
        }

        _few = [.. _few[..index], .. _few[(index + 1)..]];
        return true;
    }

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<TKey, TValue>> GetEnumerator() => (_many ?? (IEnumerable<KeyValuePair<TKey, TValue>>)_few).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private int IndexOf(TKey key) => Array.FindIndex(_few, e => EqualityComparer<TKey>.Default.Equals(e.Key, key));
}
