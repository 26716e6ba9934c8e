namespace Weft.Incremental;

/// <summary>A set of references that is cheap while it is small: an array, and beyond 16 elements an index beside it.</summary>
/// <remarks>Add, remove and look-up cost the same whatever the size; enumeration is over a span, in no order. A mutable struct: keep it in a
/// field and never copy it. Not thread-safe.</remarks>
public struct SmallSet<T>
    where T : class
{
    private const int Scanned = 16;
    private T[]? _items;
    private Dictionary<T, int>? _index;

    /// <summary>The number of elements.</summary>
    public int Count { get; private set; }

    /// <summary>The elements. Valid until the next change.</summary>
    public readonly ReadOnlySpan<T> Items => _items.AsSpan(0, Count);

    /// <summary>Whether it holds <paramref name="item"/>.</summary>
    public readonly bool Contains(T item) => IndexOf(item) >= 0;

    /// <summary>Adds.</summary>
    /// <returns>False when it was there.</returns>
    public bool Add(T item)
    {
        if (IndexOf(item) >= 0)
        {
            return false;
        }

        if (_items is null || Count == _items.Length)
        {
            Array.Resize(ref _items, Math.Max(2, Count * 2));
        }

        _items[Count] = item;
        if (_index is not null)
        {
            _index[item] = Count;
        }
        else if (Count == Scanned)
        {
            _index = new Dictionary<T, int>(ReferenceEqualityComparer.Instance);
            for (var i = 0; i <= Count; i++)
            {
                _index[_items[i]] = i;
            }
        }

        Count++;
        return true;
    }

    /// <summary>Removes.</summary>
    /// <returns>False when it was not there.</returns>
    public bool Remove(T item)
    {
        var at = IndexOf(item);
        if (at < 0)
        {
            return false;
        }

        Count--;
        _index?.Remove(item);
        if (at < Count)
        {
            _items![at] = _items[Count];
            if (_index is not null)
            {
                _index[_items[at]] = at;
            }
        }

        _items![Count] = null!;
        return true;
    }

    private readonly int IndexOf(T item)
    {
        if (_index is not null)
        {
            return _index.TryGetValue(item, out var at) ? at : -1;
        }

        for (var i = 0; i < Count; i++)
        {
            if (ReferenceEquals(_items![i], item))
            {
                return i;
            }
        }

        return -1;
    }
}
