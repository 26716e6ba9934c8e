using System.Buffers.Binary;
using System.Net;
using Weft.Agent.Facts;
using Weft.Agent.Plan.Pipeline;
using Weft.OpenFlow;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Messages;
using Weft.Topology;

namespace Weft.Agent.Denials;

/// <summary>The way of an answer back to the sender of a denied packet.</summary>
/// <param name="To">The frame's destination.</param>
/// <param name="InPort">Where it enters the pipeline, or the controller.</param>
/// <param name="Actions">What happens to it.</param>
internal sealed record AnswerRoute(MacAddress To, uint InPort, ActionList Actions)
{
    private static readonly MacAddress RouterMac = MacAddress.Parse(BridgePorts.RouterMac);
    private static readonly MacAddress GatewayMac = MacAddress.Parse(BridgePorts.GatewayMac);

    /// <summary>The route; null when the packet's own is not known.</summary>
    /// <remarks>
    /// A connection to a Service is committed before policies decide, so its answer takes the way of a reply through the pipeline of this node, which
    /// gives it the Service's address. Any other is not: conntrack would take an answer for invalid, and it goes straight to the port that the packet came
    /// from. Behind the tunnel the sender's own node does what is to be done.
    /// </remarks>
    public static AnswerRoute? For(PacketIn packet, NodeFacts facts)
    {
        var network = ValueOf(packet, Fields.Metadata);
        if (packet.InPort == BridgePorts.Tunnel)
        {
            return TunnelEnd(packet) is { } end
                ? new AnswerRoute(RouterMac, Ports.Controller, ActionList.Of(
                    Fields.TunId.Set((ulong)network), end.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? Fields.TunIPv6Dst.Set(end) : Fields.TunDst.Set(end),
                    new Output(BridgePorts.Tunnel)))
                : null;
        }

        if ((ValueOf(packet, Registers.Service.Field) & Registers.Service.Mask) != 0)
        {
            return new AnswerRoute(RouterMac, BridgePorts.Tunnel, ActionList.Of(Fields.TunId.Set((ulong)network), new Resubmit(Tables.Classifier.Id)));
        }

        MacAddress? sender = packet.InPort == BridgePorts.Gateway ? GatewayMac
            : facts.Ports.Values.FirstOrDefault(p => p.OfPort == packet.InPort) is { } port ? MacAddress.Parse(port.Attachment.Mac) : null;
        return sender is { } mac ? new AnswerRoute(mac, Ports.Controller, ActionList.Of(new Output(packet.InPort))) : null;
    }

    private static IPAddress? TunnelEnd(PacketIn packet)
    {
        Span<byte> bytes = stackalloc byte[16];
        if (packet.Metadata.TryGet(Fields.TunSrc, out var v4) && v4.Value != 0)
        {
            BinaryPrimitives.WriteUInt32BigEndian(bytes, (uint)v4.Value);
            return new IPAddress(bytes[..4]);
        }

        if (packet.Metadata.TryGet(Fields.TunIPv6Src, out var v6) && v6.Value != 0)
        {
            BinaryPrimitives.WriteUInt128BigEndian(bytes, v6.Value);
            return new IPAddress(bytes);
        }

        return null;
    }

    private static UInt128 ValueOf(PacketIn packet, Field field) => packet.Metadata.TryGet(field, out var found) ? found.Value : 0;
}
