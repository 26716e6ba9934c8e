using Weft.Agent.Facts;
using Weft.Agent.Plan.Features;
using Weft.Agent.Plan.Policies;
using Weft.Agent.Plan.Services;
using Weft.OpenFlow.Entries;
using Weft.Topology;

namespace Weft.Agent.Plan;

/// <summary>Computes the flows of this node from facts, owner by owner. The result depends on the last facts only, never on the way to them.</summary>
/// <remarks>Not thread-safe; owned by the agent's loop.</remarks>
public sealed class FlowPlanner
{
    private const string PortPrefix = "port ";
    private const string RemotePrefix = "remote ";
    private const string SelfOwner = "self";
    private const string ServicePrefix = "service ";
    private const string NetworkPrefix = "network ";
    private const string TenantPortPrefix = "tenant ";
    private const string SharedPrefix = "shared ";

    private readonly SharedServices _shared = new();
    private readonly Dictionary<string, int> _networkKeys = new(StringComparer.Ordinal);
    private readonly HashSet<string> _owners = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _endpointsOf = new(StringComparer.Ordinal);

    // Nearly always one; there are as many as Service ports, so an array rather than a set.
    private readonly Dictionary<string, string[]> _balancersByEndpoints = new(StringComparer.Ordinal);

    private readonly GroupIds _groupIds = new();
    private readonly Dictionary<string, string> _notPlanned = new(StringComparer.Ordinal);
    private readonly PolicyPlanner _policies;

    /// <summary>An empty plan.</summary>
    public FlowPlanner() => _policies = new PolicyPlanner(Flows);

    /// <summary>The flows that the switch must hold.</summary>
    public OwnedEntries<FlowKey, Flow> Flows { get; } = new();

    /// <summary>The groups that the switch must hold, by id.</summary>
    public OwnedEntries<uint, Group> Groups { get; } = new();

    /// <summary>Connections that the switch must forget once the plan is in effect.</summary>
    public StaleConnections Stale { get; } = new();

    /// <summary>What the host must know of Services.</summary>
    public HostServices HostServices { get; } = new();

    /// <summary>The part that plans policies, for its work counters.</summary>
    public PolicyPlanner Policies => _policies;

    /// <summary>What could not be planned, and why: such owners have no flows, so their traffic is dropped, and all others are planned.</summary>
    public IEnumerable<KeyValuePair<string, string>> NotPlanned => _notPlanned.Concat(_policies.NotPlanned);

    /// <summary>Owners computed since the start; tests assert that it follows the size of changes, not of the cluster.</summary>
    public long Computed { get; private set; }

    /// <summary>Flows of networks, ports and nodes computed since the start, changed or not; tests assert that it follows the size of changes, too.</summary>
    public long FlowsComputed { get; private set; }

    /// <summary>Computes everything. What no longer exists loses its flows.</summary>
    public void PlanAll(NodeFacts facts)
    {
        var owners = new HashSet<string>(StringComparer.Ordinal) { BaseFlows.Owner, SelfOwner };
        owners.UnionWith(facts.Slice.All<NodeEndpoint>().Where(n => n.Id != facts.NodeName).Select(n => RemotePrefix + n.Id));
        owners.UnionWith(facts.Ports.Keys.Select(p => PortPrefix + p));
        owners.UnionWith(facts.Slice.All<LoadBalancer>().Select(b => ServicePrefix + b.Id));
        owners.UnionWith(facts.Slice.All<Network>().Where(n => n.Key > Network.DefaultKey).Select(n => NetworkPrefix + n.Id));
        owners.UnionWith(facts.Slice.All<LogicalPort>().Where(p => p.NetworkKey > Network.DefaultKey).Select(p => TenantPortPrefix + p.Id));
        owners.UnionWith(_owners);
        foreach (var network in facts.Slice.All<Network>())
        {
            _networkKeys[network.Id] = network.Key;
            owners.UnionWith(_shared.TakeNetwork(facts, network.Id).Select(OwnerOf));
        }

        PlanOwners(facts, owners);
        _policies.PlanAll(facts);
    }

