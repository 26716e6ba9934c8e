namespace Weft.Controller.Network;

/// <summary>Finds, without trying all, which groups may select a class of pods and which classes a group may select. Not thread-safe.</summary>
internal sealed class GroupFinder
{
    /// <summary>Below this number a scan beats an index.</summary>
    private const int IndexFrom = 32;

    private readonly SelectorIndex<PodGroup> _crossByPods = new();
    private readonly SelectorIndex<PodGroup> _crossByNamespace = new();
    private readonly LabelledIndex<NamespaceState> _namespacesByLabel = new();
    private LabelledIndex<PodClass>? _classesByLabel;

    /// <summary>Gives a namespace its labels.</summary>
    public void Relabel(NamespaceState ns, LabelSet labels)
    {
        _namespacesByLabel.Remove(ns, ns.Labels);
        ns.Labels = labels;
        _namespacesByLabel.Add(ns, labels);
    }

    /// <summary>A new class.</summary>
    public void Add(PodClass c)
    {
        var ns = c.Namespace;
        ns.Classes.Add(c);
        ns.ClassIndex?.Add(c, c.Labels);
        if (ns.ClassIndex is null && ns.Classes.Count > IndexFrom)
        {
            ns.ClassIndex = new LabelledIndex<PodClass>();
            foreach (var each in ns.Classes.Items)
            {
                ns.ClassIndex.Add(each, each.Labels);
            }
        }

        _classesByLabel?.Add(c, c.Labels);
    }

    /// <summary>A class that is gone.</summary>
    public void Remove(PodClass c)
    {
        c.Namespace.Classes.Remove(c);
        c.Namespace.ClassIndex?.Remove(c, c.Labels);
        _classesByLabel?.Remove(c, c.Labels);
    }

    /// <summary>A new group.</summary>
    public void Add(PodGroup group)
    {
        var key = group.Key;
        if (key.Namespace is not { } ns)
        {
            var (index, by) = CrossIndexOf(key);
            index.Add(group, by);
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

    /// <summary>A group that is gone.</summary>
    public void Remove(PodGroup group)
    {
        if (group.Key.Namespace is { } ns)
        {
            ns.Groups.Remove(group);
            ns.GroupIndex?.Remove(group, group.Key.Pods.Key);
            return;
        }

        var (index, by) = CrossIndexOf(group.Key);
        index.Remove(group, by);
    }

    /// <summary>Adds the groups that may select a class.</summary>
    public void FindGroups(PodClass c, List<PodGroup> found)
    {
        if (c.Namespace.GroupIndex is { } index)
        {
            index.Find(c.Labels, found);
        }
        else
        {
            found.AddRange(c.Namespace.Groups.Items);
        }

        FindCrossGroups(c, found);
    }

    /// <summary>Adds those that are not of the class's namespace alone.</summary>
    public void FindCrossGroups(PodClass c, List<PodGroup> found)
    {
        _crossByPods.Find(c.Labels, found);
        _crossByNamespace.Find(c.Namespace.Labels, found);
    }

    /// <summary>Classes that a group may select.</summary>
    /// <param name="group">The group.</param>
    /// <param name="all">Every class, for a group that selects by no label.</param>
    public List<PodClass> Candidates(PodGroup group, IReadOnlyCollection<PodClass> all)
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
            ClassesByLabel(all).Find(byPods, found);
        }
        else
        {
            found.AddRange(all);
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

    private (SelectorIndex<PodGroup> Index, LabelRequirement? By) CrossIndexOf(GroupKey key) => key.Pods.Key is not null || key.NamespaceSelector!.Key is null
        ? (_crossByPods, key.Pods.Key)
        : (_crossByNamespace, key.NamespaceSelector.Key);

    /// <summary>Made when it is first asked for: few clusters have selectors over all namespaces.</summary>
    private LabelledIndex<PodClass> ClassesByLabel(IReadOnlyCollection<PodClass> all)
    {
        if (_classesByLabel is null)
        {
            _classesByLabel = new LabelledIndex<PodClass>();
            foreach (var c in all)
            {
                _classesByLabel.Add(c, c.Labels);
            }
        }

        return _classesByLabel;
    }
}
