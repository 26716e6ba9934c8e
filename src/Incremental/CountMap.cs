namespace Weft.Incremental;

/// <summary>Counts how many reasons there are for each element (owners of a shared thing, pods of a node). Zero means: not there.</summary>
/// <remarks>Cheap while small, as <see cref="SmallSet{T}"/>. A mutable struct: keep it in a field and never copy it. Not thread-safe.</remarks>
public struct CountMap<T>
    where T : class
{
    private const int Scanned = 16;
    private T[]? _items;
    private int[]? _counts;
    private Dictionary<T, int>? _index;

    /// <summary>The number of elements that have a reason.</summary>
    public int Count { get; private set; }

    /// <summary>The elements that have a reason, in no order. Valid until the next change.</summary>
    public readonly ReadOnlySpan<T> Items => _items.AsSpan(0, Count);

    /// <summary>How many reasons there are.</summary>
    public readonly int this[T item] => IndexOf(item) is >= 0 and var at ? _counts![at] : 0;

    /// <summary>Whether there is a reason.</summary>
    public readonly bool Contains(T item) => IndexOf(item) >= 0;

    /// <summary>Adds a reason.</summary>
    /// <returns>How many there are now; 1: the element is new.</returns>
    public int Increment(T item)
    {
        var at = IndexOf(item);
        if (at >= 0)
        {
            return ++_counts![at];
        }

        if (_items is null || Count == _items.Length)
        {
            Array.Resize(ref _items, Math.Max(2, Count * 2));
            Array.Resize(ref _counts, _items.Length);
        }

        (_items[Count], _counts![Count]) = (item, 1);
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
        return 1;
    }

    /// <summary>Takes a reason away. There must be one.</summary>
    /// <returns>How many are left; 0: the element is gone.</returns>
    /// <exception cref="InvalidOperationException">There was none: additions and removals are not symmetric.</exception>
    public int Decrement(T item)
    {
        var at = IndexOf(item);
        if (at < 0)
        {
            throw new InvalidOperationException($"{item} has no reason left to take away");
        }

        var left = --_counts![at];
        if (left > 0)
        {
            return left;
        }

        Count--;
        _index?.Remove(item);
        if (at < Count)
        {
            (_items![at], _counts[at]) = (_items[Count], _counts[Count]);
            if (_index is not null)
            {
                _index[_items[at]] = at;
            }
        }

        _items![Count] = null!;
        return 0;
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
