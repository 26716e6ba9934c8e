using System.Collections.Immutable;
using Weft.Topology;

namespace Weft.Agent.Facts;

/// <summary>A step from one slice to the next.</summary>
/// <param name="Slice">The state after the step.</param>
/// <param name="Changed">Items that are new, different or gone.</param>
public sealed record SliceChange(Slice Slice, ImmutableHashSet<ItemRef> Changed)
{
    /// <summary>The one frame that says the same to whoever has the slice before it; null for a snapshot.</summary>
    public Frame? Step { get; init; }
}

/// <summary>Turns frames into slices. A snapshot takes effect only when it is whole; a delta at once. Not thread-safe.</summary>
public sealed class SliceBuilder(Slice start)
{
    private readonly SharedStrings _strings = new();
    private ImmutableDictionary<ItemRef, TopologyItem>.Builder? _snapshot;

    /// <summary>The state up to now.</summary>
    public Slice Current { get; private set; } = start;

    /// <summary>Takes the next frame.</summary>
    /// <returns>The step that it completes, or null when there is none (parts of a snapshot, keep-alives, frames of a newer controller).</returns>
    /// <exception cref="StreamProtocolException">The frame cannot follow what came before; the connection is of no use any more.</exception>
    public SliceChange? Take(Frame frame)
    {
        switch (frame)
        {
            case SnapshotBegin:
                _snapshot = ImmutableDictionary.CreateBuilder<ItemRef, TopologyItem>();
                return null;
            case SnapshotItem item:
                var items = _snapshot ?? throw new StreamProtocolException("an item outside of a snapshot");
                if (item.Item is { } received && ItemRef.KindOf(received) != ItemKind.Unknown)
                {
                    var shared = _strings.In(received);
                    items[ItemRef.Of(shared)] = shared;
                }

                return null;
            case SnapshotEnd end:
                return EndSnapshot(end);
            case Delta delta:
                return Apply(delta);
            case Resumed resumed:
                return Adopt(resumed);
            default:
                return null;
        }
    }

    /// <summary>Forgets an unfinished snapshot: the connection it came from is gone.</summary>
    public void Abandon() => _snapshot = null;

    /// <summary>Asks for a snapshot at the next connection; what is known stays until it is whole.</summary>
    public void Reset() => Current = Current.IsKnown ? Current with { Revision = -1 } : Current;

    private SliceChange EndSnapshot(SnapshotEnd end)
    {
        var items = (_snapshot ?? throw new StreamProtocolException("the end of a snapshot that did not begin")).ToImmutable();
        _snapshot = null;
        if (string.IsNullOrEmpty(end.Epoch))
        {
            throw new StreamProtocolException("a snapshot without an epoch");
        }

        var changed = ImmutableHashSet.CreateBuilder<ItemRef>();
        changed.UnionWith(Current.Items.Keys.Where(k => !items.ContainsKey(k)));
        changed.UnionWith(items.Where(i => !Current.Items.TryGetValue(i.Key, out var old) || !old.Equals(i.Value)).Select(i => i.Key));
        Current = new Slice { Epoch = end.Epoch, Revision = end.Revision, Items = items };
        return new SliceChange(Current, changed.ToImmutable());
    }

    private SliceChange Adopt(Resumed resumed)
    {
        if (_snapshot is not null || !Current.IsKnown || string.IsNullOrEmpty(resumed.Epoch))
        {
            throw new StreamProtocolException("a resumption of nothing");
        }

        Current = Current with { Epoch = resumed.Epoch, Revision = resumed.Revision };
        return new SliceChange(Current, []) { Step = resumed };
    }

    private SliceChange Apply(Delta delta)
    {
        if (_snapshot is not null)
        {
            throw new StreamProtocolException("a delta inside of a snapshot");
        }

        if (!Current.IsKnown)
        {
            throw new StreamProtocolException("a delta before the first snapshot");
        }

        var items = Current.Items.ToBuilder();
        var changed = ImmutableHashSet.CreateBuilder<ItemRef>();
        foreach (var received in delta.Upserts)
        {
            var item = _strings.In(received);
            var key = ItemRef.Of(item);
            if (key.Kind != ItemKind.Unknown && !(items.TryGetValue(key, out var old) && old.Equals(item)))
            {
                items[key] = item;
                changed.Add(key);
            }
        }

        foreach (var patch in delta.Patches)
        {
            var key = new ItemRef(patch.Kind, patch.Id);
            if (items.TryGetValue(key, out var set) && SetPatches.Apply(set, patch) is var patched && !patched.Equals(set))
            {
                items[key] = patched;
                changed.Add(key);
            }
        }

        foreach (var key in delta.Deletes)
        {
            if (items.Remove(key))
            {
                changed.Add(key);
            }
        }

        var before = Current;
        var different = changed.ToImmutable();
        Current = Current with { Revision = delta.Revision, Items = items.ToImmutable() };
        Current.Inherit(before, different);
        return new SliceChange(Current, different) { Step = delta };
    }
}

/// <summary>The controller sent frames that make no sense together. The remedy is a new connection with a snapshot.</summary>
public sealed class StreamProtocolException(string message) : Exception(message);