    /// <summary>Computes what depends on the changed items.</summary>
    public void PlanItems(NodeFacts facts, IReadOnlyCollection<ItemRef> changed)
    {
        PlanOwners(facts, changed.SelectMany(c => OwnersOf(facts, c)).Distinct(StringComparer.Ordinal).ToList());
        _policies.PlanItems(facts, changed);
    }

    /// <summary>Computes one attached port again, present or gone.</summary>
    /// <param name="facts">The facts after the change.</param>
    /// <param name="port">The port as it is or was.</param>
    public void PlanPort(NodeFacts facts, AttachedPort port)
    {
        PlanOwners(facts, [PortPrefix + port.Id]);
        if (port.Attachment.NetworkKey is var key && key != Network.DefaultKey)
        {
            PlanOwners(facts, [TenantPortPrefix + port.Attachment.Pod, .. NetworkOwners(facts, key), .. SharedOwners(facts, key)]);
        }

        _policies.PlanPod(facts, port.Attachment.Pod);
    }

    /// <summary>Computes what depends on what a port learned of names.</summary>
    public void PlanNames(NodeFacts facts, string portId) => _policies.PlanNames(facts, portId);

    private IEnumerable<string> OwnersOf(NodeFacts facts, ItemRef item) => item.Kind switch
    {
        ItemKind.LoadBalancer when item.Id.StartsWith(Slice.ClusterDnsService + "/", StringComparison.Ordinal) =>
            [.. OwnersOfBalancer(facts, item.Id), .. facts.Slice.All<Network>().Where(n => n.Key != Network.DefaultKey).Select(n => NetworkPrefix + n.Id)],
        ItemKind.LoadBalancer => OwnersOfBalancer(facts, item.Id),
        ItemKind.EndpointSet => (_balancersByEndpoints.GetValueOrDefault(item.Id) ?? []).SelectMany(o => OwnersOfBalancer(facts, o[ServicePrefix.Length..])),
        ItemKind.NodeEndpoint when item.Id == facts.NodeName =>
            [SelfOwner, RemotePrefix + item.Id, .. facts.Slice.All<LoadBalancer>().SelectMany(b => OwnersOfBalancer(facts, b.Id))],
        ItemKind.NodeEndpoint =>
            [RemotePrefix + item.Id, .. facts.Slice.All<LogicalPort>().Where(p => p.NetworkKey > Network.DefaultKey && p.Node == item.Id).Select(p => TenantPortPrefix + p.Id)],
        ItemKind.ClusterSettings => [SelfOwner, .. facts.Slice.All<Network>().Where(n => n.Key != Network.DefaultKey).Select(n => NetworkPrefix + n.Id)],
        ItemKind.LogicalPort => facts.Ports.Where(p => p.Value.Attachment.Pod == item.Id).Select(p => PortPrefix + p.Key).Append(TenantPortPrefix + item.Id),
        ItemKind.Network => OwnersOfNetwork(facts, item.Id),
        ItemKind.LogicalRouter => OwnersOfRouter(facts, item.Id),
        ItemKind.LogicalSwitch when facts.Slice.Switch(item.Id) is { NetworkKey: > Network.DefaultKey } lswitch => NetworkOwners(facts, lswitch.NetworkKey),
        ItemKind.LogicalSwitch => facts.Slice.All<Network>().Where(n => n.Key != Network.DefaultKey).Select(n => NetworkPrefix + n.Id),
        _ => [],
    };

    private static IEnumerable<string> NetworkOwners(NodeFacts facts, int key) =>
        TenantFlows.NetworkOf(facts, key) is { } network ? [NetworkPrefix + network.Id] : [];

    /// <summary>The Services that a network shares: only its pods here ask for them, so they are others when the first one came or the last one went.</summary>
    private IEnumerable<string> SharedOwners(NodeFacts facts, int key) =>
        facts.PortsOf(key).Take(2).Count() < 2 && TenantFlows.NetworkOf(facts, key) is { } network ? _shared.Of(network.Id).Select(OwnerOf) : [];

