using System.Collections.Immutable;

namespace Weft.Ovsdb;

/// <summary>The contents of an index at one moment.</summary>
internal sealed class IndexSnapshot(RowIndex index, ImmutableDictionary<object, ImmutableArray<Guid>> rows)
{
    public RowIndex Index => index;

    public ImmutableArray<Guid> Find(object key) => rows.TryGetValue(key, out var found) ? found : [];

    /// <summary>The index after changes of rows.</summary>
    public IndexSnapshot Apply(IEnumerable<(Row? Old, Row? New)> changes)
    {
        var builder = rows.ToBuilder();
        foreach (var (before, after) in changes)
        {
            if (before is not null)
            {
                Remove(builder, before);
            }

            if (after is not null)
            {
                foreach (var key in index.KeysOf(after))
                {
                    builder[key] = builder.TryGetValue(key, out var present) ? present.Add(after.Uuid) : [after.Uuid];
                }
            }
        }

        return new IndexSnapshot(index, builder.ToImmutable());
    }

    private void Remove(ImmutableDictionary<object, ImmutableArray<Guid>>.Builder builder, Row row)
    {
        foreach (var key in index.KeysOf(row))
        {
            if (!builder.TryGetValue(key, out var present))
            {
                continue;
            }

            var rest = present.Remove(row.Uuid);
            if (rest.IsEmpty)
            {
                builder.Remove(key);
            }
            else
            {
                builder[key] = rest;
            }
        }
    }
}
