using System.Net;
using Weft.Agent.Facts;
using Weft.Agent.Plan.Pipeline;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Entries;
using Weft.Topology;
using Endpoint = Weft.Topology.Endpoint;

namespace Weft.Agent.Plan.Services;

/// <summary>Endpoints that new connections are shared among: all of a Service port, or those of this node.</summary>
internal sealed class EndpointTarget
{
    private readonly LoadBalancer _balancer;
    private readonly uint _id;
    private readonly IReadOnlyList<Endpoint> _endpoints;
    private readonly bool _slots;

    private EndpointTarget(LoadBalancer balancer, IReadOnlyList<Endpoint> endpoints, uint id, Func<int, uint> partId)
    {
        (_balancer, _id) = (balancer, id);
        _endpoints = endpoints;
        IsEmpty = endpoints.Count == 0;
        if (IsEmpty)
        {
            return;
        }

        var affinity = balancer.AffinitySeconds > 0;
        Groups = EndpointGroups.Of(id, endpoints, affinity ? AffinityFlows.Remember : e => Translate(balancer, e), partId);
        _slots = !affinity && EndpointSlots.Apply(endpoints.Count);
        Flows = affinity ? [.. AffinityFlows.Of(balancer, id, endpoints)] : _slots ? [.. EndpointSlots.Of(balancer, id, endpoints)] : [];
    }

    /// <summary>No endpoint.</summary>
    public bool IsEmpty { get; }

    /// <summary>The endpoints.</summary>
    public IEnumerable<IPEndPoint> Endpoints => _endpoints.Select(e => new IPEndPoint(IPAddress.Parse(e.Address), e.Port));

    /// <summary>The groups, those that others name first.</summary>
    public IReadOnlyList<Group> Groups { get; } = [];

    /// <summary>Flows outside of table ServiceLb.</summary>
    public IReadOnlyList<Flow> Flows { get; } = [];

    /// <summary>All endpoints that this node may use.</summary>
    public static EndpointTarget All(NodeFacts facts, LoadBalancer balancer, IEnumerable<Endpoint> endpoints, GroupIds ids) => new(
        balancer, EndpointChoice.For(endpoints, facts.NodeName, facts.Self?.Zone, localOnly: false), (uint)balancer.Key, Parts(ids, balancer.Id));

    /// <summary>The endpoints of this node.</summary>
    public static EndpointTarget Local(NodeFacts facts, LoadBalancer balancer, IEnumerable<Endpoint> endpoints, GroupIds ids) => new(
        balancer, EndpointChoice.For(endpoints, facts.NodeName, facts.Self?.Zone, localOnly: true), ids.Of(GroupIds.Local(balancer.Id)), Parts(ids, GroupIds.Local(balancer.Id)));

    /// <summary>Ends a flow of table ServiceLb so that it leads here.</summary>
    public Flow Lead(FlowDraft draft) => _balancer.AffinitySeconds > 0
        ? draft.Do(Registers.Service.Load(1), Registers.Group.Load(_id), new Resubmit(Tables.ServiceAffinity.Id)).Goto(Tables.ServiceEndpoint)
        : _slots ? draft.Do(Registers.Service.Load(1), Registers.Group.Load(_id)).Goto(Tables.ServiceEndpoint)
        : draft.Do(Registers.Service.Load(1), new ToGroup(_id)).End();

    /// <summary>Commits the connection with the endpoint as its destination, and notes where it came from.</summary>
    public static ActionList Translate(LoadBalancer balancer, Endpoint endpoint) => ActionList.Of(new Conntrack
    {
        Commit = true,
        ZoneSource = Registers.Zone,
        Table = Tables.EgressAdmin.Id,
        Nat = new Nat(NatKind.Destination) { Address = IPAddress.Parse(endpoint.Address), Port = (ushort)endpoint.Port },
        Exec = balancer.OutsideOnly ? ActionList.Of(Registers.Source.MoveTo(Marks.ServiceSource), Marks.Published.Load(1)) : ActionList.Of(Registers.Source.MoveTo(Marks.ServiceSource)),
    });

    private static Func<int, uint> Parts(GroupIds ids, string name) => part => ids.Of(GroupIds.Part(name, part));
}