    /// <summary>A tenant's router has its network's id. Its routes lead to ports.</summary>
    private static IEnumerable<string> OwnersOfRouter(NodeFacts facts, string id) =>
        facts.Slice.Find<Network>(ItemKind.Network, id) is { Key: > Network.DefaultKey } network ? [NetworkPrefix + id, .. PortsOf(facts, network.Key)] : [];

    private static IEnumerable<string> PortsOf(NodeFacts facts, int key) =>
        facts.Slice.In<LogicalPort>(key).Select(p => TenantPortPrefix + p.Id);

    /// <summary>A Service port, and the networks that share it.</summary>
    private IEnumerable<string> OwnersOfBalancer(NodeFacts facts, string id) => _shared.TakeBalancer(facts, id).Select(OwnerOf).Prepend(ServicePrefix + id);

    // A Service port's id has no space, a network's neither.
    private static string OwnerOf((string Balancer, string Network) shared) => $"{SharedPrefix}{shared.Balancer} {shared.Network}";

    /// <summary>A network, its ports, and the Services that it shares, or shared before.</summary>
    private IEnumerable<string> OwnersOfNetwork(NodeFacts facts, string id)
    {
        yield return NetworkPrefix + id;
        var network = facts.Slice.Find<Network>(ItemKind.Network, id);

        // A key that it had before may be another's now.
        foreach (var key in new[] { network?.Key ?? 0, _networkKeys.GetValueOrDefault(id) }.Distinct())
        {
            foreach (var owner in PortsOf(facts, key).Concat(key > Network.DefaultKey ? NetworkOwners(facts, key) : []))
            {
                yield return owner;
            }
        }

        foreach (var shared in _shared.TakeNetwork(facts, id))
        {
            yield return OwnerOf(shared);
        }

        if (network is null)
        {
            _networkKeys.Remove(id);
        }
        else
        {
            _networkKeys[id] = network.Key;
        }
    }

    /// <summary>Whether the flow with this key is one of an attached port's own.</summary>
    public bool OwnsFlow(string portId, FlowKey key) => Flows.OwnerOf(key) == PortPrefix + portId;

    private IEnumerable<Flow> FlowsOf(NodeFacts facts, string owner)
    {
        if (owner == BaseFlows.Owner)
        {
            return BaseFlows.Plan();
        }

        if (owner == SelfOwner)
        {
            return NodeFlows.PlanSelf(facts);
        }

        if (owner.StartsWith(RemotePrefix, StringComparison.Ordinal))
        {
            var name = owner[RemotePrefix.Length..];
            return name != facts.NodeName && facts.Slice.Node(name) is { } node ? NodeFlows.PlanRemote(node) : [];
        }

        if (owner.StartsWith(SharedPrefix, StringComparison.Ordinal))
        {
            var (balancer, network) = (owner[SharedPrefix.Length..owner.LastIndexOf(' ')], owner[(owner.LastIndexOf(' ') + 1)..]);

            // Without the Service's groups its flows are none.
            return !_notPlanned.ContainsKey(ServicePrefix + balancer) && facts.Slice.Find<LoadBalancer>(ItemKind.LoadBalancer, balancer) is { } shared && facts.Slice.Find<Network>(ItemKind.Network, network) is { } sharer
                ? ServicePlan.Shared(facts, shared, sharer, _groupIds)
                : [];
        }

        if (owner.StartsWith(NetworkPrefix, StringComparison.Ordinal))
        {
            return facts.Slice.Find<Network>(ItemKind.Network, owner[NetworkPrefix.Length..]) is { Key: > Network.DefaultKey } network ? TenantFlows.Plan(facts, network) : [];
        }

        if (owner.StartsWith(TenantPortPrefix, StringComparison.Ordinal))
        {
            return facts.Slice.Port(owner[TenantPortPrefix.Length..]) is { NetworkKey: > Network.DefaultKey } logical ? TenantFlows.PlanPort(facts, logical) : [];
        }

        return facts.Ports.TryGetValue(owner[PortPrefix.Length..], out var port)
            ? PodFlows.Plan(port, IsCutOff(facts, port))
            : [];
    }

