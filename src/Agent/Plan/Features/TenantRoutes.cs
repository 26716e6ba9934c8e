using System.Net;
using Weft.Agent.Facts;
using Weft.Agent.Plan.Pipeline;
using Weft.OpenFlow;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;
using Weft.Topology;

namespace Weft.Agent.Plan.Features;

/// <summary>Static routes of a tenant's router: ranges behind one of its pods.</summary>
/// <remarks>
/// The longest prefix counts; the tenant's own ranges come before every route, and every route before the way outside. A route whose next hop
/// is no pod now drops: what is meant for a private link must not leave through the node. The pod may send from the ranges that are routed to
/// it, but not from the tenant's own. Its own packets to them leave as if there were no route, or they would come back to it.
/// </remarks>
internal static class TenantRoutes
{
    private static readonly MacAddress RouterMac = MacAddress.Parse(BridgePorts.RouterMac);

    /// <summary>Drops for what is behind next hops that are not there.</summary>
    public static IEnumerable<Flow> Closed(NodeFacts facts, Network network, ulong cookie) => RoutesOf(facts, network.Key).Select(r =>
        new FlowDraft(Tables.Routing, r.Priority, cookie).When(Fields.Metadata.Is((ulong)network.Key), Packets.Family(r.To.BaseAddress), Packets.To(r.To)).End());

    /// <summary>What is routed to one address of a port.</summary>
    /// <param name="facts">This node.</param>
    /// <param name="network">The port's network.</param>
    /// <param name="port">The port.</param>
    /// <param name="address">One of its addresses.</param>
    /// <param name="toTunnel">Begins a flow that leads to the port's node; null: the port is here.</param>
    /// <param name="cookie">The port's cookie.</param>
    public static IEnumerable<Flow> By(NodeFacts facts, Network network, LogicalPort port, IPAddress address, Func<ushort, FlowDraft>? toTunnel, ulong cookie)
    {
        var key = Fields.Metadata.Is((ulong)network.Key);
        var here = facts.Ports.Values.FirstOrDefault(p => p.Attachment.Pod == port.Id && p.Attachment.NetworkKey == port.NetworkKey);
        var guard = Cookies.Of(FlowFeature.Spoof, PodFlows.OwnerOf(port.Id));
        foreach (var route in RoutesOf(facts, network.Key).Where(r => r.NextHop.Equals(address)))
        {
            var live = (ushort)(route.Priority + 1);
            FieldMatch[] match = [key, Packets.Family(address), Packets.To(route.To)];
            if (toTunnel is not null)
            {
                // Only once through a tunnel: two nodes that disagree for a moment must not send it to and fro.
                yield return toTunnel(live).When(match).When(Registers.From(PacketSource.Pod)).Goto(Tables.ConntrackCommit);
                continue;
            }

            if (here is null)
            {
                continue;
            }

            yield return new FlowDraft(Tables.Routing, live, cookie).When(match)
                .Do(ChangeHeader.DecTtl, Fields.EthSrc.Set(RouterMac), Fields.EthDst.Set(MacAddress.Parse(here.Attachment.Mac))).Goto(Tables.EgressNat);
            var own = new FlowDraft(Tables.Routing, (ushort)(live + 1), cookie).When(match).When(Fields.InPort.Is((uint)here.OfPort));
            yield return network.NatOutside ? own.Goto(Tables.EdgeOut) : own.End();
            yield return new FlowDraft(Tables.SpoofGuard, Priorities.Rest, guard)
                .When(Fields.InPort.Is((uint)here.OfPort), Packets.Family(address), Fields.EthSrc.Is(MacAddress.Parse(here.Attachment.Mac)), Packets.From(route.To)).Goto(Tables.ArpNd);
            if (!address.IsV6())
            {
                // Linux asks for its gateway as whom it is about to send.
                var mac = MacAddress.Parse(here.Attachment.Mac);
                yield return new FlowDraft(Tables.SpoofGuard, Priorities.Rest, guard)
                    .When(Fields.InPort.Is((uint)here.OfPort), Packets.Arp, Fields.EthSrc.Is(mac), Fields.ArpSha.Is(mac), Fields.ArpSpa.Is(route.To.BaseAddress, route.To.PrefixLength)).Goto(Tables.ArpNd);
            }

            foreach (var range in TenantFlows.SubnetsOf(facts, network).Select(s => IPNetwork.Parse(s.Cidr)).Where(c => c.BaseAddress.IsV6() == address.IsV6()))
            {
                yield return new FlowDraft(Tables.SpoofGuard, Priorities.Rest + 10, guard).When(Fields.InPort.Is((uint)here.OfPort), Packets.Family(address), Packets.From(range)).End();
            }
        }
    }

    /// <summary>The usable routes with the priority of their drop; a live one is higher by one, what its next hop itself sends by two, the next longer prefix by three.</summary>
    private static IEnumerable<(IPNetwork To, IPAddress NextHop, ushort Priority)> RoutesOf(NodeFacts facts, int key)
    {
        var routes = facts.Slice.In<LogicalRouter>(key).SelectMany(r => r.Routes)
            .Select(r => IPNetwork.TryParse(r.Destination, out var to) && IPAddress.TryParse(r.NextHop, out var hop) && hop.IsV6() == to.BaseAddress.IsV6() ? (To: to, Hop: hop) : default)
            .Where(r => r.Hop is not null).ToList();
        var lengths = routes.Select(r => r.To.PrefixLength).Distinct().Order().ToList();
        return routes.Select(r => (r.To, r.Hop, (ushort)(Priorities.Route + (3 * lengths.IndexOf(r.To.PrefixLength)))));
    }
}
