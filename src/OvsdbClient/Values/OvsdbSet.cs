using System.Collections;
using System.Runtime.CompilerServices;

namespace Weft.Ovsdb;

/// <summary>An immutable set of atoms, kept sorted. Two sets with the same members are equal.</summary>
/// <typeparam name="T"><see cref="long"/>, <see cref="double"/>, <see cref="bool"/>, <see cref="string"/> or <see cref="Guid"/>.</typeparam>
/// <remarks>Written as a collection expression, <c>["a", "b"]</c>; repeated members count once. Safe to read from any thread.</remarks>
[CollectionBuilder(typeof(OvsdbSet), nameof(OvsdbSet.Create))]
public sealed class OvsdbSet<T> : IReadOnlyList<T>, IEquatable<OvsdbSet<T>>, IOvsdbSet
    where T : notnull
{
    /// <summary>The set without members.</summary>
    public static readonly OvsdbSet<T> Empty = new([]);

    private readonly T[] _items;

    /// <param name="sorted">Sorted and without repetitions; not copied.</param>
    internal OvsdbSet(T[] sorted) => _items = sorted;

    /// <summary>The number of members.</summary>
    public int Count => _items.Length;

    /// <summary>The member at a position of the sorted order.</summary>
    public T this[int index] => _items[index];

    AtomType IOvsdbSet.Type => Atom.TypeOf<T>();

    IEnumerable<object> IOvsdbSet.Atoms => _items.Select(i => Atom.BoxAny(i));

    /// <summary>True when <paramref name="item"/> is a member. Logarithmic.</summary>
    public bool Contains(T item) => Array.BinarySearch(_items, item, AtomComparer<T>.Instance) >= 0;

    /// <summary>A set with these members too.</summary>
    public OvsdbSet<T> Union(IEnumerable<T> items) => OvsdbSet.From(_items.Concat(items));

    /// <summary>A set without these members.</summary>
    public OvsdbSet<T> Except(IEnumerable<T> items) => OvsdbSet.From(Enumerable.Except(_items, items));

    /// <inheritdoc/>
    public bool Equals(OvsdbSet<T>? other) => other is not null && _items.AsSpan().SequenceEqual(other._items);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as OvsdbSet<T>);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = default(HashCode);
        foreach (var item in _items)
        {
            hash.Add(item);
        }

        return hash.ToHashCode();
    }

    /// <inheritdoc/>
    public IEnumerator<T> GetEnumerator() => ((IEnumerable<T>)_items).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => _items.GetEnumerator();

    /// <summary>The members in brackets, as <c>ovs-vsctl get</c> prints them.</summary>
    public override string ToString() => $"[{string.Join(", ", _items.Select(i => Atom.Text(i)))}]";

    /// <summary>The rule of update2: what is in exactly one of both sets (ovsdb-server(7) 4.1.14).</summary>
    internal OvsdbSet<T> SymmetricDifference(OvsdbSet<T> difference)
    {
        var result = new List<T>(_items.Length + difference._items.Length);
        int i = 0, j = 0;
        while (i < _items.Length && j < difference._items.Length)
        {
            switch (Atom.Compare(_items[i], difference._items[j]))
            {
                case < 0: result.Add(_items[i++]); break;
                case > 0: result.Add(difference._items[j++]); break;
                default: i++; j++; break;
            }
        }

        result.AddRange(_items.AsSpan(i));
        result.AddRange(difference._items.AsSpan(j));
        return new OvsdbSet<T>([.. result]);
    }
}

/// <summary>Makes sets.</summary>
public static class OvsdbSet
{
    /// <summary>A set of <paramref name="items"/>, sorted here; repeated members count once.</summary>
    public static OvsdbSet<T> Create<T>(ReadOnlySpan<T> items)
        where T : notnull => Sort(items.ToArray());

    /// <inheritdoc cref="Create{T}(ReadOnlySpan{T})"/>
    public static OvsdbSet<T> From<T>(IEnumerable<T> items)
        where T : notnull => Sort([.. items]);

    /// <summary>Takes over <paramref name="items"/> and sorts it in place.</summary>
    internal static OvsdbSet<T> Sort<T>(T[] items)
        where T : notnull
    {
        if (items.Length == 0)
        {
            return OvsdbSet<T>.Empty;
        }

        Array.Sort(items, AtomComparer<T>.Instance);
        var kept = 1;
        for (var i = 1; i < items.Length; i++)
        {
            if (Atom.Compare(items[i], items[kept - 1]) != 0)
            {
                items[kept++] = items[i];
            }
        }

        return new OvsdbSet<T>(kept == items.Length ? items : items[..kept]);
    }
}
