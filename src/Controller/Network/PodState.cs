using Weft.Controller.Allocation;
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

    /// <summary>Its addresses in its network, canonical.</summary>
    public string[] Addresses { get; set; } = [];

    /// <summary>Its addresses as Kubernetes knows them, canonical; a tenant pod's are aliases that only its node uses.</summary>
    public string[] StatusAddresses { get; set; } = [];

    /// <summary>What it was given in a tenant's network, or null.</summary>
    public AddressClaim? Claim { get; set; }

    /// <summary>What it asks for.</summary>
    public PortRequest Request { get; set; } = PortRequest.None;

    /// <summary>What it is about to be given; no part of the result.</summary>
    public AddressClaim? Pending { get; set; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset Created { get; init; }

    /// <summary>The version of its object, while it waits for addresses.</summary>
    public string? Version { get; set; }

    /// <summary>The version with which addresses were looked for last.</summary>
    public string? TriedVersion { get; set; }

    /// <summary>It as an owner of addresses.</summary>
    public AddressOwner Owner => new(Uid, Id, Created);

    /// <summary>The tenant's network that it is in; null: the default one, or none yet.</summary>
    public VpcState? Vpc { get; set; }

    /// <summary>The key of its network; 0 while it has none.</summary>
    public int Network { get; set; } = Topology.Network.DefaultKey;

    /// <summary>Why it gets no address.</summary>
    public string? Problem { get; set; }

    public int IndexInNode { get; set; }

    public int IndexInClass { get; set; }

    public string Id => $"{ns.Name}/{name}";

    public override ItemRef Ref => new(ItemKind.LogicalPort, Id);

    public override TopologyItem? For(NodeState node)
    {
        if (Node is null || (node != Node && Vpc?.IsOn(node) != true) || (Network == 0 && Problem is null))
        {
            return null;
        }

        var port = new LogicalPort { Id = Id, Uid = Uid, Node = Node.Name, Switch = Node.Name, Key = Key };
        return Network switch
        {
            0 => port with { NetworkKey = 0, Problem = Problem },
            Topology.Network.DefaultKey => port,
            _ => port with { NetworkKey = Network, Switch = "subnet/" + Claim!.Subnet, Addresses = Claim.Addresses, Mac = RecordsOfTenants.MacOf(Claim) },
        };
    }
}
