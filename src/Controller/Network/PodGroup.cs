using Weft.Incremental;
using Weft.Topology;

namespace Weft.Controller.Network;

/// <summary>What a group selects. Equal keys are one group.</summary>
/// <param name="Namespace">Only this namespace; null: those that <paramref name="NamespaceSelector"/> selects.</param>
/// <param name="NamespaceSelector">Null when <paramref name="Namespace"/> is given.</param>
/// <param name="Pods">Selects among the pods.</param>
/// <param name="Port">Only pods with this named port and number; null: all.</param>
/// <param name="Network">Only pods of the network with this key; 0: all.</param>
internal readonly record struct GroupKey(NamespaceState? Namespace, Selector? NamespaceSelector, Selector Pods, NamedPort? Port, int Network = 0)
{
    /// <summary>For example <c>prod/app=web</c>, <c>(env=test)/*</c>, <c>prod/app=web[http/Tcp=8080]</c>.</summary>
    public override string ToString() =>
        (Namespace is null ? $"({NamespaceSelector})" : Namespace.Name) + "/" + Pods.Text + (Port is { } p ? $"[{p.Name}/{p.Protocol}={p.Number}]" : "")
        + (Network is 0 or Topology.Network.DefaultKey ? "" : $"@{Network}");

    public bool Matches(PodClass c) =>
        (Network == 0 || Network == c.Network)
        && (Namespace is null ? NamespaceSelector!.Matches(c.Namespace.Labels) : Namespace == c.Namespace)
        && (Port is not { } port || c.Ports[port.Name, port.Protocol] == port.Number)
        && Pods.Matches(c.Labels);
}

/// <summary>The pods that one selector stands for; shared by all policies with that selector.</summary>
internal sealed class PodGroup(GroupKey key)
{
    public SmallSet<PodClass> Classes;

    /// <summary>Policies whose rules depend on the numbers that its pods give to named ports, or on the networks that its pods are in.</summary>
    public SmallSet<PolicyState> PortWatchers;

    private string? _id;

    public GroupKey Key => key;

    public string Id => _id ??= key.ToString();

    /// <summary>How many policies hold it.</summary>
    public int References { get; set; }

    /// <summary>The group as ports that policies apply to; null when none does.</summary>
    public TargetSet? Target { get; set; }

    /// <summary>The group as peers of rules; null when it is none.</summary>
    public PeerSet? Peer { get; set; }

    public override string ToString() => Id;
}

/// <summary>Pods of a namespace and network with the same labels and named ports: no selector can tell them apart, so each is matched once for all.</summary>
internal sealed class PodClass(NamespaceState ns, LabelSet labels, NamedPorts ports, int network)
{
    public SmallSet<PodGroup> Groups;
    private readonly List<PodState> _pods = [];

    public NamespaceState Namespace => ns;

    public LabelSet Labels => labels;

    public NamedPorts Ports => ports;

    public int Network => network;

    public List<PodState> Pods => _pods;

    public void Add(PodState pod)
    {
        (pod.Class, pod.IndexInClass) = (this, _pods.Count);
        _pods.Add(pod);
    }

    public void Remove(PodState pod)
    {
        var last = _pods[^1];
        _pods[pod.IndexInClass] = last;
        last.IndexInClass = pod.IndexInClass;
        _pods.RemoveAt(_pods.Count - 1);
        pod.Class = null;
    }
}

/// <summary>A namespace. It may be known from its objects before Kubernetes tells of the namespace itself; then it has no labels.</summary>
internal sealed class NamespaceState(string name, LabelSet labels)
{
    public SmallSet<PodClass> Classes;
    public SmallSet<PodGroup> Groups;

    public string Name => name;

    public LabelSet Labels { get; set; } = labels;

    /// <summary>Whether Kubernetes knows it.</summary>
    public bool Exists { get; set; }

    /// <summary>For its NetworkPolicies that say nothing themselves.</summary>
    public DenyOptions Deny { get; set; }

    /// <summary>The Subnet of its new pods; null: the default network.</summary>
    public SubnetState? Binding { get; set; }

    /// <summary>The Vpc of <see cref="Binding"/>.</summary>
    public VpcState? Vpc { get; set; }

    /// <summary>The key of the network of its new pods and of its Services; 0 while that has none.</summary>
    public int Network { get; set; } = Topology.Network.DefaultKey;

    /// <summary>Only once there are many: classes by label.</summary>
    public LabelledIndex<PodClass>? ClassIndex { get; set; }

    /// <summary>Only once there are many: groups by what they ask for.</summary>
    public SelectorIndex<PodGroup>? GroupIndex { get; set; }

    public override string ToString() => name;
}
