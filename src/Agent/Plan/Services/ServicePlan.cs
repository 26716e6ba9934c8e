using System.Collections.Immutable;
using System.Net;
using Weft.Agent.Facts;
using Weft.Agent.Plan.Pipeline;
using Weft.OpenFlow;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Instructions;
using Weft.Topology;

namespace Weft.Agent.Plan.Services;

/// <summary>What one Service port needs in the switch (docs/design/services.md).</summary>
/// <param name="Groups">Groups that choose the endpoint, those that others name first.</param>
/// <param name="Flows">The flows that lead to them.</param>
/// <param name="Endpoints">For UDP, every endpoint that a connection may go to; empty for others, which end by themselves.</param>
public sealed record ServicePlan(IReadOnlyList<Group> Groups, IReadOnlyList<Flow> Flows, ImmutableHashSet<IPEndPoint> Endpoints)
{
    /// <summary>Nothing: the address leads to the node, which refuses it at once.</summary>
    public static readonly ServicePlan Empty = new([], [], []);

    /// <summary>The name behind the cookies of a Service's flows.</summary>
    public static string OwnerOf(LoadBalancer balancer) => "service " + balancer.Service;

    /// <summary>Plans a Service port. Without endpoints it has no flow.</summary>
    /// <param name="facts">This node, and the endpoints.</param>
    /// <param name="balancer">The Service port.</param>
    /// <param name="ids">Gives ids to groups beyond the first.</param>
    public static ServicePlan Of(NodeFacts facts, LoadBalancer balancer, GroupIds ids)
    {
        var endpoints = EndpointsOf(facts, balancer);
        var all = EndpointTarget.All(facts, balancer, endpoints, ids);
        if (all.IsEmpty)
        {
            return Empty;
        }

        var local = balancer.InternalLocal || balancer.ExternalLocal ? EndpointTarget.Local(facts, balancer, endpoints, ids) : all;
        var draft = new ServiceFlows(facts, balancer);
        draft.Inside(balancer.InternalLocal ? local : all);
        draft.Outside(all, balancer.ExternalLocal ? local : null);
        EndpointTarget[] used = ReferenceEquals(all, local) ? [all] : [all, local];
        used = [.. used.Where(draft.Uses)];
        return new ServicePlan(
            [.. used.SelectMany(t => t.Groups)],
            [.. draft.Flows, .. used.SelectMany(t => t.Flows)],
            balancer.Protocol == Protocol.Udp ? [.. used.SelectMany(t => t.Endpoints)] : []);
    }

    /// <summary>Plans how a tenant's network reaches the ClusterIP of a Service port that it shares: not at all while no pod of it is here. The groups are those of <see cref="Of"/>.</summary>
    public static IReadOnlyList<Flow> Shared(NodeFacts facts, LoadBalancer balancer, Network network, GroupIds ids)
    {
        var endpoints = EndpointsOf(facts, balancer);
        if (network.Key == balancer.NetworkKey || !facts.PortsOf(network.Key).Any() || !network.SharedServices.Contains(balancer.Service) || EndpointTarget.All(facts, balancer, endpoints, ids) is not { IsEmpty: false } all)
        {
            return [];
        }

        var draft = new ServiceFlows(facts, balancer);
        draft.InsideOf(network, balancer.InternalLocal ? EndpointTarget.Local(facts, balancer, endpoints, ids) : all);
        return draft.Flows;
    }

    private static IEnumerable<Topology.Endpoint> EndpointsOf(NodeFacts facts, LoadBalancer balancer) =>
        facts.Slice.Find<EndpointSet>(ItemKind.EndpointSet, balancer.Endpoints)?.Endpoints ?? [];
}

/// <summary>Writes the flows of table ServiceLb for one Service port.</summary>
internal sealed class ServiceFlows(NodeFacts facts, LoadBalancer balancer)
{
    private readonly ulong _cookie = Cookies.Of(FlowFeature.Service, ServicePlan.OwnerOf(balancer));
    private readonly HashSet<EndpointTarget> _used = new(ReferenceEqualityComparer.Instance);

    public List<Flow> Flows { get; } = [];

    /// <summary>Whether a flow leads to these endpoints.</summary>
    public bool Uses(EndpointTarget target) => _used.Contains(target);

