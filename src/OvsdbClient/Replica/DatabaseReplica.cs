using System.Collections.Immutable;
using System.Runtime.CompilerServices;

namespace Weft.Ovsdb;

/// <summary>An in-memory copy of the followed tables. Readers never see part of a transaction.</summary>
/// <remarks>
/// <see cref="Current"/> is an immutable snapshot that any thread may read without locks. Changes arrive in order; after a reconnect
/// the copy is continued, or replaced in one step (<see cref="ChangeSet.IsSnapshot"/>). While disconnected, the last snapshot stays.
/// </remarks>
public sealed class DatabaseReplica
{
    private readonly Lock _lock = new();
    private readonly List<ChangeSubscription> _subscriptions = [];
    private readonly ImmutableArray<RowIndex> _indexes;
    private DatabaseSnapshot? _current;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool _completed;

    internal DatabaseReplica(IEnumerable<RowIndex> indexes) => _indexes = [.. indexes];

    /// <summary>The newest snapshot; null until the first one came.</summary>
    public DatabaseSnapshot? Current => Volatile.Read(ref _current);

    /// <summary>All changes in order: first one set with everything that is there now, if anything is, then each as it comes.</summary>
    /// <remarks>Ends when the client is disposed. A reader that falls <paramref name="capacity"/> sets behind gets several as one
    /// (<see cref="ChangeSet.MergedCount"/>), never a gap.</remarks>
    /// <param name="capacity">How many sets may wait. 1024.</param>
    /// <param name="cancellationToken">Ends the enumeration.</param>
    public async IAsyncEnumerable<ChangeSet> ChangesAsync(
        int capacity = 1024, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        var subscription = new ChangeSubscription(capacity);
        lock (_lock)
        {
            if (_current is { } current)
            {
                subscription.Add(new ChangeSet(
                    null, current, [.. current.Tables.Values.SelectMany(t => t.Rows.Values).Select(r => new RowChange(r.Uuid, null, r))], isSnapshot: true));
            }

            if (_completed)
            {
                subscription.Complete();
            }

            _subscriptions.Add(subscription);
        }

        try
        {
            while (await subscription.TakeAsync(cancellationToken).ConfigureAwait(false) is { } set)
            {
                yield return set;
            }
        }
        finally
        {
            lock (_lock)
            {
                _subscriptions.Remove(subscription);
            }
        }
    }

    /// <summary>Waits until the copy is as wanted, and returns that snapshot.</summary>
    /// <exception cref="ObjectDisposedException">The client was disposed first.</exception>
    public async Task<DatabaseSnapshot> WaitForAsync(Func<DatabaseSnapshot, bool> condition, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            Task changed;
            DatabaseSnapshot? current;
            lock (_lock)
            {
                current = _current;
                changed = _changed.Task;
                ObjectDisposedException.ThrowIf(_completed, this);
            }

            if (current is not null && condition(current))
            {
                return current;
            }

            await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Applies one message. Only the reading thread of the one live connection calls it.</summary>
    internal void Apply(MonitorPlan plan, Dictionary<TableLayout, List<(Guid Uuid, Row? Old, Row? New)>> changes, Guid transaction)
    {
        var before = _current!;
        var tables = before.Tables;
        var list = ImmutableArray.CreateBuilder<RowChange>();
        foreach (var (layout, rows) in changes)
        {
            tables = tables.SetItem(layout.Name, tables[layout.Name].Apply(rows));
            foreach (var (uuid, old, row) in rows)
            {
                list.Add(new RowChange(uuid, old, row));
            }
        }

        var after = new DatabaseSnapshot(plan.Schema, tables, plan.Differences, transaction, before.Version + 1);
        Publish(new ChangeSet(before, after, list.ToImmutable(), isSnapshot: false));
    }

    /// <summary>Replaces everything by the server's contents, in one step.</summary>
    internal void Replace(MonitorPlan plan, Dictionary<TableLayout, List<(Guid Uuid, Row? Old, Row? New)>> contents, Guid transaction)
    {
        var before = _current;
        var tables = ImmutableDictionary.CreateBuilder<string, TableSnapshot>(StringComparer.Ordinal);
        var list = ImmutableArray.CreateBuilder<RowChange>();
        foreach (var layout in plan.Layouts.Values)
        {
            var old = before is not null && before.Tables.TryGetValue(layout.Name, out var table) ? table.Rows : ImmutableDictionary<Guid, Row>.Empty;
            var rows = contents.TryGetValue(layout, out var found) ? found : [];
            var seen = new HashSet<Guid>();
            for (var i = 0; i < rows.Count; i++)
            {
                var (uuid, _, row) = rows[i];
                seen.Add(uuid);
                var previous = old.GetValueOrDefault(uuid);
                if (previous is not null && ReferenceEquals(previous.Layout, layout) && previous.HasSameValues(row!))
                {
                    // Readers that compare by reference see that nothing happened to this row.
                    rows[i] = (uuid, null, previous);
                }
                else if (previous is null || !previous.HasSameValues(row!))
                {
                    list.Add(new RowChange(uuid, previous, row));
                }
            }

            list.AddRange(old.Values.Where(r => !seen.Contains(r.Uuid)).Select(r => new RowChange(r.Uuid, r, null)));
            tables[layout.Name] = TableSnapshot.Empty(layout, _indexes.Where(i => i.Table == layout.Name)).Apply(rows);
        }

        foreach (var gone in before?.Tables.Values.Where(t => !plan.Layouts.ContainsKey(t.Name)) ?? [])
        {
            list.AddRange(gone.Rows.Values.Select(r => new RowChange(r.Uuid, r, null)));
        }

        var after = new DatabaseSnapshot(plan.Schema, tables.ToImmutable(), plan.Differences, transaction, (before?.Version ?? 0) + 1);
        Publish(new ChangeSet(before, after, list.ToImmutable(), isSnapshot: true));
    }

    internal void Complete()
    {
        lock (_lock)
        {
            _completed = true;
            _changed.TrySetResult();
            foreach (var subscription in _subscriptions)
            {
                subscription.Complete();
            }
        }
    }

    private void Publish(ChangeSet set)
    {
        lock (_lock)
        {
            Volatile.Write(ref _current, set.After);
            foreach (var subscription in _subscriptions)
            {
                subscription.Add(set);
            }

            var changed = _changed;
            _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            changed.TrySetResult();
        }
    }
}
