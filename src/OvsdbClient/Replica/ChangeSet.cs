using System.Collections.Immutable;

namespace Weft.Ovsdb;

/// <summary>What one message of the server changed: whole transactions, never a part of one.</summary>
public sealed class ChangeSet
{
    internal ChangeSet(DatabaseSnapshot? before, DatabaseSnapshot after, ImmutableArray<RowChange> changes, bool isSnapshot, int merged = 1)
    {
        Before = before;
        After = after;
        Changes = changes;
        IsSnapshot = isSnapshot;
        MergedCount = merged;
    }

    /// <summary>The database before; null in the first set of a client.</summary>
    public DatabaseSnapshot? Before { get; }

    /// <summary>The database after.</summary>
    public DatabaseSnapshot After { get; }

    /// <summary>The rows that differ between both, each once.</summary>
    public ImmutableArray<RowChange> Changes { get; }

    /// <summary>True when the server sent its whole contents (first connection, or a reconnect without usable history).
    /// <see cref="Changes"/> is still only what differs from <see cref="Before"/>.</summary>
    public bool IsSnapshot { get; }

    /// <summary>How many sets this one stands for: more than 1 after its reader fell behind.</summary>
    public int MergedCount { get; }

    /// <summary>The changes of one table.</summary>
    public IEnumerable<RowChange<TTable>> Of<TTable>()
        where TTable : Table<TTable>, ITable =>
        Changes.Where(c => c.Table == TTable.TableName).Select(c => new RowChange<TTable>(c));

    /// <summary>This set and the next one as one: rows that end as they began are left out.</summary>
    internal ChangeSet Then(ChangeSet next)
    {
        var merged = new Dictionary<(string, Guid), (Row? Old, Row? New)>();
        foreach (var change in Changes)
        {
            merged[(change.Table, change.Uuid)] = (change.Old, change.New);
        }

        foreach (var change in next.Changes)
        {
            var key = (change.Table, change.Uuid);
            var old = merged.TryGetValue(key, out var first) ? first.Old : change.Old;
            if (old is null && change.New is null)
            {
                merged.Remove(key);
            }
            else
            {
                merged[key] = (old, change.New);
            }
        }

        return new ChangeSet(
            Before, next.After, [.. merged.Select(m => new RowChange(m.Key.Item2, m.Value.Old, m.Value.New))],
            IsSnapshot || next.IsSnapshot, MergedCount + next.MergedCount);
    }
}