    /// <summary>The ClusterIP: only pods and this node itself use it.</summary>
    public void Inside(EndpointTarget target)
    {
        if (IPAddress.TryParse(balancer.ClusterIp, out var address))
        {
            Lead(On(Priorities.Normal, Packets.To(address), address.IsV6(), balancer.Port), target);
        }
    }

    /// <summary>The ClusterIP in a network that shares the Service.</summary>
    public void InsideOf(Network network, EndpointTarget target)
    {
        if (IPAddress.TryParse(balancer.ClusterIp, out var address))
        {
            // The connection is marked: it leaves the tenant's network whatever the endpoint's address is.
            var shared = new FlowDraft(Tables.ServiceLb, Priorities.Normal, _cookie)
                .When(Fields.Metadata.Is((ulong)network.Key), Packets.Family(address), Fields.IpProto.Is((byte)balancer.Protocol), Packets.To(address), PortField.Is((ushort)balancer.Port));
            Lead(shared.Do(Registers.Source.Load((uint)PacketSource.Shared)), target);
        }
    }

    /// <summary>Everything by which the world outside reaches the Service. Pods and this node itself always have all endpoints.</summary>
    /// <param name="all">All endpoints.</param>
    /// <param name="local">What is left for connections from outside, or null: all.</param>
    public void Outside(EndpointTarget all, EndpointTarget? local)
    {
        foreach (var address in Parsed(balancer.ExternalIps))
        {
            Virtual(address, all, local, []);
            if (facts.Self?.Addresses.Contains(address.ToString()) == true)
            {
                // The host takes packets to its own address itself; its rules turn the address as they do for node ports.
                Virtual(address.IsV6() ? BridgePorts.NodePortV6 : BridgePorts.NodePortV4, all, local, []);
            }
        }

        var ranges = balancer.SourceRanges.Select(IPNetwork.Parse).ToList();
        foreach (var address in Parsed(balancer.LoadBalancerIps))
        {
            Virtual(address, all, local, ranges);
        }

        if (balancer.NodePort > 0)
        {
            Both(Registers.NodeAddress.Is(1), IsV6, balancer.NodePort, [], all, local);
        }
    }

    private bool IsV6 => balancer.Id.EndsWith("/6", StringComparison.Ordinal);

    private static IEnumerable<IPAddress> Parsed(IEnumerable<string> addresses) =>
        addresses.Select(a => IPAddress.TryParse(a, out var address) ? address : null).OfType<IPAddress>().Distinct();

    private void Virtual(IPAddress address, EndpointTarget all, EndpointTarget? local, List<IPNetwork> ranges)
    {
        foreach (var range in ranges)
        {
            Both(Packets.To(address), address.IsV6(), balancer.Port, [Packets.From(range)], all, local);
        }

        if (ranges.Count == 0)
        {
            Both(Packets.To(address), address.IsV6(), balancer.Port, [], all, local);
        }
        else
        {
            Flows.Add(On(Priorities.Rest, Packets.To(address), address.IsV6(), balancer.Port).End());
        }
    }

    private void Both(FieldMatch address, bool v6, int port, ReadOnlySpan<FieldMatch> more, EndpointTarget all, EndpointTarget? local)
    {
        Lead(On(Priorities.Normal, address, v6, port).When(more), all);
        if (local is not null)
        {
            Lead(On(Priorities.Host, address, v6, port).When(more).When(Registers.Outside.Is(1)), local);
        }
    }

    private FlowDraft On(ushort priority, FieldMatch address, bool v6, int port) => new FlowDraft(Tables.ServiceLb, priority, _cookie).When(
        Fields.Metadata.Is((ulong)balancer.NetworkKey), v6 ? Packets.Ipv6 : Packets.Ip, Fields.IpProto.Is((byte)balancer.Protocol), address, PortField.Is((ushort)port))
        .When(balancer.OutsideOnly ? [Registers.From(PacketSource.Gateway)] : []);

    // Where the policy is Local and no endpoint is here, the packet is dropped: other nodes have endpoints, so it must not be refused.
    private void Lead(FlowDraft draft, EndpointTarget target)
    {
        if (target.IsEmpty)
        {
            Flows.Add(draft.End());
            return;
        }

        _used.Add(target);
        Flows.Add(target.Lead(draft));
    }

    private Field<ushort> PortField => balancer.Protocol switch
    {
        Protocol.Udp => Fields.UdpDst,
        Protocol.Sctp => Fields.SctpDst,
        _ => Fields.TcpDst,
    };
}
