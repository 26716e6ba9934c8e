using System.Net;
using Weft.Agent.Plan.Pipeline;
using Weft.Agent.Plan.Policies;
using Weft.Agent.Plan.Services;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;

namespace Weft.Agent.Plan.Features;

/// <summary>The flows that are always there: every table's miss, conntrack, and what is never forwarded.</summary>
public static class BaseFlows
{
    /// <summary>The name of their owner.</summary>
    public const string Owner = "base";

    private static readonly ulong Cookie = Cookies.Of(FlowFeature.Base, Owner);

    /// <summary>The flows.</summary>
    public static IEnumerable<Flow> Plan() =>
        [.. Tables.All.Select(Miss), .. NeighbourDiscovery(), .. Conntrack(), .. Routing(), .. Bypasses(), .. Sending(), .. Hairpin.Base(Cookie), .. TenantEdge.Base(Cookie)];

    private static Flow Miss(FlowTable table) => table.Miss == TableMiss.Continue
        ? new FlowDraft(table, Priorities.Miss, Cookie).Goto(Tables.All.First(t => t.Id == table.Next))
        : new FlowDraft(table, Priorities.Miss, Cookie).End();

    private static IEnumerable<Flow> NeighbourDiscovery()
    {
        // RFC 4861: router solicitation 133 to redirect 137. Answers are given by the ports' own flows; nothing else of it passes.
        for (byte type = 133; type <= 137; type++)
        {
            yield return On(Tables.ArpNd, Priorities.Rest + 10).When(Packets.Ipv6, Packets.Icmp6, Fields.Icmpv6Type.Is(type)).End();
        }

        yield return Neighbours.SendAdvertisement(Cookie);
        yield return On(Tables.ArpNd, Priorities.Rest).When(Packets.Ipv6).Goto(Tables.Conntrack);
        yield return On(Tables.ArpNd, Priorities.Rest).When(Packets.Ip).Goto(Tables.Conntrack);
    }

    private static IEnumerable<Flow> Conntrack()
    {
        foreach (var family in new[] { Packets.Ip, Packets.Ipv6 })
        {
            yield return On(Tables.Conntrack, Priorities.Normal).When(family)
                .Do(new Conntrack { ZoneSource = Registers.Zone, Nat = new Nat(), Table = Tables.ConntrackState.Id }).End();
            yield return On(Tables.ConntrackCommit, Priorities.Normal).When(family, Registers.Service.Is(0), Registers.Hairpin.Is(0), Ct(CtStateFlags.New | CtStateFlags.Tracked, CtStateFlags.New | CtStateFlags.Tracked))
                .Do(new Conntrack { Commit = true, ZoneSource = Registers.Zone, Table = Tables.Output.Id }).End();
        }

        yield return On(Tables.ConntrackState, Priorities.Bypass).When(Ct(CtStateFlags.Invalid | CtStateFlags.Tracked, CtStateFlags.Invalid | CtStateFlags.Tracked)).End();
        yield return On(Tables.ConntrackState, Priorities.Never).When(Ct(CtStateFlags.Reply | CtStateFlags.Tracked, CtStateFlags.Reply | CtStateFlags.Tracked | CtStateFlags.New))
            .Do(Registers.Bypass.Load(1)).Goto(Tables.Routing);
        yield return On(Tables.ConntrackState, Priorities.Never).When(Ct(CtStateFlags.Related | CtStateFlags.Tracked, CtStateFlags.Related | CtStateFlags.Tracked))
            .Do(Registers.Bypass.Load(1)).Goto(Tables.Routing);
        yield return On(Tables.ConntrackState, Priorities.Normal).When(Registers.From(PacketSource.Tunnel)).Goto(Tables.Routing);
    }

    private static IEnumerable<Flow> Routing()
    {
        yield return On(Tables.Routing, Priorities.Never).When(Packets.Ip, Packets.To(IPNetwork.Parse("224.0.0.0/4"))).End();
        yield return On(Tables.Routing, Priorities.Never).When(Packets.Ip, Packets.To(IPAddress.Broadcast)).End();
        yield return On(Tables.Routing, Priorities.Never).When(Packets.Ipv6, Packets.To(IPNetwork.Parse("ff00::/8"))).End();
        yield return On(Tables.Routing, Priorities.Never).When(Packets.Ipv6, Packets.To(IPNetwork.Parse("fe80::/10"))).End();
    }

    private static IEnumerable<Flow> Bypasses()
    {
        yield return On(Tables.IngressAdmin, Priorities.Bypass).When(Registers.Bypass.Is(1)).Goto(Tables.ConntrackCommit);
    }

    private static IEnumerable<Flow> Sending()
    {
        yield return NameFlows.Copy;
        yield return On(Tables.Output, Priorities.Exception).When(Registers.Hairpin.Is(1)).Do(Output.InPort).End();
        yield return On(Tables.Output, Priorities.Normal).Do(Registers.Output.Output()).End();
    }

    private static FieldMatch Ct(CtStateFlags value, CtStateFlags mask) => Fields.CtState.Masked((uint)value, (uint)mask);

    private static FlowDraft On(FlowTable table, int priority) => new(table, (ushort)priority, Cookie);
}
