using System.Net;
using Weft.Agent.Facts;
using Weft.Agent.Plan.Pipeline;
using Weft.Agent.Plan.Services;
using Weft.OpenFlow;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;
using Weft.Topology;

namespace Weft.Agent.Plan.Features;

/// <summary>Where a tenant's network meets its node (docs/design/tenants.md): the switch turns a pod's address into its alias and back.</summary>
/// <remarks>
/// <code>
///   out:  network's zone ─► Routing ─► EdgeOut (address → alias, edge zone) ─► default network, zone and Routing
///   in:   default network's Routing ─► EdgeIn ─► EdgeAlias (alias → address, edge zone) ─► EdgeState ─► network's zone ─► Routing
/// </code>
/// Each network has zones of its own, so equal addresses of two tenants never meet in one. New connections come in only from this node itself, and
/// through Services that their tenant shows to the outside: the latter balanced at any node, which marks them (ct_mark, or the tunnel's key).
/// </remarks>
public static class TenantEdge
{
    private static readonly MacAddress RouterMac = MacAddress.Parse(BridgePorts.RouterMac);
    private static readonly FieldMatch DefaultNetwork = Fields.Metadata.Is(Network.DefaultKey);
    private static readonly FieldMatch[] Families = [Packets.Ip, Packets.Ipv6];
    private static readonly FieldMatch Reply = Ct(CtStateFlags.Reply);
    private static readonly FieldMatch Related = Ct(CtStateFlags.Related);
    private static readonly FieldMatch New = Ct(CtStateFlags.New);
    private static readonly FieldMatch Request = Fields.CtState.Masked((uint)CtStateFlags.Tracked, (uint)(CtStateFlags.Tracked | CtStateFlags.Reply));

    /// <summary>Flows that are always there.</summary>
    public static IEnumerable<Flow> Base(ulong cookie)
    {
        FlowDraft On(FlowTable table, int priority) => new(table, (ushort)priority, cookie);

        // Out: by where the connection came from or goes to, never by address, for a tenant may have every address.
        yield return On(Tables.Routing, Priorities.Bypass).When(Reply, Marks.ServiceFrom(PacketSource.Edge)).Goto(Tables.EdgeOut);
        yield return On(Tables.Routing, Priorities.Bypass).When(Related, Marks.ServiceFrom(PacketSource.Edge), Registers.From(PacketSource.Pod)).Goto(Tables.EdgeOut);
        yield return On(Tables.Routing, Priorities.Bypass).When(Request, Marks.ServiceFrom(PacketSource.Shared)).Goto(Tables.EdgeOut);
        yield return On(Tables.ConntrackState, Priorities.Normal).When(Registers.From(PacketSource.Edge)).Goto(Tables.Routing);

        // In.
        yield return On(Tables.EdgeIn, Priorities.Normal).When(Registers.From(PacketSource.Gateway), Registers.Outside.Is(0)).Do(Registers.Probe.Load(1)).Goto(Tables.EdgeAlias);
        FieldMatch[] published = [Registers.From(PacketSource.Gateway), Marks.Published.Is(1)];
        yield return On(Tables.EdgeIn, Priorities.Host).When(published).Do(Registers.Probe.Load(1), Registers.Published.Load(1)).Goto(Tables.EdgeAlias);
        yield return On(Tables.EdgeIn, Priorities.Host).When(Registers.From(PacketSource.Tunnel), Registers.Published.Is(1)).Do(Registers.Probe.Load(1)).Goto(Tables.EdgeAlias);
        yield return On(Tables.EdgeState, Priorities.Bypass).When(Ct(CtStateFlags.Invalid)).End();
        var track = new Conntrack { ZoneSource = Registers.Zone, Nat = new Nat(), Table = Tables.ConntrackState.Id };
        foreach (var family in Families)
        {
            yield return On(Tables.EdgeState, Priorities.Never).When(family, Reply).Do(track).End();
            yield return On(Tables.EdgeState, Priorities.Never).When(family, Related).Do(track).End();
            yield return On(Tables.EdgeState, Priorities.Never).When(family, Ct(CtStateFlags.Established), Registers.Probe.Is(1)).Do(track).End();
        }

        foreach (var source in new[] { BridgePorts.ProbeV4, BridgePorts.ProbeV6 })
        {
            yield return On(Tables.ConntrackState, Priorities.Exception).When(Packets.Family(source), New, Registers.Probe.Is(1))
                .Do(Registers.Bypass.Load(1)).Do(Enter(new Nat(NatKind.Source) { Address = source })).End();

            // From outside: as whom it comes, so that policies can judge it.
            yield return On(Tables.ConntrackState, Priorities.Exception + 10).When(Packets.Family(source), New, Registers.Published.Is(1), Registers.Probe.Is(1)).Do(Enter(null)).End();
        }

        yield return On(Tables.ConntrackState, Priorities.Host).When(Request, Registers.Probe.Is(1))
            .Do(Registers.Bypass.Load(1), Registers.Service.Load(1)).Goto(Tables.Routing);
        yield return On(Tables.ConntrackState, Priorities.Host + 5).When(Request, Registers.Probe.Is(1), Registers.Published.Is(1)).Do(Registers.Service.Load(1)).Goto(Tables.Routing);
    }

