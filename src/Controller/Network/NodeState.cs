using Weft.Incremental;
using Weft.Topology;

namespace Weft.Controller.Network;

/// <summary>A node and what is bound to it. It may be known from its pods before Kubernetes tells of the node itself.</summary>
internal sealed class NodeState
{
    private readonly List<PodState> _pods = [];

    public NodeState(string name)
    {
        Name = name;
        Endpoint = new NodeEndpointItem(this);
        Switch = new NodeSwitchItem(this);
        Router = new NodeRouterItem(this);
    }

    public string Name { get; }

    /// <summary>The Node object as records see it; null while it does not exist.</summary>
    public NodeEndpoint? Facts { get; set; }

    /// <summary>Its labels; null while it does not exist.</summary>
    public LabelSet? Labels { get; set; }

    /// <summary>Whether Kubernetes counts on it.</summary>
    public bool IsReady { get; set; }

    public NodeEndpointItem Endpoint { get; }

    public NodeSwitchItem Switch { get; }

    public NodeRouterItem Router { get; }

    /// <summary>The active pods that are bound to it.</summary>
    public IReadOnlyList<PodState> Pods => _pods;

    /// <summary>What changed for this node only; null until somebody follows it.</summary>
    public ChangeJournal<ItemRef, Published>? Journal { get; set; }

    /// <summary>Whether it is in the list of nodes to wake.</summary>
    public bool IsDirty { get; set; }

    public void Add(PodState pod)
    {
        pod.IndexInNode = _pods.Count;
        _pods.Add(pod);
    }

    public void Remove(PodState pod)
    {
        var last = _pods[^1];
        _pods[pod.IndexInNode] = last;
        last.IndexInNode = pod.IndexInNode;
        _pods.RemoveAt(_pods.Count - 1);
    }

    public override string ToString() => Name;
}

/// <summary>Tells all nodes where a node is.</summary>
internal sealed class NodeEndpointItem(NodeState owner) : Published
{
    public override ItemRef Ref => new(ItemKind.NodeEndpoint, owner.Name);

    public override TopologyItem? For(NodeState node) => owner.Facts;
}

/// <summary>The logical switch of a node's pods in the default network; only the node itself has it.</summary>
internal sealed class NodeSwitchItem(NodeState owner) : Published
{
    public override ItemRef Ref => new(ItemKind.LogicalSwitch, owner.Name);

    public override TopologyItem? For(NodeState node)
    {
        if (node != owner || owner.Facts is not { PodCidrs.IsEmpty: false } facts)
        {
            return null;
        }

        return new LogicalSwitch
        {
            Id = owner.Name,
            NetworkKey = Topology.Network.DefaultKey,
            Node = owner.Name,
            Subnets = facts.PodCidrs.Select(c => new SwitchSubnet(c, Cidr.FirstAddress(c))).ToEquatableArray(),
        };
    }
}

/// <summary>The default network's router, as a node sees it: it joins the node's own switch with all that is not on this node.</summary>
internal sealed class NodeRouterItem(NodeState owner) : Published
{
    public override ItemRef Ref => new(ItemKind.LogicalRouter, Topology.Network.DefaultId);

    public override TopologyItem? For(NodeState node) => node != owner || owner.Facts is null ? null : new LogicalRouter
    {
        Id = Topology.Network.DefaultId,
        NetworkKey = Topology.Network.DefaultKey,
        Switches = owner.Facts.PodCidrs.IsEmpty ? [] : [owner.Name],
    };
}
