using Weft.Incremental;
using Weft.Topology;

namespace Weft.Controller.Network;

/// <summary>A group in one of its two roles. A node has it while a policy that applies to a pod there uses it.</summary>
internal abstract class MemberSet(PodGroup group) : Published
{
    /// <summary>The nodes that have it, each with the number of applied groups that are the reason.</summary>
    public CountMap<NodeState> NeededBy;

    public PodGroup Group => group;
}

/// <summary>A group as peers: the addresses of its pods.</summary>
internal sealed class PeerSet(PodGroup group, AddressOwners owners) : MemberSet(group)
{
    private MemberLog<string>? _log;
    private UInt128? _digest;

    public override ItemRef Ref => new(ItemKind.AddressSet, Group.Id);

    public override TopologyItem? For(NodeState node) => NeededBy.Contains(node) ? Item : null;

    /// <summary>The record, made now.</summary>
    public AddressSet Item => new() { Id = Group.Id, Addresses = Addresses() };

    /// <summary>Notes a member's step, and that the nodes that have this set must hear of it.</summary>
    public void Note(Changes changes, string address, bool added)
    {
        _digest = null;
        if (!changes.IsFollowed || NeededBy.Count == 0)
        {
            // Who takes the set later takes it whole. Steps are missing from here on.
            _log = null;
            changes.Work++;
            return;
        }

        _log ??= new MemberLog<string>(changes.Revision, Changes.SetHistory);
        _log.Note(changes.Next, address, added);
        foreach (var node in NeededBy.Items)
        {
            changes.Note(node, this, whole: false);
        }
    }

    /// <summary>Kept: many nodes have the same set.</summary>
    public override UInt128 DigestFor(NodeState node) => NeededBy.Contains(node) ? _digest ??= SliceDigest.Of(Item) : UInt128.Zero;

    public override SetPatch? PatchSince(long revision)
    {
        if (_log is null || revision < _log.Floor)
        {
            return null;
        }

        var (add, remove) = (new List<string>(), new List<string>());
        foreach (var (address, added) in _log.Since(revision))
        {
            // Of two pods that shared an address for a moment, one may have left and the other stayed.
            if (added || owners.IsOwnedWithin(address, Group))
            {
                add.Add(address);
            }
            else
            {
                remove.Add(address);
            }
        }

        return new SetPatch { Kind = ItemKind.AddressSet, Id = Group.Id, Add = add.ToEquatableArray(), Remove = remove.ToEquatableArray() };
    }

    private EquatableArray<string> Addresses()
    {
        var found = new List<string>();
        foreach (var c in Group.Classes.Items)
        {
            foreach (var pod in c.Pods)
            {
                found.AddRange(pod.Addresses);
            }
        }

        return (owners.AnyShared ? found.Distinct() : found).ToEquatableArray();
    }
}

/// <summary>A group as the pods that policies apply to. Each node sees its own pods only.</summary>
internal sealed class TargetSet(PodGroup group) : MemberSet(group)
{
    /// <summary>The nodes where its pods are, with their number there.</summary>
    public CountMap<NodeState> LocalPods;

    /// <summary>The policies that apply to it: a node has them when it has a pod of it.</summary>
    public SmallSet<PolicyState> Policies;

    /// <summary>The sets that these policies refer to, this one included, with the number of policies that do.</summary>
    public CountMap<MemberSet> Uses;

    public override ItemRef Ref => new(ItemKind.PortSet, Group.Id);

    public override TopologyItem? For(NodeState node) => NeededBy.Contains(node)
        ? new PortSet { Id = Group.Id, Ports = node.Pods.Where(p => p.Class!.Groups.Contains(Group)).Select(p => p.Id).ToEquatableArray() }
        : null;
}
