using System.Net;
using Weft.Agent.Dns;
using Weft.Agent.Facts;
using Weft.Agent.Plan.Pipeline;
using Weft.OpenFlow;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;
using Weft.Topology;

namespace Weft.Agent.Plan.Features;

/// <summary>A tenant's network on this node: its tunnel key, its gateways, the way to its pods elsewhere and to joined networks.</summary>
public static class TenantFlows
{
    private static readonly MacAddress RouterMac = MacAddress.Parse(BridgePorts.RouterMac);

    /// <summary>The name behind the cookies of a network's flows.</summary>
    public static string OwnerOf(Network network) => "network " + network.Id;

    /// <summary>The flows of a network itself: their number depends on its Subnets only. None while no pod of it is here.</summary>
    public static IEnumerable<Flow> Plan(NodeFacts facts, Network network)
    {
        if (facts.PortsOf(network.Key).FirstOrDefault() is not { } port)
        {
            yield break;
        }

        var cookie = Cookies.Of(FlowFeature.Tenant, OwnerOf(network));
        var key = Fields.Metadata.Is((ulong)network.Key);
        yield return new FlowDraft(Tables.Classifier, Priorities.Normal, cookie).When(Fields.InPort.Is(BridgePorts.Tunnel), Fields.TunId.Is((ulong)network.Key))
            .Do(Registers.Source.Load((uint)PacketSource.Tunnel), Registers.Zone.Load(ConntrackZones.Of(port.Attachment)))
            .SetNetwork(network.Key).Goto(Tables.Conntrack);
        foreach (var subnet in SubnetsOf(facts, network))
        {
            var gateway = IPAddress.Parse(subnet.Gateway);
            yield return Neighbours.Answer(network.Key, gateway, RouterMac, isRouter: true, cookie);

            // An address that no pod has.
            yield return new FlowDraft(Tables.Routing, Priorities.Connected, cookie).When(key, Packets.Family(gateway), Packets.To(IPNetwork.Parse(subnet.Cidr))).End();
        }

        foreach (var flow in TenantRoutes.Closed(facts, network, cookie).Concat(facts.Slice.In<LogicalSwitch>(network.Key).SelectMany(s => PrivateSubnets.Of(s, cookie))))
        {
            yield return flow;
        }

        foreach (var balancer in facts.Slice.ClusterDns.Where(b => b.Protocol == Protocol.Udp && network.SharedServices.Contains(b.Service)))
        {
            if (IPAddress.TryParse(balancer.ClusterIp, out var address))
            {
                yield return ToResponder(address, balancer.Port, key, cookie);
            }
        }

        foreach (var range in WorldOf(facts, network))
        {
            yield return TenantEdge.Stranger(key, range, cookie);
        }

        foreach (var cidr in Parsed(network.NatOutside ? ["0.0.0.0/0", "::/0"] : facts.Slice.Settings?.ServiceCidrs ?? []))
        {
            // A ClusterIP that no Service took is refused by the host, also where the world outside is closed.
            yield return new FlowDraft(Tables.Routing, Priorities.Default, cookie).When(key, Registers.From(PacketSource.Pod), Packets.Family(cidr.BaseAddress))
                .When(network.NatOutside ? [] : [Packets.To(cidr)]).Goto(Tables.EdgeOut);
        }
    }

    /// <summary>Every range that means something in the network.</summary>
    private static IEnumerable<IPNetwork> WorldOf(NodeFacts facts, Network network) => Parsed(
        SubnetsOf(facts, network).Select(s => s.Cidr)
            .Concat(network.Peers.SelectMany(p => p.Remote))
            .Concat(facts.Slice.In<LogicalRouter>(network.Key).SelectMany(r => r.Routes).Select(r => r.Destination))).Distinct();

    private static IEnumerable<IPNetwork> Parsed(IEnumerable<string> cidrs) => cidrs.Select(c => IPNetwork.TryParse(c, out var cidr) ? cidr : (IPNetwork?)null).OfType<IPNetwork>();

    /// <summary>The flows of one port of a tenant's network: for its own network when it is elsewhere, and for those that are joined with it.</summary>
    public static IEnumerable<Flow> PlanPort(NodeFacts facts, LogicalPort port)
    {
        if (port.NetworkKey <= Network.DefaultKey || NetworkOf(facts, port.NetworkKey) is not { } network || port.Mac is null)
        {
            yield break;
        }

        var cookie = Cookies.Of(FlowFeature.Tenant, PodFlows.OwnerOf(port.Id));
        var isHere = port.Node == facts.NodeName;
        var tunnelEnd = isHere ? null : (facts.Slice.Node(port.Node)?.Addresses ?? []).Select(a => IPAddress.TryParse(a, out var end) ? end : null).FirstOrDefault(a => a is not null);
        if (!isHere && tunnelEnd is null)
        {
            yield break;
        }

        foreach (var address in port.Addresses.Select(IPAddress.Parse))
        {
            var key = Fields.Metadata.Is((ulong)port.NetworkKey);
            if (!isHere)
            {
                yield return Neighbours.Answer(port.NetworkKey, address, MacAddress.Parse(port.Mac), isRouter: false, cookie);
                yield return ToTunnel(tunnelEnd!, port.NetworkKey, Priorities.Host, cookie).When(key, Packets.Family(address), Packets.To(address)).Goto(Tables.ConntrackCommit);
            }

            var routed = TenantRoutes.By(facts, network, port, address, isHere ? null : priority => ToTunnel(tunnelEnd!, port.NetworkKey, priority, cookie), cookie);
            foreach (var flow in routed.Concat(network.Peers.SelectMany(p => FromPeer(facts, p, port, address, tunnelEnd, cookie))))
            {
                yield return flow;
            }
        }
    }

