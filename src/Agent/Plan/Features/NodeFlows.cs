using System.Net;
using Weft.Agent.Facts;
using Weft.Agent.Plan.Pipeline;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;
using Weft.Topology;

namespace Weft.Agent.Plan.Features;

/// <summary>The default network's router on this node: its gateway port, its tunnel port, and the way to the other nodes.</summary>
public static class NodeFlows
{
    private static readonly MacAddress RouterMac = MacAddress.Parse(BridgePorts.RouterMac);
    private static readonly MacAddress GatewayMac = MacAddress.Parse(BridgePorts.GatewayMac);
    private static readonly FieldMatch DefaultNetwork = Fields.Metadata.Is(Network.DefaultKey);

    /// <summary>The owner of this node's flows.</summary>
    public static string OwnerOf(string nodeName) => "node " + nodeName;

    /// <summary>Flows for this node's own ports and addresses.</summary>
    public static IEnumerable<Flow> PlanSelf(NodeFacts facts)
    {
        var cookie = Cookies.Of(FlowFeature.Node, OwnerOf(facts.NodeName));
        var subnets = facts.Subnets.ToList();
        var addresses = AddressesOf(facts.Self).ToList();
        return
        [
            .. Admission(cookie),
            .. subnets.SelectMany(s => Subnet(s, cookie)),
            .. addresses.Select(a => ToGateway(Priorities.Host, cookie).When(DefaultNetwork, Packets.Family(a), Packets.To(a)).Goto(Tables.EgressNat)),
            .. subnets.Select(s => s.Gateway).Concat(addresses).Select(a => FromSelf(a, cookie)),
            .. new[] { BridgePorts.ServiceHopV4, BridgePorts.ServiceHopV6 }.Select(a => Neighbours.Answer(Network.DefaultKey, a, RouterMac, isRouter: true, cookie)),
            .. DefaultRoute(cookie),
            .. subnets.Select(s => s.Gateway).Concat(addresses).Select(a => GatewayFlows.ToNode(a, cookie)),
            .. TenantEdge.Closed(facts.Self, cookie),
            .. TenantEdge.ClosedByCluster(facts.Slice.Settings, cookie),
            .. GatewayFlows.Plan([.. subnets.Select(s => s.Gateway)], addresses, cookie),
        ];
    }

    /// <summary>Flows for the way to another node. None while its tunnel address is not known.</summary>
    public static IEnumerable<Flow> PlanRemote(NodeEndpoint node)
    {
        var cookie = Cookies.Of(FlowFeature.Node, OwnerOf(node.Id));
        var addresses = AddressesOf(node).ToList();
        if (addresses.Count == 0)
        {
            yield break;
        }

        foreach (var closed in TenantEdge.Closed(node, cookie))
        {
            yield return closed;
        }

        var tunnelEnd = addresses[0];
        foreach (var subnet in PodSubnet.Of(node))
        {
            // The node's host asks for the other gateway's address: its next hop for that node's pods.
            yield return Neighbours.Answer(Network.DefaultKey, subnet.Gateway, RouterMac, isRouter: true, cookie);
            yield return GatewayFlows.ToNode(subnet.Gateway, cookie);
            yield return ToTunnel(tunnelEnd, cookie, Priorities.Normal).When(DefaultNetwork, Packets.Family(subnet.Gateway), Packets.To(subnet.Cidr)).Goto(Tables.EgressNat);
        }

        foreach (var address in addresses)
        {
            yield return ToTunnel(tunnelEnd, cookie, Priorities.Host).When(DefaultNetwork, Packets.Family(address), Packets.To(address)).Goto(Tables.EgressNat);
            yield return GatewayFlows.ToNode(address, cookie);
        }
    }

