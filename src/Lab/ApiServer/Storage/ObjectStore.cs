using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>All objects in memory, with one revision counter over all resources, as etcd has. Safe from any thread.</summary>
/// <remarks>A write is a comparison with the version that the writer saw, so nobody waits for anybody while objects are validated.
/// Readers take immutable snapshots. A watch is a position in a bounded history, so a slow reader costs nobody anything: it falls
/// behind the history and is told so.</remarks>
public sealed class ObjectStore(int historyLimit = 50_000, Journal? journal = null)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, ResourceTable> _tables = new(StringComparer.Ordinal);
    private long _revision = 1;

    /// <summary>The revision of the latest change.</summary>
    public long Revision => Interlocked.Read(ref _revision);

    /// <summary>Reads the journal back. Call once, before anything else.</summary>
    public void Restore()
    {
        if (journal is null)
        {
            return;
        }

        lock (_gate)
        {
            foreach (var entry in journal.Open())
            {
                _revision = Math.Max(_revision, entry.Revision);
                var table = Table(entry.StorageKey);
                if (entry.Json is null)
                {
                    table.Unload(entry.Namespace, entry.Name);
                }
                else
                {
                    table.Load(StoredObject.Thaw(entry.Json, entry.Revision));
                }
            }

            foreach (var table in _tables.Values)
            {
                table.Forget(_revision);
            }

            journal.Compact(Everything());
        }
    }

    public StoredObject? Find(string storageKey, string ns, string name)
    {
        ResourceTable? table;
        lock (_gate)
        {
            _tables.TryGetValue(storageKey, out table);
        }

        return table?.Find(ns, name);
    }

    /// <summary>What is there at one moment, in order of namespace and name.</summary>
    /// <param name="ns">Only of that namespace; null for all.</param>
    public StoreSnapshot Snapshot(string storageKey, string? ns = null)
    {
        lock (_gate)
        {
            var root = Table(storageKey).Root;
            return new StoreSnapshot(_revision, ns is null ? [.. root.Values] : root.TryGetValue(ns, out var names) ? [names] : []);
        }
    }

    /// <summary>Stores the tree if the object is still what <paramref name="expected"/> says (null: does not exist).</summary>
    /// <returns>The stored version, or null when somebody else was faster and nothing was done.</returns>
    public StoredObject? TryPut(string storageKey, JsonObject tree, StoredObject? expected)
    {
        ResourceTable table;
        StoredObject stored;
        lock (_gate)
        {
            table = Table(storageKey);
            var ns = tree.Text("metadata", "namespace") ?? "";
            if (!ReferenceEquals(table.Find(ns, tree.Text("metadata", "name") ?? ""), expected))
            {
                return null;
            }

            stored = StoredObject.Freeze(tree, _revision + 1);
            journal?.Put(storageKey, stored);
            _revision++;
            table.Apply(new StoreChange(expected is null ? ChangeKind.Added : ChangeKind.Modified, stored, expected));
            CompactJournalUnsynchronized();
        }

        table.Wake();
        return stored;
    }

    /// <summary>Removes the object if it is still <paramref name="expected"/>.</summary>
    /// <returns>The last version, stamped with the deletion's revision, or null when somebody else was faster.</returns>
    public StoredObject? TryDelete(string storageKey, StoredObject expected)
    {
        ResourceTable table;
        StoredObject last;
        lock (_gate)
        {
            table = Table(storageKey);
            if (!ReferenceEquals(table.Find(expected.Namespace, expected.Name), expected))
            {
                return null;
            }

            last = StoredObject.Freeze(expected.ToTree(), _revision + 1);
            journal?.Delete(storageKey, last);
            _revision++;
            table.Apply(new StoreChange(ChangeKind.Deleted, last, expected));
            CompactJournalUnsynchronized();
        }

        table.Wake();
        return last;
    }

    /// <summary>Changes after <paramref name="after"/>, oldest first.</summary>
    /// <param name="current">Every change up to this revision was either read or does not concern the resource, when fewer than the limit came.</param>
    /// <param name="more">Completes at the next change.</param>
    /// <returns>False when the history does not reach back that far.</returns>
    public bool TryRead(string storageKey, long after, List<StoreChange> into, int limit, out long current, out Task more)
    {
        lock (_gate)
        {
            var table = Table(storageKey);
            more = table.Changed;
            current = _revision;
            if (after < table.Compacted)
            {
                return false;
            }

            table.Read(after, into, limit);
            return true;
        }
    }

    /// <summary>Forgets all history, so that every watch from an older revision gets 410.</summary>
    public void CompactHistory()
    {
        ResourceTable[] tables;
        lock (_gate)
        {
            tables = [.. _tables.Values];
            foreach (var table in tables)
            {
                table.Forget(_revision);
            }
        }

        foreach (var table in tables)
        {
            table.Wake();
        }
    }

    /// <summary>Storage keys that have or had objects.</summary>
    public ImmutableArray<string> StorageKeys()
    {
        lock (_gate)
        {
            return [.. _tables.Keys];
        }
    }

    private ResourceTable Table(string storageKey)
    {
        if (!_tables.TryGetValue(storageKey, out var table))
        {
            // A resource without a table had no changes: a watch may start from any revision of the past.
            _tables[storageKey] = table = new ResourceTable(historyLimit, 0);
        }

        return table;
    }

    private IEnumerable<(string StorageKey, StoredObject Object)> Everything() =>
        from table in _tables
        from names in table.Value.Root.Values
        from item in names.Values
        select (table.Key, item);

    private void CompactJournalUnsynchronized()
    {
        if (journal is { ShouldCompact: true })
        {
            journal.Compact(Everything());
        }
    }
}
