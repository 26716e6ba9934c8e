using Weft.Controller.Allocation;
using Weft.Incremental;
using Weft.Kubernetes;
using Weft.Topology;

namespace Weft.Controller.Network;

/// <summary>Why an object of a tenant cannot be used, for its condition.</summary>
/// <param name="Reason">A CamelCase word.</param>
/// <param name="Message">What is wrong and what to do.</param>
internal sealed record TenantProblem(string Reason, string Message);

/// <summary>A Vpc and the pods in it. It may be known from its Subnets before Kubernetes tells of it.</summary>
internal sealed class VpcState
{
    /// <summary>The nodes that have pods of it, with their number.</summary>
    public CountMap<NodeState> Nodes;

    public VpcState(string name)
    {
        Name = name;
        Network = new VpcItem(this, ItemKind.Network);
        Router = new VpcItem(this, ItemKind.LogicalRouter);
    }

    public string Name { get; }

    /// <summary>The id of its network and router: no node and no other kind has such an id.</summary>
    public string Id => "vpc/" + Name;

    /// <summary>The object; null while Kubernetes does not know it.</summary>
    public V1Alpha1Vpc? Source { get; set; }

    /// <summary>The network's key; 0 while it has none.</summary>
    public int Key { get; set; }

    public TenantProblem? Problem { get; set; }

    /// <summary>Why it has no key.</summary>
    public string? KeyRefusal { get; set; }

    /// <summary>Pods that are about to be in it; no part of the result.</summary>
    public HashSet<PodState> Coming { get; } = [];

    /// <summary>The usable Subnets, by name.</summary>
    public List<SubnetState> Subnets { get; set; } = [];

    /// <summary>The Vpcs that are joined with it, and what takes part on both sides.</summary>
    public List<VpcPeer> Peers { get; set; } = [];

    public HashSet<PodState> Pods { get; } = [];

    /// <summary>The load balancers of its namespaces' Services.</summary>
    public HashSet<ServicePortItem> Services { get; } = [];

    /// <summary>The names of these Services.</summary>
    public HashSet<DnsNameItem> Names { get; } = [];

    public VpcItem Network { get; }

    public VpcItem Router { get; }

    /// <summary>Whether a node has the network: a pod of it, or of a peer, is there.</summary>
    public bool IsOn(NodeState node) => Nodes.Contains(node) || Peers.Exists(p => p.Vpc.Nodes.Contains(node));

    /// <summary>The nodes that have the network.</summary>
    public IEnumerable<NodeState> Audience()
    {
        if (Peers.Count == 0)
        {
            return Nodes.Items.ToArray();
        }

        var all = new HashSet<NodeState>(Nodes.Items.ToArray());
        Peers.ForEach(p => all.UnionWith(p.Vpc.Nodes.Items.ToArray()));
        return all;
    }

    public override string ToString() => Name;
}

/// <summary>Another Vpc that takes part.</summary>
/// <param name="Vpc">The other.</param>
/// <param name="Local">Ranges of this side.</param>
/// <param name="Remote">Ranges of the other.</param>
internal sealed record VpcPeer(VpcState Vpc, EquatableArray<string> Local, EquatableArray<string> Remote);

/// <summary>The network or the router of a Vpc; the record is made when the Vpc is settled.</summary>
internal sealed class VpcItem(VpcState owner, ItemKind kind) : Published
{
    public TopologyItem? Item { get; set; }

    public override ItemRef Ref => new(kind, owner.Id);

    public override TopologyItem? For(NodeState node) => owner.IsOn(node) ? Item : null;
}

/// <summary>A Subnet and what is given of it. It may be known from pods before Kubernetes tells of it.</summary>
internal sealed class SubnetState
{
    public SubnetState(string name)
    {
        Name = name;
        Switch = new SubnetItem(this);
    }

    public string Name { get; }

    /// <summary>The id of its switch: no node has such an id.</summary>
    public string Id => "subnet/" + Name;

    public V1Alpha1Subnet? Source { get; set; }

    /// <summary>The Vpc that it names; null while Kubernetes does not know the Subnet.</summary>
    public VpcState? Vpc { get; set; }

    /// <summary>The Vpc that its switch was told in last.</summary>
    public VpcState? Told { get; set; }

    public TenantProblem? Problem { get; set; }

    /// <summary>What is wrong with some namespaces that it names; the others are bound.</summary>
    public TenantProblem? Conflict { get; set; }

    /// <summary>Its ranges with their gateways.</summary>
    public List<(AddressRange Span, Place Gateway, string Cidr)> Ranges { get; set; } = [];

    public List<AddressRange> Excluded { get; set; } = [];

    /// <summary>The namespaces that are bound to it.</summary>
    public SortedSet<string> Namespaces { get; set; } = new(StringComparer.Ordinal);

    /// <summary>The pods that claim it.</summary>
    public HashSet<PodState> Pods { get; } = [];

    /// <summary>Who claims which address. Of two only one holds it (<see cref="AddressTable"/>).</summary>
    public Dictionary<Place, List<PodState>> Owners { get; } = [];

    /// <summary>Addresses on their way to a pod; no part of the result.</summary>
    public Dictionary<Place, PodState> Coming { get; } = [];

    public SubnetItem Switch { get; }

    public bool IsUsable => Source is not null && Problem is null && Vpc is { Key: > 0, Problem: null };

    public bool IsFreeFor(PodState pod, Place place) => !Owners.ContainsKey(place) && (!Coming.TryGetValue(place, out var other) || other == pod);

    public override string ToString() => Name;
}

/// <summary>The switch of a Subnet.</summary>
internal sealed class SubnetItem(SubnetState owner) : Published
{
    public TopologyItem? Item { get; set; }

    public override ItemRef Ref => new(ItemKind.LogicalSwitch, owner.Id);

    public override TopologyItem? For(NodeState node) => Item is not null && owner.Vpc?.IsOn(node) == true ? Item : null;
}
