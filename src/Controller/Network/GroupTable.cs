using System.Runtime.InteropServices;

namespace Weft.Controller.Network;

/// <summary>Knows which pods each group has: pods with equal labels are one class, and each class is matched against each group once.</summary>
/// <remarks>Not thread-safe.</remarks>
internal sealed class GroupTable(Changes changes, Interner interner)
{
    private readonly Dictionary<string, NamespaceState> _namespaces = new(StringComparer.Ordinal);
    private readonly Dictionary<(NamespaceState, LabelSet, NamedPorts, int), PodClass> _classes = [];
    private readonly Dictionary<GroupKey, PodGroup> _groups = [];
    private readonly GroupFinder _finder = new();
    private readonly List<PodGroup> _groupScratch = [];

    /// <summary>Which pods have which address.</summary>
    public AddressOwners Owners { get; } = new();

    /// <summary>Policies to compile again, because the numbers behind a named port, or the networks of its pods, may have changed.</summary>
    public HashSet<PolicyState> StalePolicies { get; } = [];

    /// <summary>Every group that is used as peers.</summary>
    public IEnumerable<PeerSet> Peers => _groups.Values.Select(g => g.Peer).OfType<PeerSet>();

    /// <summary>The namespace, known to Kubernetes or not.</summary>
    public NamespaceState Namespace(string name)
    {
        ref var slot = ref CollectionsMarshal.GetValueRefOrAddDefault(_namespaces, name, out _);
        return slot ??= new NamespaceState(name, interner.Labels(null));
    }

    /// <summary>Every namespace that is known.</summary>
    public IReadOnlyCollection<NamespaceState> Namespaces => _namespaces.Values;

    /// <summary>Gives a namespace its labels; those of one that is gone are none.</summary>
    public void Relabel(NamespaceState ns, LabelSet labels)
    {
        if (ns.Labels == labels)
        {
            return;
        }

        _finder.Relabel(ns, labels);
        foreach (var c in ns.Classes.Items)
        {
            foreach (var group in c.Groups.Items.ToArray())
            {
                if (group.Key.Namespace is null && !group.Key.Matches(c))
                {
                    Leave(group, c);
                }
            }

            _groupScratch.Clear();
            _finder.FindCrossGroups(c, _groupScratch);
            JoinMatching(c);
        }
    }

    /// <summary>Puts a new pod where its labels and ports say.</summary>
    public void Add(PodState pod, LabelSet labels, NamedPorts ports)
    {
        var c = Class(pod.Namespace, labels, ports, pod.Network);
        c.Add(pod);
        foreach (var address in pod.Addresses)
        {
            Owners.Add(address, pod);
        }

        foreach (var group in c.Groups.Items)
        {
            MemberChanged(group, pod, added: true);
        }
    }

    /// <summary>Takes a pod out of everything.</summary>
    public void Remove(PodState pod)
    {
        var c = pod.Class!;
        foreach (var address in pod.Addresses)
        {
            Owners.Remove(address, pod);
        }

        c.Remove(pod);
        foreach (var group in c.Groups.Items)
        {
            MemberChanged(group, pod, added: false);
        }

        DropIfEmpty(c);
    }

    /// <summary>Moves a pod to the class of its new labels and network; groups that select it before and after notice nothing.</summary>
    public void Move(PodState pod, LabelSet labels, NamedPorts ports)
    {
        var old = pod.Class!;
        var next = Class(pod.Namespace, labels, ports, pod.Network);
        if (next == old)
        {
            return;
        }

        old.Remove(pod);
        next.Add(pod);
        foreach (var group in old.Groups.Items)
        {
            if (!next.Groups.Contains(group))
            {
                MemberChanged(group, pod, added: false);
            }
        }

        foreach (var group in next.Groups.Items)
        {
            if (!old.Groups.Contains(group))
            {
                MemberChanged(group, pod, added: true);
            }
        }

        DropIfEmpty(old);
    }

    /// <summary>Replaces a pod's addresses.</summary>
    public void Readdress(PodState pod, string[] addresses)
    {
        var old = pod.Addresses;
        pod.Addresses = addresses;
        foreach (var address in old.Except(addresses))
        {
            Owners.Remove(address, pod);
            NoteAddress(pod, address, added: false);
        }

        foreach (var address in addresses.Except(old))
        {
            Owners.Add(address, pod);
            NoteAddress(pod, address, added: true);
        }
    }

