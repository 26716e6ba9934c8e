using Weft.Incremental;
using Weft.Topology;

namespace Weft.Controller.Network;

/// <summary>Collects what changes for whom until the batch is committed as one revision.</summary>
internal sealed class Changes
{
    /// <summary>Changes of one node that are remembered; a node that misses more starts from a snapshot.</summary>
    public const int NodeHistory = 4096;

    /// <summary>Changes for all nodes that are remembered.</summary>
    public const int SharedHistory = 16384;

    /// <summary>Steps remembered for one set.</summary>
    public const int SetHistory = 2048;

    private readonly List<NodeState> _dirty = [];
    private bool _allDirty;
    private bool _any;

    /// <summary>The last committed revision.</summary>
    public long Revision { get; private set; }

    /// <summary>The revision that the open batch will have.</summary>
    public long Next => Revision + 1;

    /// <summary>What changed for all nodes; null until somebody follows a node.</summary>
    public ChangeJournal<ItemRef, Published>? Shared { get; private set; }

    /// <summary>Whether anybody ever asked: before that nothing needs to be remembered.</summary>
    public bool IsFollowed => Shared is not null;

    /// <summary>Objects that were computed anew, for tests and metrics: the cost of changes, which must not depend on the cluster's size.</summary>
    public long Work { get; set; }

    /// <summary>From now on remembers what changes for a node.</summary>
    public void Follow(NodeState node)
    {
        Shared ??= new ChangeJournal<ItemRef, Published>(SharedHistory, Revision);
        node.Journal ??= new ChangeJournal<ItemRef, Published>(NodeHistory, Revision);
    }

    public void Note(NodeState node, Published item, bool whole)
    {
        Work++;
        _any = true;
        if (node.Journal is not { } journal)
        {
            return;
        }

        journal.Note(Next, item.Ref, item, whole);
        if (!node.IsDirty)
        {
            node.IsDirty = true;
            _dirty.Add(node);
        }
    }

    public void NoteAll(Published item, bool whole)
    {
        Work++;
        _any = true;
        if (Shared is { } journal)
        {
            journal.Note(Next, item.Ref, item, whole);
            _allDirty = true;
        }
    }

    /// <summary>Ends the batch.</summary>
    public CommittedChanges Commit()
    {
        if (!_any)
        {
            return CommittedChanges.None;
        }

        Revision++;
        var nodes = _dirty.Select(n => n.Name).ToArray();
        _dirty.ForEach(n => n.IsDirty = false);
        _dirty.Clear();
        var all = _allDirty;
        (_allDirty, _any) = (false, false);
        return new CommittedChanges(all, nodes);
    }
}

/// <summary>Whom a batch concerns.</summary>
/// <param name="All">Every node.</param>
/// <param name="Nodes">These nodes, of those that are followed.</param>
public readonly record struct CommittedChanges(bool All, IReadOnlyList<string> Nodes)
{
    /// <summary>Nobody.</summary>
    public static readonly CommittedChanges None = new(false, []);
}