    /// <summary>A client outside that has an address of the tenant's own world comes as somebody else: nobody from outside is taken for one of its pods.</summary>
    /// <param name="key">The network.</param>
    /// <param name="range">A range of the tenant, of a joined one, or behind a static route.</param>
    /// <param name="cookie">The network's cookie.</param>
    public static Flow Stranger(FieldMatch key, IPNetwork range, ulong cookie)
    {
        var source = range.BaseAddress.IsV6() ? BridgePorts.ProbeV6 : BridgePorts.ProbeV4;
        return new FlowDraft(Tables.ConntrackState, Priorities.Exception + 20, cookie)
            .When(key, Packets.Family(source), Packets.From(range), New, Registers.Published.Is(1), Registers.Probe.Is(1))
            .Do(Enter(new Nat(NatKind.Source) { Address = source })).End();
    }

    /// <summary>Commits a connection in the tenant's zone, marked as one from the edge.</summary>
    private static FlowAction[] Enter(Nat? nat) =>
    [
        Registers.Service.Load(1),
        Registers.Source.Load((uint)PacketSource.Edge),
        new Conntrack
        {
            Commit = true,
            ZoneSource = Registers.Zone,
            Table = Tables.Routing.Id,
            Nat = nat,
            Exec = ActionList.Of(Registers.Source.MoveTo(Marks.ServiceSource)),
        },
    ];

    /// <summary>What no tenant reaches at a node, as if it were outside: the node's own addresses and its pods.</summary>
    public static IEnumerable<Flow> Closed(NodeEndpoint? node, ulong cookie)
    {
        var addresses = (node?.Addresses ?? []).Select(a => IPAddress.TryParse(a, out var address) ? new IPNetwork(address, address.IsV6() ? 128 : 32) : (IPNetwork?)null).OfType<IPNetwork>();
        return addresses.Concat(PodSubnet.Of(node).Select(s => s.Cidr)).Select(c => Closed(c, cookie));
    }

    /// <summary>The ranges of the cluster's pods, and link-local ones. ClusterIPs are not among them: the host refuses at once what no Service took.</summary>
    public static IEnumerable<Flow> ClosedByCluster(ClusterSettings? settings, ulong cookie) =>
        (settings?.ClusterCidrs ?? []).Concat(["169.254.0.0/16", "fe80::/10", "fd57:4546:5400::/48", "127.0.0.0/8"])
            .Select(c => IPNetwork.TryParse(c, out var cidr) ? cidr : (IPNetwork?)null).OfType<IPNetwork>().Distinct().Select(c => Closed(c, cookie));

    /// <summary>The flows of one tenant pod. Its addresses and aliases are of the same families.</summary>
    public static IEnumerable<Flow> Of(AttachedPort port, ulong cookie)
    {
        var attachment = port.Attachment;
        var aliases = attachment.Aliases.Select(IPAddress.Parse).ToList();
        foreach (var flow in Hairpin.OfTenant(port, cookie))
        {
            yield return flow;
        }

        foreach (var address in attachment.Addresses.Select(IPAddress.Parse))
        {
            if (aliases.Find(a => a.IsV6() == address.IsV6()) is { } alias)
            {
                foreach (var flow in Out(port, alias, cookie).Concat(In(port, address, alias, cookie)))
                {
                    yield return flow;
                }
            }
        }
    }