    private static IEnumerable<Flow> Admission(ulong cookie)
    {
        yield return new FlowDraft(Tables.Classifier, Priorities.Normal, cookie).When(Fields.InPort.Is(BridgePorts.Gateway))
            .Do(Registers.Source.Load((uint)PacketSource.Gateway), Registers.Zone.Load(ConntrackZones.Default))
            .SetNetwork(Network.DefaultKey).Goto(Tables.SpoofGuard);
        yield return new FlowDraft(Tables.Classifier, Priorities.Normal, cookie).When(Fields.InPort.Is(BridgePorts.Tunnel), Fields.TunId.Is(Network.DefaultKey))
            .Do(Registers.Source.Load((uint)PacketSource.Tunnel), Registers.Zone.Load(ConntrackZones.Default))
            .SetNetwork(Network.DefaultKey).Goto(Tables.Conntrack);
        yield return new FlowDraft(Tables.Classifier, Priorities.Normal, cookie).When(Fields.InPort.Is(BridgePorts.Tunnel), Fields.TunId.Is(Network.PublishedKey))
            .Do(Registers.Source.Load((uint)PacketSource.Tunnel), Registers.Published.Load(1), Registers.Zone.Load(ConntrackZones.Default))
            .SetNetwork(Network.DefaultKey).Goto(Tables.Conntrack);
        yield return new FlowDraft(Tables.EgressNat, Priorities.Rest, cookie).When(Registers.Output.Is(BridgePorts.Tunnel)).Goto(Tables.ConntrackCommit);
        yield return new FlowDraft(Tables.Forwarding, Priorities.Normal, cookie).When(DefaultNetwork, Fields.EthDst.Is(GatewayMac))
            .Do(Registers.Output.Load(BridgePorts.Gateway)).Goto(Tables.ConntrackCommit);
    }

    private static IEnumerable<Flow> Subnet(PodSubnet subnet, ulong cookie)
    {
        yield return Neighbours.Answer(Network.DefaultKey, subnet.Gateway, RouterMac, isRouter: true, cookie);
        yield return Neighbours.Silence(BridgePorts.Gateway, subnet.Gateway, cookie);
        yield return ToGateway(Priorities.Host, cookie).When(DefaultNetwork, Packets.Family(subnet.Gateway), Packets.To(subnet.Gateway)).Goto(Tables.EgressNat);

        // An address of this node's own range that no pod has: to send it to the host would only bring it back.
        yield return new FlowDraft(Tables.Routing, Priorities.Normal, cookie).When(DefaultNetwork, Packets.Family(subnet.Gateway), Packets.To(subnet.Cidr)).End();
    }

    // The node reaches its own pods whatever policies say: kubelet's probes depend on it.
    private static Flow FromSelf(IPAddress address, ulong cookie) =>
        new FlowDraft(Tables.IngressAdmin, Priorities.Bypass, cookie)
            .When(DefaultNetwork, Registers.From(PacketSource.Gateway), Packets.Family(address), Packets.From(address)).Goto(Tables.ConntrackCommit);

    private static IEnumerable<Flow> DefaultRoute(ulong cookie) =>
        from family in new[] { Packets.Ip, Packets.Ipv6 }
        from source in new[] { PacketSource.Pod, PacketSource.Edge }
        select ToGateway(Priorities.Default, cookie).When(DefaultNetwork, Registers.From(source), family).Goto(Tables.EgressNat);

    private static FlowDraft ToGateway(ushort priority, ulong cookie) =>
        new FlowDraft(Tables.Routing, priority, cookie).Do(Fields.EthDst.Set(GatewayMac));

    private static FlowDraft ToTunnel(IPAddress tunnelEnd, ulong cookie, ushort priority) =>
        new FlowDraft(Tables.Routing, priority, cookie).Do(
            ChangeHeader.DecTtl,
            Fields.EthSrc.Set(RouterMac),
            Fields.EthDst.Set(RouterMac),
            Fields.TunId.Set(Network.DefaultKey),
            tunnelEnd.IsV6() ? Fields.TunIPv6Dst.Set(tunnelEnd) : Fields.TunDst.Set(tunnelEnd),
            Registers.Output.Load(BridgePorts.Tunnel));

    private static IEnumerable<IPAddress> AddressesOf(NodeEndpoint? node) => (node?.Addresses ?? [])
        .Select(a => IPAddress.TryParse(a, out var address) ? address : null)
        .OfType<IPAddress>();
}