    /// <summary>
    /// No policy is about this port any more, though the runtime has not removed it yet: its pod ended, was deleted by force, or made again under
    /// the same name; or the pod is in the network that it had before it got another one.
    /// </summary>
    private static bool IsCutOff(NodeFacts facts, AttachedPort port) => facts.Slice.Port(port.Attachment.Pod) is not { } logical
        || (logical.NetworkKey > 0 && logical.NetworkKey != port.Attachment.NetworkKey)
        || (port.Attachment.Uid.Length > 0 && logical.Uid.Length > 0 && logical.Uid != port.Attachment.Uid);

    private void PlanService(NodeFacts facts, string owner, string id, LoadBalancer? balancer)
    {
        NoteEndpoints(owner, balancer?.Endpoints);
        if (balancer is null)
        {
            _groupIds.ReleaseOf(id);
        }

        HostServices.Set(facts, id, balancer);
        var plan = balancer is null ? ServicePlan.Empty : ServicePlan.Of(facts, balancer, _groupIds);
        Stale.Take(facts, id, balancer, plan);
        Groups.Replace(owner, plan.Groups.Select(g => KeyValuePair.Create(g.Id, g)));
        FlowsComputed += plan.Flows.Count;
        Flows.Replace(owner, plan.Flows.Select(f => KeyValuePair.Create(f.Key, f)));
    }

    /// <summary>Notes which set of endpoints a Service port has now; null for none.</summary>
    private void NoteEndpoints(string owner, string? endpoints)
    {
        var before = _endpointsOf.GetValueOrDefault(owner);
        if (before == endpoints)
        {
            return;
        }

        if (before is not null)
        {
            _endpointsOf.Remove(owner);
            if (_balancersByEndpoints[before] is { Length: > 1 } sharers)
            {
                _balancersByEndpoints[before] = [.. sharers.Where(s => s != owner)];
            }
            else
            {
                _balancersByEndpoints.Remove(before);
            }
        }

        if (endpoints is not null)
        {
            _endpointsOf[owner] = endpoints;
            _balancersByEndpoints[endpoints] = [.. _balancersByEndpoints.GetValueOrDefault(endpoints) ?? [], owner];
        }
    }

    private void PlanOwners(NodeFacts facts, IEnumerable<string> owners)
    {
        foreach (var owner in owners)
        {
            Computed++;
            _owners.Add(owner);
            try
            {
                PlanOwner(facts, owner);
                _notPlanned.Remove(owner);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                // Whatever a controller of another version, or a broken one, says of one object: the node goes on with the others.
                _notPlanned[owner] = e.Message;
                Withdraw(facts, owner);
            }
        }
    }

    private void PlanOwner(NodeFacts facts, string owner)
    {
        if (owner.StartsWith(ServicePrefix, StringComparison.Ordinal))
        {
            var id = owner[ServicePrefix.Length..];
            PlanService(facts, owner, id, facts.Slice.Find<LoadBalancer>(ItemKind.LoadBalancer, id));
            return;
        }

        var flows = facts.SwitchAdvertises ? FlowsOf(facts, owner) : FlowsOf(facts, owner).Select(Neighbours.ByAgent);
        var all = flows.Select(f => KeyValuePair.Create(f.Key, f)).ToList();
        FlowsComputed += all.Count;
        Flows.Replace(owner, all);
    }

    private void Withdraw(NodeFacts facts, string owner)
    {
        if (owner.StartsWith(ServicePrefix, StringComparison.Ordinal))
        {
            var id = owner[ServicePrefix.Length..];
            PlanService(facts, owner, id, null);

            // It is planned again when its endpoints are others.
            NoteEndpoints(owner, facts.Slice.Find<LoadBalancer>(ItemKind.LoadBalancer, id)?.Endpoints);
            return;
        }

        Flows.Replace(owner, []);
    }
}
