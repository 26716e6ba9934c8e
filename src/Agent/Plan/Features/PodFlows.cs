using System.Net;
using System.Net.NetworkInformation;
using Weft.Agent.Facts;
using Weft.Agent.Plan.Pipeline;
using Weft.Agent.Plan.Services;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;

namespace Weft.Agent.Plan.Features;

/// <summary>A pod's port: what it may send, who answers for its address, and the way to it.</summary>
public static class PodFlows
{
    private static readonly MacAddress RouterMac = MacAddress.Parse(BridgePorts.RouterMac);

    /// <summary>The owner of a pod's flows; also the name behind their cookie.</summary>
    public static string OwnerOf(string pod) => "pod " + pod;

    /// <summary>The flows of one attached pod.</summary>
    /// <param name="port">The port.</param>
    /// <param name="isCutOff">No policy speaks of the pod where it is: nothing but its own node reaches it, and it reaches nobody.</param>
    public static IEnumerable<Flow> Plan(AttachedPort port, bool isCutOff)
    {
        var attachment = port.Attachment;
        var mac = MacAddress.Parse(attachment.Mac);
        var addresses = attachment.Addresses.Select(IPAddress.Parse).ToList();
        var cookie = Cookies.Of(FlowFeature.Pod, OwnerOf(attachment.Pod));
        return
        [
            Admission(port, cookie),
            .. SpoofGuard(port, mac, addresses),
            .. addresses.Select(a => Neighbours.Silence((uint)port.OfPort, a, cookie)),
            .. addresses.Select(a => Neighbours.Answer(attachment.NetworkKey, a, mac, isRouter: false, cookie)),
            .. Delivery(port, mac, addresses, cookie),
            .. addresses.Select(a => Hairpin.Of(port, a, cookie)),
            .. attachment.NetworkKey == Topology.Network.DefaultKey ? [] : TenantEdge.Of(port, cookie),
            .. isCutOff ? Await(port, cookie) : [],
        ];
    }

    private static IEnumerable<Flow> Await(AttachedPort port, ulong cookie) =>
    [
        new FlowDraft(Tables.EgressAdmin, Priorities.Await, cookie).When(Fields.InPort.Is((uint)port.OfPort)).End(),
        new FlowDraft(Tables.IngressAdmin, Priorities.Await, cookie).When(Registers.Output.Is((uint)port.OfPort)).End(),
    ];

    private static Flow Admission(AttachedPort port, ulong cookie) =>
        new FlowDraft(Tables.Classifier, Priorities.Normal, cookie).When(Fields.InPort.Is((uint)port.OfPort))
            .Do(Registers.Source.Load((uint)PacketSource.Pod), Registers.Zone.Load(ConntrackZones.Of(port.Attachment)))
            .SetNetwork(port.Attachment.NetworkKey).Goto(Tables.SpoofGuard);

    private static IEnumerable<Flow> SpoofGuard(AttachedPort port, MacAddress mac, List<IPAddress> addresses)
    {
        // All of them carry the spoof cookie, so that what a pod may not send is counted apart.
        var cookie = Cookies.Of(FlowFeature.Spoof, OwnerOf(port.Attachment.Pod));
        var inPort = Fields.InPort.Is((uint)port.OfPort);
        FlowDraft On(int priority) => new FlowDraft(Tables.SpoofGuard, (ushort)priority, cookie).When(inPort);
        foreach (var address in addresses)
        {
            if (address.IsV6())
            {
                yield return On(Priorities.Normal).When(Packets.Ipv6, Fields.EthSrc.Is(mac), Fields.IPv6Src.Is(address)).Goto(Tables.ArpNd);
                continue;
            }

            yield return On(Priorities.Normal).When(Packets.Ip, Fields.EthSrc.Is(mac), Fields.IPv4Src.Is(address)).Goto(Tables.ArpNd);
            yield return On(Priorities.Normal).When(Packets.Arp, Fields.EthSrc.Is(mac), Fields.ArpSha.Is(mac), Fields.ArpSpa.Is(address)).Goto(Tables.ArpNd);
        }

        if (addresses.Any(a => a.IsV6()))
        {
            // Its own link-local address may ask for neighbours; the rest of link-local traffic (router solicitations, multicast
            // listener reports, duplicate address detection) ends here and is no attempt to deceive.
            var linkLocal = Addresses.LinkLocal(PhysicalAddress.Parse(port.Attachment.Mac));
            yield return On(Priorities.Normal).When(Packets.Ipv6, Packets.Icmp6, Packets.NeighbourSolicitation, Fields.EthSrc.Is(mac), Fields.IPv6Src.Is(linkLocal)).Goto(Tables.ArpNd);
            yield return On(Priorities.Rest).When(Packets.Ipv6, Fields.EthSrc.Is(mac), Fields.IPv6Src.Is(linkLocal)).End();
            yield return On(Priorities.Rest).When(Packets.Ipv6, Fields.EthSrc.Is(mac), Fields.IPv6Src.Is(IPAddress.IPv6Any)).End();
        }

        yield return On(Priorities.PortDrop).End();
    }

    private static IEnumerable<Flow> Delivery(AttachedPort port, MacAddress mac, List<IPAddress> addresses, ulong cookie)
    {
        var network = Fields.Metadata.Is((ulong)port.Attachment.NetworkKey);
        foreach (var address in addresses)
        {
            // Within the switch the frame is addressed already; whatever came to the router gets a new frame.
            yield return new FlowDraft(Tables.Routing, Priorities.Exception, cookie).When(network, Packets.Family(address), Packets.To(address), Fields.EthDst.Is(mac)).Goto(Tables.EgressNat);
            yield return new FlowDraft(Tables.Routing, Priorities.Host, cookie).When(network, Packets.Family(address), Packets.To(address))
                .Do(Fields.EthSrc.Set(RouterMac), Fields.EthDst.Set(mac)).Goto(Tables.EgressNat);
        }

        yield return new FlowDraft(Tables.Forwarding, Priorities.Normal, cookie).When(network, Fields.EthDst.Is(mac))
            .Do(Registers.Output.Load((uint)port.OfPort)).Goto(Tables.IngressAdmin);
    }
}
