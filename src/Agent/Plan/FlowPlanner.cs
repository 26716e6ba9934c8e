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

    private readonly HashSet<string> _owners = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _endpointsOf = new(StringComparer.Ordinal);
    private readonly Dictionary<string, HashSet<string>> _balancersByEndpoints = new(StringComparer.Ordinal);

    private readonly GroupIds _groupIds = new();
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

    /// <summary>Owners computed since the start; tests assert that it follows the size of changes, not of the cluster.</summary>
    public long Computed { get; private set; }

    /// <summary>Computes everything. What no longer exists loses its flows.</summary>
    public void PlanAll(NodeFacts facts)
    {
        var owners = new HashSet<string>(StringComparer.Ordinal) { BaseFlows.Owner, SelfOwner };
        owners.UnionWith(facts.Slice.All<NodeEndpoint>().Where(n => n.Id != facts.NodeName).Select(n => RemotePrefix + n.Id));
        owners.UnionWith(facts.Ports.Keys.Select(p => PortPrefix + p));
        owners.UnionWith(facts.Slice.All<LoadBalancer>().Select(b => ServicePrefix + b.Id));
        owners.UnionWith(_owners);
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
        _policies.PlanPod(facts, port.Attachment.Pod);
    }

    private IEnumerable<string> OwnersOf(NodeFacts facts, ItemRef item) => item.Kind switch
    {
        ItemKind.LoadBalancer => [ServicePrefix + item.Id],
        ItemKind.EndpointSet => _balancersByEndpoints.GetValueOrDefault(item.Id) ?? [],
        ItemKind.NodeEndpoint when item.Id == facts.NodeName =>
            [SelfOwner, RemotePrefix + item.Id, .. facts.Slice.All<LoadBalancer>().Select(b => ServicePrefix + b.Id)],
        ItemKind.NodeEndpoint => [RemotePrefix + item.Id],
        ItemKind.LogicalPort => facts.Ports.Where(p => p.Value.Attachment.Pod == item.Id).Select(p => PortPrefix + p.Key),
        _ => [],
    };

    /// <summary>Whether the flow with this key is one of an attached port's own.</summary>
    public bool OwnsFlow(string portId, FlowKey key) => Flows.OwnerOf(key) == PortPrefix + portId;

    private static IEnumerable<Flow> FlowsOf(NodeFacts facts, string owner)
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

        return facts.Ports.TryGetValue(owner[PortPrefix.Length..], out var port)
            ? PodFlows.Plan(port, facts.Slice.Port(port.Attachment.Pod)?.AwaitPolicies == true)
            : [];
    }

    private void PlanService(NodeFacts facts, string owner, string id)
    {
        var balancer = facts.Slice.Find<LoadBalancer>(ItemKind.LoadBalancer, id);
        if (_endpointsOf.Remove(owner, out var before) && _balancersByEndpoints.TryGetValue(before, out var sharers))
        {
            sharers.Remove(owner);
        }

        if (balancer is not null)
        {
            _endpointsOf[owner] = balancer.Endpoints;
            if (!_balancersByEndpoints.TryGetValue(balancer.Endpoints, out var owners))
            {
                _balancersByEndpoints[balancer.Endpoints] = owners = [];
            }

            owners.Add(owner);
        }

        if (balancer is null)
        {
            _groupIds.ReleaseOf(id);
        }

        HostServices.Set(facts, id, balancer);
        var plan = balancer is null ? ServicePlan.Empty : ServicePlan.Of(facts, balancer, _groupIds);
        Stale.Take(facts, id, balancer, plan);
        Groups.Replace(owner, plan.Groups.Select(g => KeyValuePair.Create(g.Id, g)));
        Flows.Replace(owner, plan.Flows.Select(f => KeyValuePair.Create(f.Key, f)));
    }

    private void PlanOwners(NodeFacts facts, IEnumerable<string> owners)
    {
        foreach (var owner in owners)
        {
            Computed++;
            _owners.Add(owner);
            if (owner.StartsWith(ServicePrefix, StringComparison.Ordinal))
            {
                PlanService(facts, owner, owner[ServicePrefix.Length..]);
                continue;
            }

            Flows.Replace(owner, FlowsOf(facts, owner).Select(f => KeyValuePair.Create(f.Key, f)));
        }
    }
}