    private static Flow Closed(IPNetwork cidr, ulong cookie) => new FlowDraft(Tables.EdgeOut, Priorities.Never, cookie)
        .When(Request, Marks.ServiceSource.Is(0), Packets.Family(cidr.BaseAddress), Packets.To(cidr)).End();

    private static IEnumerable<Flow> Out(AttachedPort port, IPAddress alias, ulong cookie)
    {
        var edge = ConntrackZones.EdgeOf(port.Attachment);
        FlowDraft On(int priority) => new FlowDraft(Tables.EdgeOut, (ushort)priority, cookie).When(Fields.InPort.Is((uint)port.OfPort), Packets.Family(alias));
        FlowAction[] leave =
        [
            Fields.Metadata.Set(Network.DefaultKey),
            Registers.Source.Load((uint)PacketSource.Edge),
            Registers.Zone.Load(ConntrackZones.Default),

            // What was balanced is committed in the tenant's zone, not in this one: its answer would belong to no connection here.
            Registers.Service.Load(0),
            Fields.EthSrc.Set(RouterMac),
        ];
        var translate = new Conntrack { Commit = true, Zone = edge, Nat = new Nat(NatKind.Source) { Address = alias }, Table = Tables.Conntrack.Id };
        yield return On(Priorities.Never + 10).When(Reply).Do(leave).Do(new Conntrack { Zone = edge, Nat = new Nat(), Table = Tables.Conntrack.Id }).End();

        // What was balanced is committed in the network's zone already.
        yield return On(Priorities.Normal).When(New, Marks.ServiceSource.Is(0)).Do(new Conntrack { Commit = true, ZoneSource = Registers.Zone }).Do(leave).Do(translate).End();
        yield return On(Priorities.Rest).Do(leave).Do(translate).End();
    }

    private static IEnumerable<Flow> In(AttachedPort port, IPAddress address, IPAddress alias, ulong cookie)
    {
        var attachment = port.Attachment;
        var edge = ConntrackZones.EdgeOf(attachment);
        FieldMatch[] toAlias = [Packets.Family(alias), Packets.To(alias)];
        var enter = new Conntrack { Commit = true, Zone = edge, Nat = new Nat(NatKind.Destination) { Address = address }, Table = Tables.Conntrack.Id };
        yield return Neighbours.Answer(Network.DefaultKey, alias, RouterMac, isRouter: true, cookie);
        yield return new FlowDraft(Tables.Routing, Priorities.Host, cookie).When(DefaultNetwork).When(toAlias).Goto(Tables.EdgeIn);
        yield return new FlowDraft(Tables.EdgeAlias, Priorities.Normal, cookie).When(DefaultNetwork).When(toAlias)
            .SetNetwork(attachment.NetworkKey)
            .Do(Registers.Bypass.Load(0), Registers.Zone.Load(ConntrackZones.Of(attachment)), new Conntrack { Zone = edge, Nat = new Nat(), Table = Tables.EdgeState.Id })
            .End();
        yield return new FlowDraft(Tables.EdgeState, Priorities.Normal, cookie)
            .When(Fields.Metadata.Is((ulong)attachment.NetworkKey), New, Registers.Probe.Is(1)).When(toAlias)
            .Do(
                new Conntrack { Commit = true, Zone = ConntrackZones.Default },
                enter)
            .End();

        // What was balanced here is in the default network's zone already. Nothing is looked up twice: a datapath in user space lets a packet
        // recirculate six times (MAX_RECIRC_DEPTH), and a group and the zones of two networks are five.
        yield return new FlowDraft(Tables.EdgeAlias, Priorities.Host, cookie).When(DefaultNetwork, New, Registers.Published.Is(1), Registers.From(PacketSource.Gateway)).When(toAlias)
            .SetNetwork(attachment.NetworkKey)
            .Do(Registers.Bypass.Load(0), Registers.Zone.Load(ConntrackZones.Of(attachment)), enter with { Table = Tables.ConntrackState.Id })
            .End();
    }

    private static FieldMatch Ct(CtStateFlags state) => Fields.CtState.Masked((uint)(state | CtStateFlags.Tracked), (uint)(state | CtStateFlags.Tracked));
}
