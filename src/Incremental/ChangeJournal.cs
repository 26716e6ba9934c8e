using System.Runtime.InteropServices;

namespace Weft.Incremental;

/// <summary>Remembers for each key the last revision at which it changed, for a bounded number of keys.</summary>
/// <remarks>A reader that stopped at revision N asks what changed since; however often a key changed in between, it is told once, so a slow
/// reader costs nothing. When more keys changed than are kept, the oldest are forgotten and <see cref="Floor"/> rises: a reader below it must
/// start over. Not thread-safe.</remarks>
/// <param name="capacity">Keys that are kept, at least 1.</param>
/// <param name="floor">The revision at which the journal begins: it knows everything after it.</param>
public sealed class ChangeJournal<TKey, TValue>(int capacity, long floor)
    where TKey : notnull
{
    private const int None = -1;
    private readonly Dictionary<TKey, int> _slots = [];
    private readonly List<Entry> _entries = [];
    private int _oldest = None;
    private int _newest = None;

    /// <summary>Readers that stopped before this revision cannot be served.</summary>
    public long Floor { get; private set; } = floor;

    /// <summary>The number of keys that are remembered.</summary>
    public int Count => _slots.Count;

    /// <summary>Notes a change. Revisions never go back.</summary>
    /// <param name="revision">The revision that the change belongs to.</param>
    /// <param name="key">What changed.</param>
    /// <param name="value">Replaces the value noted before.</param>
    /// <param name="whole">The reader must take the object as a whole: parts of it are not enough.</param>
    public void Note(long revision, TKey key, TValue value, bool whole)
    {
        ref var slot = ref CollectionsMarshal.GetValueRefOrAddDefault(_slots, key, out var known);
        if (known)
        {
            Unlink(slot);
        }
        else
        {
            slot = _slots.Count > capacity ? ForgetOldest() : Append();
            At(slot) = new Entry { Key = key };
        }

        ref var entry = ref At(slot);
        entry.Value = value;
        entry.Revision = revision;
        if (whole)
        {
            entry.Whole = revision;
        }

        LinkNewest(slot);
    }

    /// <summary>What changed after a revision, newest first. Valid until the next change.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The revision is below <see cref="Floor"/>.</exception>
    public IEnumerable<Change> Since(long revision)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(revision, Floor);
        return Walk(revision);
    }

    private IEnumerable<Change> Walk(long revision)
    {
        for (var slot = _newest; slot != None && _entries[slot].Revision > revision; slot = _entries[slot].Older)
        {
            var entry = _entries[slot];
            yield return new Change(entry.Key, entry.Value, entry.Whole > revision);
        }
    }

    private ref Entry At(int slot) => ref CollectionsMarshal.AsSpan(_entries)[slot];

    private int Append()
    {
        _entries.Add(default);
        return _entries.Count - 1;
    }

    private int ForgetOldest()
    {
        var slot = _oldest;
        Floor = At(slot).Revision;
        _slots.Remove(At(slot).Key);
        Unlink(slot);
        return slot;
    }

    private void Unlink(int slot)
    {
        var (older, newer) = (At(slot).Older, At(slot).Newer);
        if (older == None)
        {
            _oldest = newer;
        }
        else
        {
            At(older).Newer = newer;
        }

        if (newer == None)
        {
            _newest = older;
        }
        else
        {
            At(newer).Older = older;
        }
    }

    private void LinkNewest(int slot)
    {
        At(slot).Older = _newest;
        At(slot).Newer = None;
        if (_newest == None)
        {
            _oldest = slot;
        }
        else
        {
            At(_newest).Newer = slot;
        }

        _newest = slot;
    }

    /// <summary>One key that changed.</summary>
    /// <param name="Key">The key.</param>
    /// <param name="Value">The value noted last.</param>
    /// <param name="Whole">Whether the object must be taken as a whole.</param>
    public readonly record struct Change(TKey Key, TValue Value, bool Whole);

    private struct Entry
    {
        public TKey Key;
        public TValue Value;
        public long Revision;
        public long Whole;
        public int Older;
        public int Newer;
    }
}
