using System.Buffers.Binary;
using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Messages;

/// <summary>From bytes to messages.</summary>
public static class MessageCodec
{
    /// <summary>The length of a header, in bytes.</summary>
    public const int HeaderLength = 8;

    /// <summary>Decodes one whole message of OpenFlow 1.3 (or a hello or error of any version).</summary>
    /// <param name="frame">The message with its header; its length must be the header's.</param>
    /// <param name="xid">The transaction id.</param>
    /// <exception cref="OpenFlowFormatException">The bytes are damaged. Unknown types are no error.</exception>
    public static OpenFlowMessage Decode(ReadOnlySpan<byte> frame, out uint xid)
    {
        if (frame.Length < HeaderLength)
        {
            throw new OpenFlowFormatException($"a message has at least 8 bytes, {frame.Length} are given");
        }

        var length = BinaryPrimitives.ReadUInt16BigEndian(frame[2..]);
        if (length != frame.Length)
        {
            throw new OpenFlowFormatException($"the header says {length} bytes, {frame.Length} are given");
        }

        xid = BinaryPrimitives.ReadUInt32BigEndian(frame[4..]);
        var version = frame[0];
        var type = (MessageType)frame[1];
        if (version != OpenFlowMessage.Version && type is not (MessageType.Hello or MessageType.Error or MessageType.EchoRequest or MessageType.EchoReply))
        {
            throw new OpenFlowFormatException($"version {version} is not OpenFlow 1.3 (4)");
        }

        var r = new WireReader(frame[HeaderLength..]);
        try
        {
            return Decode(ref r, type, version, 0);
        }
        catch (ArgumentException e)
        {
            throw new OpenFlowFormatException(e.Message);
        }
    }

    private static OpenFlowMessage Decode(ref WireReader r, MessageType type, byte version, int depth) => type switch
    {
        MessageType.Hello => Hello.Decode(ref r, version),
        MessageType.Error => ErrorMessage.Decode(ref r),
        MessageType.EchoRequest or MessageType.EchoReply => new Echo(type == MessageType.EchoReply, [.. r.Rest]),
        MessageType.Experimenter => DecodeExperimenter(ref r, depth),
        MessageType.FeaturesReply => FeaturesReply.Decode(ref r),
        MessageType.GetConfigReply or MessageType.SetConfig => new SwitchConfig(type, r.U16(), r.U16()),
        MessageType.PacketIn => PacketIn.Decode(ref r),
        MessageType.FlowRemoved => FlowRemoved.Decode(ref r),
        MessageType.PortStatus => PortStatus.Decode(ref r),
        MessageType.PacketOut => PacketOut.Decode(ref r),
        MessageType.FlowMod => FlowMod.Decode(ref r),
        MessageType.GroupMod => GroupMod.Decode(ref r),
        MessageType.MeterMod => MeterMod.Decode(ref r),
        MessageType.PortMod => PortMod.Decode(ref r),
        MessageType.TableMod => TableMod.Decode(ref r),
        MessageType.QueueGetConfigRequest => QueueConfigRequest.Decode(ref r),
        MessageType.QueueGetConfigReply => QueueConfigReply.Decode(ref r),
        MessageType.MultipartRequest or MessageType.MultipartReply => Multipart.Decode(ref r, type == MessageType.MultipartReply),
        MessageType.RoleRequest or MessageType.RoleReply => RoleMessage.Decode(ref r, type == MessageType.RoleReply),
        MessageType.GetAsyncReply or MessageType.SetAsync => AsyncConfig.Decode(ref r, type),
        MessageType.FeaturesRequest or MessageType.GetConfigRequest or MessageType.BarrierRequest or MessageType.BarrierReply or MessageType.GetAsyncRequest
            when r.Remaining == 0 => new EmptyMessage(type),
        _ => new UnknownMessage(type, [.. r.Rest]),
    };

