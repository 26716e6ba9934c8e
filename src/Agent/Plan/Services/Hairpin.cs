using System.Net;
using Weft.Agent.Facts;
using Weft.Agent.Plan.Pipeline;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;

namespace Weft.Agent.Plan.Services;

/// <summary>A pod that reaches itself through its Service: it sees an address that is not its own, or it would answer itself without the switch.</summary>
/// <remarks>
/// Request: after the destination became the pod itself, the source becomes the hairpin address, in a zone of its own.
/// Reply: to the hairpin address; undone in that zone first, then in the network's zone as every reply.
/// </remarks>
public static class Hairpin
{
    private static readonly IPAddress V4 = IPAddress.Parse("169.254.87.70");
    private static readonly IPAddress V6 = IPAddress.Parse("fd57:4546:5400::70");

    /// <summary>Flows that are always there.</summary>
    public static IEnumerable<Flow> Base(ulong cookie) =>
        from address in new[] { V4, V6 }
        select new FlowDraft(Tables.Conntrack, Priorities.Host, cookie)
            .When(Packets.Family(address), Packets.To(address), Registers.From(PacketSource.Pod))
            .Do(Registers.Hairpin.Load(1), new Conntrack { Zone = ConntrackZones.Hairpin, Nat = new Nat(), Table = Tables.Conntrack.Id })
            .End();

    /// <summary>The reply in a tenant's network: equal connections of two tenants must not meet in one zone.</summary>
    public static IEnumerable<Flow> OfTenant(AttachedPort port, ulong cookie) =>
        from address in new[] { V4, V6 }
        select new FlowDraft(Tables.Conntrack, Priorities.Exception, cookie)
            .When(Fields.InPort.Is((uint)port.OfPort), Registers.Hairpin.Is(0), Registers.From(PacketSource.Pod), Packets.Family(address), Packets.To(address))
            .Do(Registers.Hairpin.Load(1), new Conntrack { Zone = ConntrackZones.HairpinOf(port.Attachment), Nat = new Nat(), Table = Tables.Conntrack.Id })
            .End();

    /// <summary>The flow for one address of a pod.</summary>
    public static Flow Of(AttachedPort port, IPAddress address, ulong cookie) =>
        new FlowDraft(Tables.EgressNat, Priorities.Normal, cookie)
            .When(Fields.Metadata.Is((ulong)port.Attachment.NetworkKey), Fields.InPort.Is((uint)port.OfPort), Packets.Family(address), Packets.From(address), Packets.To(address))
            .Do(
                Registers.Hairpin.Load(1),
                Registers.Bypass.Load(1),
                new Conntrack
                {
                    Commit = true,
                    Zone = ConntrackZones.HairpinOf(port.Attachment),
                    Table = Tables.Forwarding.Id,
                    Nat = new Nat(NatKind.Source) { Address = address.IsV6() ? V6 : V4 },
                })
            .End();
}