    /// <summary>The way from a joined network to this address.</summary>
    private static IEnumerable<Flow> FromPeer(NodeFacts facts, NetworkPeer peer, LogicalPort port, IPAddress address, IPAddress? tunnelEnd, ulong cookie)
    {
        if (!peer.Local.Any(c => IPNetwork.TryParse(c, out var cidr) && cidr.Contains(address)))
        {
            yield break;
        }

        var key = Fields.Metadata.Is((ulong)peer.Key);
        foreach (var source in peer.Remote.Select(c => IPNetwork.TryParse(c, out var cidr) ? cidr : (IPNetwork?)null).OfType<IPNetwork>())
        {
            if (source.BaseAddress.IsV6() != address.IsV6())
            {
                continue;
            }

            FieldMatch[] match = [key, Packets.Family(address), Packets.To(address), Packets.From(source)];
            if (tunnelEnd is not null)
            {
                yield return ToTunnel(tunnelEnd, port.NetworkKey, Priorities.Host, cookie).When(match).Goto(Tables.ConntrackCommit);
            }
            else if (facts.PortsOf(port.NetworkKey).FirstOrDefault(p => p.Attachment.Pod == port.Id) is { } here)
            {
                // As if it came through a tunnel from the other network: that network's policies and zone are next.
                FlowAction[] enter =
                [
                    Fields.Metadata.Set((ulong)port.NetworkKey),
                    Registers.Source.Load((uint)PacketSource.Tunnel),
                    Registers.Bypass.Load(0),
                    Registers.Service.Load(0),
                    Registers.Zone.Load(ConntrackZones.Of(here.Attachment)),
                    new Resubmit(Tables.Conntrack.Id),
                ];
                var isNew = Fields.CtState.Masked((uint)(CtStateFlags.New | CtStateFlags.Tracked), (uint)(CtStateFlags.New | CtStateFlags.Tracked));
                yield return new FlowDraft(Tables.Routing, Priorities.Exception, cookie).When(match).When(isNew, Registers.Service.Is(0))
                    .Do(new Conntrack { Commit = true, ZoneSource = Registers.Zone }).Do(enter).End();
                yield return new FlowDraft(Tables.Routing, Priorities.Host, cookie).When(match).Do(enter).End();
            }
        }
    }

    /// <summary>Questions to the cluster's DNS go to the node's agent, which knows the names of the network. Policies do not see them: nothing but the node answers.</summary>
    private static Flow ToResponder(IPAddress address, int port, FieldMatch key, ulong cookie) => new FlowDraft(Tables.ServiceLb, Priorities.Host, cookie)
        .When(key, Packets.Family(address), Fields.IpProto.Is((byte)Protocol.Udp), Packets.To(address), Fields.UdpDst.Is((ushort)port))
        .Do(
            Registers.Service.Load(1),
            Registers.Source.Load((uint)PacketSource.Shared),
            new Conntrack
            {
                Commit = true,
                ZoneSource = Registers.Zone,
                Table = Tables.Routing.Id,
                Nat = new Nat(NatKind.Destination) { Address = address.IsV6() ? BridgePorts.DnsV6 : BridgePorts.DnsV4, Port = TenantDns.Port },
                Exec = ActionList.Of(Registers.Source.MoveTo(Marks.ServiceSource)),
            })
        .End();

    /// <summary>The record of a network.</summary>
    public static Network? NetworkOf(NodeFacts facts, int key) => facts.Slice.In<Network>(key).MinBy(n => n.Id, StringComparer.Ordinal);

    /// <summary>The ranges of a network's switches that can be read.</summary>
    internal static IEnumerable<SwitchSubnet> SubnetsOf(NodeFacts facts, Network network) =>
        facts.Slice.In<LogicalSwitch>(network.Key).SelectMany(s => s.Subnets)
            .Where(s => IPNetwork.TryParse(s.Cidr, out _) && IPAddress.TryParse(s.Gateway, out _));

    private static FlowDraft ToTunnel(IPAddress tunnelEnd, int key, ushort priority, ulong cookie) =>
        new FlowDraft(Tables.Routing, priority, cookie).Do(
            Fields.EthSrc.Set(RouterMac),
            Fields.EthDst.Set(RouterMac),
            Fields.TunId.Set((ulong)key),
            tunnelEnd.IsV6() ? Fields.TunIPv6Dst.Set(tunnelEnd) : Fields.TunDst.Set(tunnelEnd),
            Registers.Output.Load(BridgePorts.Tunnel));
}
