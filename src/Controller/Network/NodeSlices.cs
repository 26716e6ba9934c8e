using Weft.Incremental;
using Weft.Topology;

namespace Weft.Controller.Network;

/// <summary>Reads a node's slice, or what changed in it, out of the network. Nothing is kept per node but a journal of names.</summary>
internal sealed class NodeSlices(Changes changes, NodeTable nodes, ServiceTable services, ClusterSettings settings)
{
    private static readonly Topology.Network Default = new() { Id = Topology.Network.DefaultId, Key = Topology.Network.DefaultKey };
    private UInt128 _shared;
    private long _sharedAt = -1;

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

        var tenants = TenantTable.On(node);
        foreach (var item in tenants.SelectMany(TenantTable.ItemsOf).Where(i => i is not PodState { Node: var at } || at != node))
        {
            Add(items, item, node);
        }

        var targets = TargetsOf(node);
        foreach (var set in SetsOf(targets))
        {
            Add(items, set, node);
        }

        foreach (var item in services.Items.Concat(ServiceTable.ItemsOf(tenants.SelectMany(t => t.Services))))
        {
            Add(items, item, node);
        }

        foreach (var policy in targets.SelectMany(PoliciesOf))
        {
            Add(items, policy, node);
        }

        return items;
    }

    /// <summary>The digest of <see cref="Snapshot"/>.</summary>
    public UInt128 Digest(string name)
    {
        if (nodes.Find(name) is not { Facts: not null } node)
        {
            return UInt128.Zero;
        }

        changes.Follow(node);
        if (_sharedAt != changes.Revision)
        {
            _shared = SliceDigest.Of([settings, Default]);
            foreach (var item in nodes.All.Select(n => (Published)n.Endpoint).Concat(services.Items))
            {
                _shared = unchecked(_shared + item.DigestFor(node));
            }

            _sharedAt = changes.Revision;
        }

        var sum = unchecked(_shared + node.Router.DigestFor(node) + node.Switch.DigestFor(node));
        var targets = TargetsOf(node);
        var tenants = TenantTable.On(node);
        var ofTenants = tenants.SelectMany(TenantTable.ItemsOf).Where(i => i is not PodState { Node: var at } || at != node)
            .Concat(ServiceTable.ItemsOf(tenants.SelectMany(t => t.Services)));
        foreach (var item in node.Pods.Concat<Published>(SetsOf(targets)).Concat(targets.SelectMany(PoliciesOf)).Concat(ofTenants))
        {
            sum = unchecked(sum + item.DigestFor(node));
        }

        return sum;
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

        if (deletes.Count > 0)
        {
            // An object that went from the tenants' journal and came back in the shared one, or the other way round, is in both: it is there.
            var there = upserts.Select(ItemRef.Of).Concat(patches.Select(p => new ItemRef(p.Kind, p.Id))).ToHashSet();
            deletes.RemoveAll(there.Contains);
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

    private static HashSet<MemberSet> SetsOf(HashSet<TargetSet> targets)
    {
        var sets = new HashSet<MemberSet>(ReferenceEqualityComparer.Instance);
        foreach (var target in targets)
        {
            foreach (var set in target.Uses.Items)
            {
                sets.Add(set);
            }
        }

        return sets;
    }

    private static PolicyState[] PoliciesOf(TargetSet target) => target.Policies.Items.ToArray();

    private static void Add(List<TopologyItem> items, Published published, NodeState node)
    {
        if (published.For(node) is { } item)
        {
            items.Add(item);
        }
    }
}
