using Weft.Topology;

namespace Weft.Controller.Network;

/// <summary>A port with what only the controller knows of it.</summary>
/// <param name="Port">The record that its node has.</param>
/// <param name="Addresses">The pod's addresses as Kubernetes knows them.</param>
public sealed record PortView(LogicalPort Port, IReadOnlyList<string> Addresses);

/// <summary>The whole logical network, for people who look at it; a node's slice is never made from this.</summary>
public sealed class TopologyView
{
    private readonly NodeTable _nodes;
    private readonly PodTable _pods;
    private readonly GroupTable _groups;
    private readonly PolicyTable _policies;
    private readonly ServiceTable _services;

    private readonly TenantTable _tenants;

    internal TopologyView(NodeTable nodes, PodTable pods, GroupTable groups, PolicyTable policies, ServiceTable services, TenantTable tenants) =>
        (_nodes, _pods, _groups, _policies, _services, _tenants) = (nodes, pods, groups, policies, services, tenants);

    /// <summary>Every logical switch.</summary>
    public IEnumerable<LogicalSwitch> Switches => NodeSwitches.Concat(_tenants.Subnets.Select(s => s.Switch.Item).OfType<LogicalSwitch>());

    /// <summary>The name of the Vpc whose network has this key, or null.</summary>
    public string? VpcOf(int key) => _tenants.Vpcs.FirstOrDefault(v => v.Key == key)?.Name;

    private IEnumerable<LogicalSwitch> NodeSwitches => _nodes.All.Select(n => n.Switch.For(n)).OfType<LogicalSwitch>();

    /// <summary>Every tenant's network.</summary>
    public IEnumerable<Topology.Network> Networks => _tenants.Vpcs.Select(v => v.Network.Item).OfType<Topology.Network>();

    /// <summary>Every logical router, with all of its switches.</summary>
    public IEnumerable<LogicalRouter> Routers =>
    [
        new LogicalRouter
        {
            Id = Topology.Network.DefaultId,
            NetworkKey = Topology.Network.DefaultKey,
            Switches = NodeSwitches.Select(s => s.Id).ToEquatableArray(),
        },
        .. _tenants.Vpcs.Select(v => v.Router.Item).OfType<LogicalRouter>(),
    ];

    /// <summary>Every logical port.</summary>
    public IEnumerable<PortView> Ports => _pods.All.Where(p => p.Network != 0).Select(p => new PortView((LogicalPort)p.For(p.Node!)!, p.Addresses));

    /// <summary>Every load balancer with its endpoints.</summary>
    public IEnumerable<(LoadBalancer Balancer, EndpointSet Endpoints)> LoadBalancers =>
        _services.Ports.Select(p => (p.LoadBalancer.Item!, p.Endpoints.Item!));

    /// <summary>Every set of addresses that rules use, with the number of nodes that have it.</summary>
    public IEnumerable<(AddressSet Set, int Nodes)> AddressSets => _groups.Peers.Select(p => (p.Item, p.NeededBy.Count));

    /// <summary>Every policy, with the number of nodes that have it.</summary>
    public IEnumerable<(Policy Policy, int Nodes)> Policies => _policies.All.Select(p => (p.Compiled!.Item, p.Compiled.Target.LocalPods.Count));

    /// <summary>The nodes.</summary>
    public IEnumerable<NodeEndpoint> Nodes => _nodes.All.Select(n => n.Facts).OfType<NodeEndpoint>();
}
