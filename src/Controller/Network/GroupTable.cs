using System.Runtime.InteropServices;

namespace Weft.Controller.Network;

/// <summary>Knows which pods each group has: pods with equal labels are one class, and each class is matched against each group once.</summary>
/// <remarks>Not thread-safe.</remarks>
internal sealed class GroupTable(Changes changes, Interner interner)
{
    /// <summary>Below this number a scan beats an index.</summary>
    private const int IndexFrom = 32;

    private readonly Dictionary<string, NamespaceState> _namespaces = new(StringComparer.Ordinal);
    private readonly Dictionary<(NamespaceState, LabelSet, NamedPorts, int), PodClass> _classes = [];
    private readonly Dictionary<GroupKey, PodGroup> _groups = [];
    private readonly SelectorIndex<PodGroup> _crossByPods = new();
    private readonly SelectorIndex<PodGroup> _crossByNamespace = new();
    private readonly LabelledIndex<NamespaceState> _namespacesByLabel = new();
    private readonly List<PodGroup> _groupScratch = [];
    private LabelledIndex<PodClass>? _classesByLabel;

    /// <summary>Which pods have which address.</summary>
    public AddressOwners Owners { get; } = new();

    /// <summary>Policies to compile again, because the numbers behind a named port may have changed.</summary>
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

        _namespacesByLabel.Remove(ns, ns.Labels);
        ns.Labels = labels;
        _namespacesByLabel.Add(ns, labels);
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
            FindCrossGroups(c, _groupScratch);
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
            MemberAdded(group, pod);
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
            MemberRemoved(group, pod);
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
                MemberRemoved(group, pod);
            }
        }

        foreach (var group in next.Groups.Items)
        {
            if (!old.Groups.Contains(group))
            {
                MemberAdded(group, pod);
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
        AddToIndex(group);
        foreach (var c in Candidates(group))
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

        RemoveFromIndex(group);
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
        ns.Classes.Add(c);
        ns.ClassIndex?.Add(c, labels);
        if (ns.ClassIndex is null && ns.Classes.Count > IndexFrom)
        {
            ns.ClassIndex = new LabelledIndex<PodClass>();
            foreach (var each in ns.Classes.Items)
            {
                ns.ClassIndex.Add(each, each.Labels);
            }
        }

        _classesByLabel?.Add(c, labels);
        _groupScratch.Clear();
        if (ns.GroupIndex is { } index)
        {
            index.Find(labels, _groupScratch);
        }
        else
        {
            _groupScratch.AddRange(ns.Groups.Items);
        }

        FindCrossGroups(c, _groupScratch);
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

        c.Namespace.Classes.Remove(c);
        c.Namespace.ClassIndex?.Remove(c, c.Labels);
        _classesByLabel?.Remove(c, c.Labels);
        _classes.Remove((c.Namespace, c.Labels, c.Ports, c.Network));
    }

    private void FindCrossGroups(PodClass c, List<PodGroup> found)
    {
        _crossByPods.Find(c.Labels, found);
        _crossByNamespace.Find(c.Namespace.Labels, found);
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
            MemberAdded(group, pod);
        }
    }

    private void Leave(PodGroup group, PodClass c)
    {
        c.Groups.Remove(group);
        group.Classes.Remove(c);
        MarkStale(group, c);
        foreach (var pod in c.Pods)
        {
            MemberRemoved(group, pod);
        }
    }

    private void MarkStale(PodGroup group, PodClass c)
    {
        if (group.PortWatchers.Count > 0 && c.Ports != NamedPorts.None)
        {
            foreach (var policy in group.PortWatchers.Items)
            {
                StalePolicies.Add(policy);
            }
        }
    }

    private void MemberAdded(PodGroup group, PodState pod)
    {
        changes.Work++;
        if (group.Peer is { } peer)
        {
            foreach (var address in pod.Addresses)
            {
                peer.Note(changes, address, added: true);
            }
        }

        if (group.Target is { } target)
        {
            var node = pod.Node!;
            if (target.LocalPods.Increment(node) == 1)
            {
                PolicyDelivery.NodeGained(changes, target, node);
            }

            NoteTarget(target, node);
        }
    }

    private void MemberRemoved(PodGroup group, PodState pod)
    {
        changes.Work++;
        if (group.Peer is { } peer)
        {
            foreach (var address in pod.Addresses)
            {
                peer.Note(changes, address, added: false);
            }
        }

        if (group.Target is { } target)
        {
            var node = pod.Node!;
            if (target.LocalPods.Decrement(node) == 0)
            {
                PolicyDelivery.NodeLost(changes, target, node);
            }

            NoteTarget(target, node);
        }
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

    private void AddToIndex(PodGroup group)
    {
        var key = group.Key;
        if (key.Namespace is not { } ns)
        {
            if (key.Pods.Key is not null || key.NamespaceSelector!.Key is null)
            {
                _crossByPods.Add(group, key.Pods.Key);
            }
            else
            {
                _crossByNamespace.Add(group, key.NamespaceSelector.Key);
            }

            return;
        }

        ns.Groups.Add(group);
        ns.GroupIndex?.Add(group, key.Pods.Key);
        if (ns.GroupIndex is null && ns.Groups.Count > IndexFrom)
        {
            ns.GroupIndex = new SelectorIndex<PodGroup>();
            foreach (var each in ns.Groups.Items)
            {
                ns.GroupIndex.Add(each, each.Key.Pods.Key);
            }
        }
    }

    private void RemoveFromIndex(PodGroup group)
    {
        var key = group.Key;
        if (key.Namespace is { } ns)
        {
            ns.Groups.Remove(group);
            ns.GroupIndex?.Remove(group, key.Pods.Key);
        }
        else if (key.Pods.Key is not null || key.NamespaceSelector!.Key is null)
        {
            _crossByPods.Remove(group, key.Pods.Key);
        }
        else
        {
            _crossByNamespace.Remove(group, key.NamespaceSelector.Key);
        }
    }

    /// <summary>Classes that a new group may select.</summary>
    private List<PodClass> Candidates(PodGroup group)
    {
        var found = new List<PodClass>();
        var key = group.Key;
        if (key.Namespace is { } ns)
        {
            AddCandidates(ns, key.Pods, found);
        }
        else if (key.NamespaceSelector!.Key is { } byNamespace)
        {
            var namespaces = new List<NamespaceState>();
            _namespacesByLabel.Find(byNamespace, namespaces);
            namespaces.ForEach(n => AddCandidates(n, key.Pods, found));
        }
        else if (key.Pods.Key is { } byPods)
        {
            ClassesByLabel().Find(byPods, found);
        }
        else
        {
            found.AddRange(_classes.Values);
        }

        return found;
    }

    private static void AddCandidates(NamespaceState ns, Selector pods, List<PodClass> found)
    {
        if (ns.ClassIndex is { } index && pods.Key is { } key)
        {
            index.Find(key, found);
        }
        else
        {
            found.AddRange(ns.Classes.Items);
        }
    }

    private LabelledIndex<PodClass> ClassesByLabel()
    {
        if (_classesByLabel is null)
        {
            _classesByLabel = new LabelledIndex<PodClass>();
            foreach (var c in _classes.Values)
            {
                _classesByLabel.Add(c, c.Labels);
            }
        }

        return _classesByLabel;
    }
}
