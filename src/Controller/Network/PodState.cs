using Weft.Topology;

namespace Weft.Controller.Network;

/// <summary>An active pod: bound to a node, with a network of its own, not ended.</summary>
internal sealed class PodState(NamespaceState ns, string name) : Published
{
    public NamespaceState Namespace => ns;

    public string Name => name;

    public string Uid { get; set; } = "";

    public int Key { get; set; }

    /// <summary>The node; null once the pod is gone.</summary>
    public NodeState? Node { get; set; }

    /// <summary>The pods that no selector can tell from this one; null once the pod is gone.</summary>
    public PodClass? Class { get; set; }

    /// <summary>Its addresses, canonical.</summary>
    public string[] Addresses { get; set; } = [];

    public int IndexInNode { get; set; }

    public int IndexInClass { get; set; }

    public string Id => $"{ns.Name}/{name}";

    public override ItemRef Ref => new(ItemKind.LogicalPort, Id);

    public override TopologyItem? For(NodeState node) => node != Node ? null : new LogicalPort
    {
        Id = Id,
        Uid = Uid,
        Node = node.Name,
        Switch = node.Name,
        Key = Key,
    };
}
