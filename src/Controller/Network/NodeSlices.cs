using Weft.Incremental;
using Weft.Topology;

namespace Weft.Controller.Network;

/// <summary>Reads a node's slice, or what changed in it, out of the network. Nothing is kept per node but a journal of names.</summary>
internal sealed class NodeSlices(Changes changes, NodeTable nodes, ServiceTable services, ClusterSettings settings)
{
    private static readonly Topology.Network Default = new() { Id = Topology.Network.DefaultId, Key = Topology.Network.DefaultKey };

    public IReadOnlyList<TopologyItem> Snapshot(string name)
    {
        if (nodes.Find(name) is not { Facts: not null } node)
        {
            return [];
        }

        changes.Follow(node);
        var items = new List<TopologyItem> { settings, Default, node.Router.For(node)! };
        Add(items, node.Switch, node);
        foreach (var each in nodes.All)
        {
            Add(items, each.Endpoint, node);
        }

        foreach (var pod in node.Pods)
        {
            Add(items, pod, node);
        }

        var targets = TargetsOf(node);
        var sets = new HashSet<MemberSet>(ReferenceEqualityComparer.Instance);
        foreach (var target in targets)
        {
            foreach (var set in target.Uses.Items)
            {
                sets.Add(set);
            }
        }

        foreach (var set in sets)
        {
            Add(items, set, node);
        }

        foreach (var item in services.Items)
        {
            Add(items, item, node);
        }

        foreach (var target in targets)
        {
            foreach (var policy in target.Policies.Items)
            {
                Add(items, policy, node);
            }
        }

        return items;
    }

    public Delta? Since(string name, long revision)
    {
        if (nodes.Find(name) is not { Facts: not null, Journal: { } journal } node || changes.Shared is not { } shared
            || revision < journal.Floor || revision < shared.Floor || revision > changes.Revision)
        {
            return null;
        }

        var (upserts, patches, deletes) = (new List<TopologyItem>(), new List<SetPatch>(), new List<ItemRef>());
        foreach (var change in shared.Since(revision).Concat(journal.Since(revision)))
        {
            Take(change, revision, node, upserts, patches, deletes);
        }

        upserts.Sort(static (a, b) => ItemRef.KindOf(a).CompareTo(ItemRef.KindOf(b)));
        deletes.Sort(static (a, b) => b.Kind.CompareTo(a.Kind));
        return new Delta(changes.Revision)
        {
            Upserts = upserts.ToEquatableArray(),
            Patches = patches.ToEquatableArray(),
            Deletes = deletes.ToEquatableArray(),
        };
    }

    private static void Take(
        ChangeJournal<ItemRef, Published>.Change change, long revision, NodeState node, List<TopologyItem> upserts, List<SetPatch> patches, List<ItemRef> deletes)
    {
        if (change.Value.For(node) is not { } item)
        {
            deletes.Add(change.Key);
        }
        else if (!change.Whole && change.Value.PatchSince(revision) is { } patch)
        {
            patches.Add(patch);
        }
        else
        {
            upserts.Add(item);
        }
    }

    private static HashSet<TargetSet> TargetsOf(NodeState node)
    {
        var targets = new HashSet<TargetSet>(ReferenceEqualityComparer.Instance);
        var seen = new HashSet<PodClass>(ReferenceEqualityComparer.Instance);
        foreach (var pod in node.Pods)
        {
            if (!seen.Add(pod.Class!))
            {
                continue;
            }

            foreach (var group in pod.Class!.Groups.Items)
            {
                if (group.Target is { Policies.Count: > 0 } target)
                {
                    targets.Add(target);
                }
            }
        }

        return targets;
    }

    private static void Add(List<TopologyItem> items, Published published, NodeState node)
    {
        if (published.For(node) is { } item)
        {
            items.Add(item);
        }
    }
}
