using System.Collections.Immutable;

namespace Weft.Ovsdb;

/// <summary>The followed rows of one table at one moment. Immutable; safe to read from any thread.</summary>
public sealed class TableSnapshot
{
    private readonly ImmutableArray<IndexSnapshot> _indexes;

    internal TableSnapshot(TableLayout layout, ImmutableDictionary<Guid, Row> rows, ImmutableArray<IndexSnapshot> indexes)
    {
        Layout = layout;
        Rows = rows;
        _indexes = indexes;
    }

    /// <summary>The table's name.</summary>
    public string Name => Layout.Name;

    /// <summary>The rows by identity.</summary>
    public ImmutableDictionary<Guid, Row> Rows { get; }

    internal TableLayout Layout { get; }

    internal static TableSnapshot Empty(TableLayout layout, IEnumerable<RowIndex> indexes) => new(
        layout, ImmutableDictionary<Guid, Row>.Empty,
        [.. indexes.Select(i => new IndexSnapshot(i, ImmutableDictionary<object, ImmutableArray<Guid>>.Empty))]);

    internal TableSnapshot Apply(IReadOnlyCollection<(Guid Uuid, Row? Old, Row? New)> changes)
    {
        var rows = Rows.ToBuilder();
        foreach (var (uuid, _, row) in changes)
        {
            if (row is null)
            {
                rows.Remove(uuid);
            }
            else
            {
                rows[uuid] = row;
            }
        }

        var pairs = changes.Select(c => (c.Old, c.New));
        return new TableSnapshot(Layout, rows.ToImmutable(), [.. _indexes.Select(i => i.Apply(pairs))]);
    }

    internal ImmutableArray<Guid> Find<TKey>(RowIndex<TKey> index, TKey key)
    {
        foreach (var candidate in _indexes)
        {
            if (ReferenceEquals(candidate.Index, index))
            {
                return candidate.Find(index.KeyOf(key));
            }
        }

        throw new InvalidOperationException($"the index over {index.Table}.{index.Description} is not in OvsdbClientOptions.Indexes");
    }
}
