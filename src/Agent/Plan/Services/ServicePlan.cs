using System.Net;
using Weft.Agent.Facts;
using Weft.Agent.Plan.Pipeline;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;
using Weft.Topology;
using Endpoint = Weft.Topology.Endpoint;

namespace Weft.Agent.Plan.Services;

/// <summary>What one Service port needs in the switch: a group that chooses the endpoint and the flows that lead to it.</summary>
/// <param name="Groups">At most one.</param>
/// <param name="Flows">One for each virtual address.</param>
public sealed record ServicePlan(IReadOnlyList<Group> Groups, IReadOnlyList<Flow> Flows)
{
    /// <summary>Buckets that fit into one GroupMod with room to spare: an OpenFlow message has at most 64 KiB.</summary>
    public const int MostBuckets = 480;

    /// <summary>Nothing: the address leads to the node, which refuses it at once.</summary>
    public static readonly ServicePlan Empty = new([], []);

    /// <summary>The name behind the cookies of a Service's flows.</summary>
    public static string OwnerOf(LoadBalancer balancer) => "service " + balancer.Service;

    /// <summary>Plans a Service port. Without endpoints it has no flow.</summary>
    public static ServicePlan Of(NodeFacts facts, LoadBalancer balancer)
    {
        var endpoints = EndpointChoice.For(
            facts.Slice.Find<EndpointSet>(ItemKind.EndpointSet, balancer.Endpoints)?.Endpoints ?? [],
            facts.NodeName, facts.Self?.Zone, balancer.InternalLocal);
        var addresses = VirtualAddresses(balancer).ToList();
        if (endpoints.Count == 0 || addresses.Count == 0)
        {
            return Empty;
        }

        var group = new Group((uint)balancer.Key, GroupType.Select, [.. endpoints.Take(MostBuckets).Select(e => new Bucket(Choose(e)) { Weight = 100 })]);
        var cookie = Cookies.Of(FlowFeature.Service, OwnerOf(balancer));
        var port = PortField(balancer.Protocol).Is((ushort)balancer.Port);
        return new ServicePlan([group],
        [
            .. addresses.Select(a => new FlowDraft(Tables.ServiceLb, Priorities.Normal, cookie)
                .When(Fields.Metadata.Is((ulong)balancer.NetworkKey), Packets.Family(a), Fields.IpProto.Is((byte)balancer.Protocol), Packets.To(a), port)
                .Do(new ToGroup(group.Id)).End()),
        ]);
    }

    private static ActionList Choose(Endpoint endpoint) => ActionList.Of(
        Registers.Service.Load(1),
        new Conntrack
        {
            Commit = true,
            ZoneSource = Registers.Zone,
            Table = Tables.EgressAdmin.Id,
            Nat = new Nat(NatKind.Destination) { Address = IPAddress.Parse(endpoint.Address), Port = (ushort)endpoint.Port },
        });

    private static IEnumerable<IPAddress> VirtualAddresses(LoadBalancer balancer) =>
        new[] { balancer.ClusterIp }.Concat(balancer.ExternalIps).Concat(balancer.LoadBalancerIps)
            .Select(a => IPAddress.TryParse(a, out var address) ? address : null).OfType<IPAddress>().Distinct();

    private static Field<ushort> PortField(Protocol protocol) => protocol switch
    {
        Protocol.Udp => Fields.UdpDst,
        Protocol.Sctp => Fields.SctpDst,
        _ => Fields.TcpDst,
    };
}
