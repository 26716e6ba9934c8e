using System.Net;
using Weft.Agent.Facts;
using Weft.Agent.Plan.Pipeline;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;
using Weft.Topology;

namespace Weft.Agent.Plan.Features;

/// <summary>What comes in at the gateway port to be balanced here, and finds its way back through this node (docs/design/services.md).</summary>
/// <remarks>
/// The client's address is kept wherever its replies come back to this switch by themselves, which they do from a pod of this node and from
/// the host. For an endpoint elsewhere the source becomes this node's gateway address, for one outside of the cluster an address that the
/// host knows behind the gateway port and masquerades.
/// </remarks>
public static class GatewayFlows
{
    // Below the ports that Linux gives to the host's own connections from the same address (ip_local_port_range).
    private const ushort FirstPort = 1024;
    private const ushort LastPort = 32767;

    private static readonly MacAddress RouterMac = MacAddress.Parse(BridgePorts.RouterMac);
    private static readonly MacAddress GatewayMac = MacAddress.Parse(BridgePorts.GatewayMac);
    private static readonly FieldMatch DefaultNetwork = Fields.Metadata.Is(Network.DefaultKey);
    private static readonly FieldMatch[] Families = [Packets.Ip, Packets.Ipv6];
    private static readonly IPAddress[] ReturnAddresses = [BridgePorts.ReturnV4, BridgePorts.ReturnV6];

    // The tunnel's key tells the pod's node that the connection was balanced here.
    private static readonly FlowAction AsPublished = Fields.TunId.Set(Network.PublishedKey);

    private static readonly FieldMatch Request = Fields.CtState.Masked((uint)CtStateFlags.Tracked, (uint)(CtStateFlags.Tracked | CtStateFlags.Reply));

    /// <summary>The flows.</summary>
    /// <param name="gateways">This node's gateway addresses.</param>
    /// <param name="addresses">Its other addresses.</param>
    /// <param name="cookie">The node's cookie.</param>
    public static IEnumerable<Flow> Plan(IReadOnlyList<IPAddress> gateways, IReadOnlyList<IPAddress> addresses, ulong cookie) =>
    [
        .. Origins([.. gateways, .. addresses], cookie),
        .. ToNodePorts(cookie),
        .. Restoring(gateways, cookie),
        .. Replies(cookie),
        .. Bouncing(addresses, cookie),
        .. gateways.Select(g => ThroughTunnel(g, cookie, published: false)),
        .. gateways.Select(g => ThroughTunnel(g, cookie, published: true)),
        ToTenants(cookie),
    ];

    /// <summary>Marks packets to an address of a node, any node: node ports are the same on all of them.</summary>
    public static Flow ToNode(IPAddress address, ulong cookie) => new FlowDraft(Tables.NodeAddress, Priorities.Normal, cookie)
        .When(DefaultNetwork, Packets.Family(address), Packets.To(address)).Do(Registers.NodeAddress.Load(1)).Goto(Tables.ServiceLb);

    // What the host itself sends comes from one of its addresses; everything else was forwarded.
    private static IEnumerable<Flow> Origins(IEnumerable<IPAddress> own, ulong cookie)
    {
        FlowDraft On(ushort priority) => new FlowDraft(Tables.SpoofGuard, priority, cookie).When(Fields.InPort.Is(BridgePorts.Gateway));
        yield return On(Priorities.Normal).Do(Registers.Outside.Load(1)).Goto(Tables.ArpNd);
        foreach (var address in own)
        {
            yield return On(Priorities.Host).When(Packets.Family(address), Packets.From(address)).Goto(Tables.ArpNd);
        }
    }

    private static IEnumerable<Flow> ToNodePorts(ulong cookie) =>
        from address in new[] { BridgePorts.NodePortV4, BridgePorts.NodePortV6 }
        select new FlowDraft(Tables.NodeAddress, Priorities.Normal, cookie)
            .When(DefaultNetwork, Registers.From(PacketSource.Gateway), Packets.Family(address), Packets.To(address))
            .Do(Registers.NodeAddress.Load(1)).Goto(Tables.ServiceLb);

    // Undone before the network's own zone sees the packet, as it was done after that.
    private static IEnumerable<Flow> Restoring(IEnumerable<IPAddress> gateways, ulong cookie)
    {
        FlowDraft On(PacketSource source, IPAddress to) => new FlowDraft(Tables.Conntrack, Priorities.Host, cookie)
            .When(DefaultNetwork, Registers.From(source), Registers.Restored.Is(0), Packets.Family(to), Packets.To(to))
            .Do(Registers.Restored.Load(1), new Conntrack { Zone = ConntrackZones.Gateway, Nat = new Nat(), Table = Tables.Conntrack.Id });
        return [.. gateways.Select(a => On(PacketSource.Tunnel, a).End()), .. ReturnAddresses.Select(a => On(PacketSource.Gateway, a).End())];
    }

