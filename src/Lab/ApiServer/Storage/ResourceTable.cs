using Names = System.Collections.Immutable.ImmutableSortedDictionary<string, Weft.Lab.ApiServer.StoredObject>;
using Namespaces = System.Collections.Immutable.ImmutableSortedDictionary<string, System.Collections.Immutable.ImmutableSortedDictionary<string, Weft.Lab.ApiServer.StoredObject>>;

namespace Weft.Lab.ApiServer;

/// <summary>The objects of one resource and its latest changes. Written under the store's lock; <see cref="Root"/> may be read without.</summary>
internal sealed class ResourceTable(int historyLimit, long revision)
{
    private static readonly Names NoNames = Names.Empty.WithComparers(StringComparer.Ordinal);

    private StoreChange[] _history = new StoreChange[Math.Min(64, historyLimit)];
    private int _start;
    private int _count;
    private volatile Namespaces _root = Namespaces.Empty.WithComparers(StringComparer.Ordinal);
    private TaskCompletionSource _changed = NewSignal();

    public Namespaces Root => _root;

    /// <summary>Changes up to and including this revision are forgotten.</summary>
    public long Compacted { get; private set; } = revision;

    /// <summary>Completes at the next change after it was read.</summary>
    public Task Changed => Volatile.Read(ref _changed).Task;

    public StoredObject? Find(string ns, string name) =>
        _root.TryGetValue(ns, out var names) && names.TryGetValue(name, out var found) ? found : null;

    public void Load(StoredObject item) =>
        _root = _root.SetItem(item.Namespace, _root.GetValueOrDefault(item.Namespace, NoNames).SetItem(item.Name, item));

    public void Unload(string ns, string name)
    {
        if (_root.TryGetValue(ns, out var names))
        {
            names = names.Remove(name);
            _root = names.IsEmpty ? _root.Remove(ns) : _root.SetItem(ns, names);
        }
    }

    public void Apply(StoreChange change)
    {
        if (change.Kind == ChangeKind.Deleted)
        {
            Unload(change.Object.Namespace, change.Object.Name);
        }
        else
        {
            Load(change.Object);
        }

        Remember(change);
    }

    public void Wake() => Interlocked.Exchange(ref _changed, NewSignal()).TrySetResult();

    /// <summary>Copies changes after <paramref name="revision"/>, oldest first, at most <paramref name="limit"/>.</summary>
    public void Read(long revision, List<StoreChange> into, int limit)
    {
        int low = 0, high = _count;
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = At(middle).Revision > revision ? (low, middle) : (middle + 1, high);
        }

        for (; low < _count && limit > 0; low++, limit--)
        {
            into.Add(At(low));
        }
    }

    public void Forget(long revision)
    {
        Compacted = Math.Max(Compacted, revision);
        while (_count > 0 && At(0).Revision <= Compacted)
        {
            DropOldest();
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private StoreChange At(int index) => _history[(_start + index) % _history.Length];

    private void Remember(StoreChange change)
    {
        if (_count == historyLimit)
        {
            Compacted = At(0).Revision;
            DropOldest();
        }
        else if (_count == _history.Length)
        {
            var larger = new StoreChange[Math.Min(historyLimit, _count * 2)];
            for (var i = 0; i < _count; i++)
            {
                larger[i] = At(i);
            }

            (_history, _start) = (larger, 0);
        }

        _history[(_start + _count++) % _history.Length] = change;
    }

    private void DropOldest()
    {
        _history[_start] = null!;
        _start = (_start + 1) % _history.Length;
        _count--;
    }
}