    /// <summary>The group with this key, made when it is not there; the caller holds it until <see cref="Release"/>.</summary>
    public PodGroup Acquire(GroupKey key)
    {
        ref var slot = ref CollectionsMarshal.GetValueRefOrAddDefault(_groups, key, out _);
        if (slot is { } known)
        {
            known.References++;
            return known;
        }

        var group = slot = new PodGroup(key) { References = 1 };
        changes.Work++;
        _finder.Add(group);
        foreach (var c in _finder.Candidates(group, _classes.Values))
        {
            if (key.Matches(c))
            {
                c.Groups.Add(group);
                group.Classes.Add(c);
            }
        }

        return group;
    }

    /// <summary>Gives a group back; the last holder ends it.</summary>
    public void Release(PodGroup group)
    {
        if (--group.References > 0)
        {
            return;
        }

        foreach (var c in group.Classes.Items)
        {
            c.Groups.Remove(group);
        }

        _finder.Remove(group);
        _groups.Remove(group.Key);
    }

    /// <summary>The group's role as a target.</summary>
    public static TargetSet TargetOf(PodGroup group)
    {
        if (group.Target is not { } target)
        {
            group.Target = target = new TargetSet(group);
            foreach (var c in group.Classes.Items)
            {
                foreach (var pod in c.Pods)
                {
                    target.LocalPods.Increment(pod.Node!);
                }
            }
        }

        return target;
    }

    /// <summary>The group's role as peers.</summary>
    public PeerSet PeerOf(PodGroup group) => group.Peer ??= new PeerSet(group, Owners);

    private PodClass Class(NamespaceState ns, LabelSet labels, NamedPorts ports, int network)
    {
        ref var slot = ref CollectionsMarshal.GetValueRefOrAddDefault(_classes, (ns, labels, ports, network), out _);
        if (slot is not null)
        {
            return slot;
        }

        var c = slot = new PodClass(ns, labels, ports, network);
        changes.Work++;
        _finder.Add(c);
        _groupScratch.Clear();
        _finder.FindGroups(c, _groupScratch);
        JoinMatching(c);
        return c;
    }

    private void DropIfEmpty(PodClass c)
    {
        if (c.Pods.Count > 0)
        {
            return;
        }

        foreach (var group in c.Groups.Items)
        {
            group.Classes.Remove(c);
            MarkStale(group, c);
        }

        _finder.Remove(c);
        _classes.Remove((c.Namespace, c.Labels, c.Ports, c.Network));
    }

    private void JoinMatching(PodClass c)
    {
        foreach (var group in _groupScratch)
        {
            changes.Work++;
            if (group.Key.Matches(c))
            {
                Join(group, c);
            }
        }
    }

    private void Join(PodGroup group, PodClass c)
    {
        if (!c.Groups.Add(group))
        {
            return;
        }

        group.Classes.Add(c);
        MarkStale(group, c);
        foreach (var pod in c.Pods)
        {
            MemberChanged(group, pod, added: true);
        }
    }

    private void Leave(PodGroup group, PodClass c)
    {
        c.Groups.Remove(group);
        group.Classes.Remove(c);
        MarkStale(group, c);
        foreach (var pod in c.Pods)
        {
            MemberChanged(group, pod, added: false);
        }
    }

    private void MarkStale(PodGroup group, PodClass c)
    {
        if (group.PortWatchers.Count > 0 && (c.Ports != NamedPorts.None || c.Network != Topology.Network.DefaultKey))
        {
            foreach (var policy in group.PortWatchers.Items)
            {
                StalePolicies.Add(policy);
            }
        }
    }

    private void MemberChanged(PodGroup group, PodState pod, bool added)
    {
        changes.Work++;
        if (group.Peer is { } peer)
        {
            foreach (var address in pod.Addresses)
            {
                peer.Note(changes, address, added);
            }
        }

        if (group.Target is not { } target)
        {
            return;
        }

        var node = pod.Node!;
        if (added && target.LocalPods.Increment(node) == 1)
        {
            PolicyDelivery.NodeGained(changes, target, node);
        }
        else if (!added && target.LocalPods.Decrement(node) == 0)
        {
            PolicyDelivery.NodeLost(changes, target, node);
        }

        NoteTarget(target, node);
    }

    private void NoteTarget(TargetSet target, NodeState node)
    {
        if (target.NeededBy.Contains(node))
        {
            changes.Note(node, target, whole: true);
        }
    }

    private void NoteAddress(PodState pod, string address, bool added)
    {
        foreach (var group in pod.Class!.Groups.Items)
        {
            changes.Work++;
            group.Peer?.Note(changes, address, added);
        }
    }
}