    // Replies to what came from the gateway return there, also when their destination is another node or a pod.
    private static IEnumerable<Flow> Replies(ulong cookie)
    {
        const CtStateFlags reply = CtStateFlags.Reply | CtStateFlags.Tracked;
        yield return new FlowDraft(Tables.ConntrackState, Priorities.Never + 10, cookie)
            .When(DefaultNetwork, Fields.CtState.Masked((uint)reply, (uint)reply), Marks.ServiceFrom(PacketSource.Gateway))
            .Do(Registers.Bypass.Load(1), Fields.EthSrc.Set(RouterMac), Fields.EthDst.Set(GatewayMac)).Goto(Tables.EgressNat);
        yield return new FlowDraft(Tables.Output, Priorities.Exception, cookie)
            .When(Registers.From(PacketSource.Gateway), Registers.Output.Is(BridgePorts.Gateway)).Do(Output.InPort).End();
    }

    /// <summary>From the gateway and back to it: to the host itself, to an endpoint outside of the cluster, or to be refused by the host.</summary>
    private static IEnumerable<Flow> Bouncing(IEnumerable<IPAddress> addresses, ulong cookie)
    {
        foreach (var family in Families)
        {
            yield return new FlowDraft(Tables.Routing, Priorities.Default, cookie).When(DefaultNetwork, Registers.From(PacketSource.Gateway), family)
                .Do(Fields.EthSrc.Set(RouterMac), Fields.EthDst.Set(GatewayMac)).Goto(Tables.EgressNat);
        }

        FlowDraft On(ushort priority, CtStateFlags state) => new FlowDraft(Tables.EgressNat, priority, cookie)
            .When(DefaultNetwork, Registers.From(PacketSource.Gateway), Fields.EthDst.Is(GatewayMac), Fields.CtState.Masked((uint)state, (uint)(state | CtStateFlags.Reply)));
        foreach (var to in addresses)
        {
            // The host marks what comes in from a foreign address, and answers by the way it came.
            yield return On(Priorities.Exception, CtStateFlags.Tracked).When(Registers.Outside.Is(1), Marks.ServiceFrom(PacketSource.Gateway), Packets.Family(to), Packets.To(to)).Goto(Tables.Forwarding);
        }

        const CtStateFlags related = CtStateFlags.Related | CtStateFlags.Tracked;
        foreach (var router in new[] { BridgePorts.NodePortV4, BridgePorts.NodePortV6 })
        {
            // The host's own ICMP errors about what it got back: from itself it would not take them.
            yield return new FlowDraft(Tables.EgressNat, Priorities.Exception, cookie)
                .When(DefaultNetwork, Registers.From(PacketSource.Gateway), Fields.EthDst.Is(GatewayMac), Registers.Outside.Is(0), Fields.CtState.Masked((uint)related, (uint)related), Packets.Family(router))
                .Do(router.IsV6() ? Fields.IPv6Src.Set(router) : Fields.IPv4Src.Set(router)).Goto(Tables.Forwarding);
        }

        foreach (var source in ReturnAddresses)
        {
            // Not balanced, so not committed: the network's zone must know the connection as it was before its source changes.
            yield return On(Priorities.Host, CtStateFlags.Tracked | CtStateFlags.New).When(Packets.Family(source), Registers.Service.Is(0))
                .Do(Registers.Service.Load(1), new Conntrack { Commit = true, ZoneSource = Registers.Zone, Table = Tables.EgressNat.Id }).End();
            yield return On(Priorities.Normal, CtStateFlags.Tracked).When(Packets.Family(source))
                .Do(Registers.Service.Load(1), new Conntrack { Commit = true, Zone = ConntrackZones.Gateway, Table = Tables.Forwarding.Id, Nat = new Nat(NatKind.Source) { Address = source } })
                .End();
        }
    }

    /// <summary>From this node itself to a tenant's Service: its address is known elsewhere, too.</summary>
    private static Flow ToTenants(ulong cookie) => new FlowDraft(Tables.EgressNat, Priorities.Normal, cookie)
        .When(DefaultNetwork, Registers.From(PacketSource.Gateway), Registers.Output.Is(BridgePorts.Tunnel), Request, Marks.Published.Is(1))
        .Do(AsPublished).Goto(Tables.ConntrackCommit);

    private static Flow ThroughTunnel(IPAddress gateway, ulong cookie, bool published) => new FlowDraft(Tables.EgressNat, published ? Priorities.Exception : Priorities.Host, cookie)
        .When(DefaultNetwork, Registers.From(PacketSource.Gateway), Registers.Outside.Is(1), Registers.Output.Is(BridgePorts.Tunnel), Packets.Family(gateway))
        .When(Request, Marks.ServiceFrom(PacketSource.Gateway)).When(published ? [Marks.Published.Is(1)] : [])
        .Do(published ? [AsPublished] : [])
        .Do(Registers.Service.Load(1), new Conntrack
        {
            Commit = true,
            Zone = ConntrackZones.Gateway,
            Table = Tables.ConntrackCommit.Id,
            Nat = new Nat(NatKind.Source) { Address = gateway, Port = FirstPort, LastPort = LastPort },
        })
        .End();
}
