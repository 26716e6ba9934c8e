using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace Weft.Ovsdb;

/// <summary>An immutable map between atoms, kept sorted by key. Two maps with the same pairs are equal.</summary>
/// <typeparam name="TKey">The keys' type: <see cref="long"/>, <see cref="double"/>, <see cref="bool"/>, <see cref="string"/> or <see cref="Guid"/>.</typeparam>
/// <typeparam name="TValue">The values' type, one of the same five.</typeparam>
/// <remarks>Safe to read from any thread. Lookups are logarithmic.</remarks>
public sealed class OvsdbMap<TKey, TValue> : IReadOnlyDictionary<TKey, TValue>, IEquatable<OvsdbMap<TKey, TValue>>, IOvsdbMap
    where TKey : notnull
    where TValue : notnull
{
    /// <summary>The map without pairs.</summary>
    public static readonly OvsdbMap<TKey, TValue> Empty = new([], []);

    private readonly TKey[] _keys;
    private readonly TValue[] _values;

    /// <param name="keys">Sorted and without repetitions; not copied.</param>
    /// <param name="values">As many as keys; not copied.</param>
    internal OvsdbMap(TKey[] keys, TValue[] values)
    {
        _keys = keys;
        _values = values;
    }

    /// <summary>The number of pairs.</summary>
    public int Count => _keys.Length;

    /// <summary>The keys in their order.</summary>
    public IEnumerable<TKey> Keys => _keys;

    /// <summary>The values in the order of their keys.</summary>
    public IEnumerable<TValue> Values => _values;

    AtomType IOvsdbMap.KeyType => Atom.TypeOf<TKey>();

    AtomType IOvsdbMap.ValueType => Atom.TypeOf<TValue>();

    IEnumerable<KeyValuePair<object, object>> IOvsdbMap.Atoms =>
        this.Select(p => KeyValuePair.Create(Atom.BoxAny(p.Key), Atom.BoxAny(p.Value)));

    /// <summary>The value of a key.</summary>
    /// <exception cref="KeyNotFoundException">There is no such key.</exception>
    public TValue this[TKey key] =>
        TryGetValue(key, out var value) ? value : throw new KeyNotFoundException($"the map has no key \"{key}\"; it has {this}");

    /// <inheritdoc/>
    public bool ContainsKey(TKey key) => IndexOf(key) >= 0;

    /// <inheritdoc/>
    public bool TryGetValue(TKey key, [MaybeNullWhen(false)] out TValue value)
    {
        var index = IndexOf(key);
        value = index < 0 ? default : _values[index];
        return index >= 0;
    }

    /// <summary>The map with this pair; an existing key gets the new value.</summary>
    public OvsdbMap<TKey, TValue> With(TKey key, TValue value) => OvsdbMap.From([.. this, KeyValuePair.Create(key, value)]);

    /// <summary>The map without this key.</summary>
    public OvsdbMap<TKey, TValue> Without(TKey key) => OvsdbMap.From(this.Where(p => Atom.Compare(p.Key, key) != 0));

    /// <inheritdoc/>
    public bool Equals(OvsdbMap<TKey, TValue>? other) =>
        other is not null && _keys.AsSpan().SequenceEqual(other._keys) && _values.AsSpan().SequenceEqual(other._values);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as OvsdbMap<TKey, TValue>);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        for (var i = 0; i < _keys.Length; i++)
        {
            hash.Add(_keys[i]);
            hash.Add(_values[i]);
        }

        return hash.ToHashCode();
    }

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<TKey, TValue>> GetEnumerator()
    {
        for (var i = 0; i < _keys.Length; i++)
        {
            yield return KeyValuePair.Create(_keys[i], _values[i]);
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>The pairs in braces, as <c>ovs-vsctl get</c> prints them.</summary>
    public override string ToString() => $"{{{string.Join(", ", this.Select(p => $"{Atom.Text(p.Key)}={Atom.Text(p.Value)}"))}}}";

    /// <summary>The rule of update2 (ovsdb-server(7) 4.1.14): a pair that is here disappears, another value replaces, a new key is added.</summary>
    internal OvsdbMap<TKey, TValue> ApplyDifference(OvsdbMap<TKey, TValue> difference)
    {
        var keys = new List<TKey>(_keys.Length + difference.Count);
        var values = new List<TValue>(_keys.Length + difference.Count);
        int i = 0, j = 0;
        while (i < _keys.Length || j < difference.Count)
        {
            var order = i == _keys.Length ? 1 : j == difference.Count ? -1 : Atom.Compare(_keys[i], difference._keys[j]);
            if (order < 0)
            {
                keys.Add(_keys[i]);
                values.Add(_values[i++]);
                continue;
            }

            if (order > 0 || !EqualityComparer<TValue>.Default.Equals(_values[i], difference._values[j]))
            {
                keys.Add(difference._keys[j]);
                values.Add(difference._values[j]);
            }

            j++;
            i += order == 0 ? 1 : 0;
        }

        return new OvsdbMap<TKey, TValue>([.. keys], [.. values]);
    }

    internal TKey KeyAt(int index) => _keys[index];

    private int IndexOf(TKey key) => Array.BinarySearch(_keys, key, AtomComparer<TKey>.Instance);
}

/// <summary>Makes maps.</summary>
public static class OvsdbMap
{
    /// <summary>A map of <paramref name="pairs"/>; of a repeated key the last value counts.</summary>
    public static OvsdbMap<TKey, TValue> From<TKey, TValue>(IEnumerable<KeyValuePair<TKey, TValue>> pairs)
        where TKey : notnull
        where TValue : notnull
    {
        var last = new Dictionary<TKey, TValue>();
        foreach (var (key, value) in pairs)
        {
            last[key] = value;
        }

        var keys = last.Keys.ToArray();
        return Sort(keys, Array.ConvertAll(keys, k => last[k]));
    }

    /// <summary>A map of text, the type of <c>external_ids</c>, <c>other_config</c> and <c>options</c>.</summary>
    public static OvsdbMap<string, string> Of(params ReadOnlySpan<(string Key, string Value)> pairs)
    {
        var list = new List<KeyValuePair<string, string>>(pairs.Length);
        foreach (var (key, value) in pairs)
        {
            list.Add(KeyValuePair.Create(key, value));
        }

        return From(list);
    }

    /// <summary>Takes over both arrays and sorts them in place. Keys must not repeat.</summary>
    internal static OvsdbMap<TKey, TValue> Sort<TKey, TValue>(TKey[] keys, TValue[] values)
        where TKey : notnull
        where TValue : notnull
    {
        if (keys.Length == 0)
        {
            return OvsdbMap<TKey, TValue>.Empty;
        }

        Array.Sort(keys, values, AtomComparer<TKey>.Instance);
        return new OvsdbMap<TKey, TValue>(keys, values);
    }
}