    private static OpenFlowMessage DecodeExperimenter(ref WireReader r, int depth)
    {
        var (vendor, subtype) = (r.U32(), r.U32());
        switch (vendor, subtype)
        {
            case (Vendors.Onf, BundleControl.Subtype):
                return new BundleControl(r.U32(), (BundleControlType)r.U16(), r.U16());
            case (Vendors.Onf, BundleControl.AddSubtype) when depth == 0:
                return DecodeBundleAdd(ref r);
            case (Vendors.Onf, RoleStatus.Subtype):
                return RoleStatus.Decode(ref r);
            case (Vendors.Onf, RequestForward.Subtype) when depth == 0:
                var request = DecodeInner(ref r, out var requestXid);
                return request is GroupMod or MeterMod
                    ? new RequestForward(request) { RequestXid = requestXid }
                    : throw new OpenFlowFormatException("request forward: only group and meter mods are told of", "OFPBFC_MSG_UNSUP");
            case (Vendors.Onf, 1870):
                return new CancelFlowMonitor(r.U32());
            case (Vendors.Nicira, 16):
                return new SetPacketInFormat(r.U32());
            case (Vendors.Nicira, 20):
                r.Skip(6);
                return new SetControllerId(r.U16());
            case (Vendors.Nicira, 24):
                var command = r.U16();
                r.Skip(6);
                return new TlvTableMod(command, TlvTableMod.Read(ref r));
            case (Vendors.Nicira, 25):
                return new TlvTableRequest();
            case (Vendors.Nicira, 26):
                var (space, fields) = (r.U32(), r.U16());
                r.Skip(10);
                return new TlvTableReply(space, fields, TlvTableMod.Read(ref r));
            case (Vendors.Nicira, AsyncSettings.Subtype):
                return AsyncSettings.Decode(ref r);
            case (Vendors.Nicira, PacketIn.NiciraSubtype):
                return PacketIn.DecodeNicira(ref r);
            case (Vendors.Nicira, PacketIn.ResumeSubtype or PacketIn.Nicira2Subtype):
                return PacketIn.DecodeProperties(ref r, subtype == PacketIn.ResumeSubtype);
            case (Vendors.Nicira, NiciraFlowMod.Subtype):
                return NiciraFlowMod.Decode(ref r);
            case (Vendors.Nicira, FlowRemoved.NiciraSubtype):
                return FlowRemoved.DecodeNicira(ref r);
            case (Vendors.Nicira, 29):
                r.Skip(6);
                return new FlushConntrackZone(r.U16());
            case (Vendors.Nicira, 32):
                return FlushConntrack.Decode(ref r);
            default:
                return new ExperimenterMessage(vendor, subtype, [.. r.Rest]);
        }
    }

    private static BundleAdd DecodeBundleAdd(ref WireReader r)
    {
        var id = r.U32();
        r.Skip(2);
        var flags = r.U16();
        var message = DecodeInner(ref r, out var xid);
        return new BundleAdd(id, flags, message) { InnerXid = xid };
    }

    /// <summary>The message inside a message; nothing may be nested deeper.</summary>
    private static OpenFlowMessage DecodeInner(ref WireReader r, out uint xid)
    {
        var inner = r.Rest;
        if (inner.Length < HeaderLength || BinaryPrimitives.ReadUInt16BigEndian(inner[2..]) is var length && (length < HeaderLength || length > inner.Length) || inner[0] != OpenFlowMessage.Version)
        {
            throw new OpenFlowFormatException("the message inside is cut short or not of OpenFlow 1.3", "OFPBFC_MSG_BAD_LEN");
        }

        xid = BinaryPrimitives.ReadUInt32BigEndian(inner[4..]);
        var body = new WireReader(inner[HeaderLength..BinaryPrimitives.ReadUInt16BigEndian(inner[2..])]);
        return Decode(ref body, (MessageType)inner[1], OpenFlowMessage.Version, 1);
    }
}
