using System.Buffers.Binary;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Messages;

namespace Weft.OpenFlow.Text;

/// <summary>The head line and body of each kind of message (ofp-print.c and its kin in OVS).</summary>
internal static partial class MessagePrinter
{
    private static readonly string[] Names =
    [
        "HELLO", "ERROR", "ECHO_REQUEST", "ECHO_REPLY", "EXPERIMENTER", "FEATURES_REQUEST", "FEATURES_REPLY", "GET_CONFIG_REQUEST",
        "GET_CONFIG_REPLY", "SET_CONFIG", "PACKET_IN", "FLOW_REMOVED", "PORT_STATUS", "PACKET_OUT", "FLOW_MOD", "GROUP_MOD", "PORT_MOD",
        "TABLE_MOD", "MULTIPART_REQUEST", "MULTIPART_REPLY", "BARRIER_REQUEST", "BARRIER_REPLY", "QUEUE_GET_CONFIG_REQUEST",
        "QUEUE_GET_CONFIG_REPLY", "ROLE_REQUEST", "ROLE_REPLY", "GET_ASYNC_REQUEST", "GET_ASYNC_REPLY", "SET_ASYNC", "METER_MOD",
    ];

    private static readonly string[] Multiparts =
    [
        "DESC", "FLOW", "AGGREGATE", "TABLE", "PORT", "QUEUE", "GROUP", "GROUP_DESC", "GROUP_FEATURES", "METER", "METER_CONFIG", "METER_FEATURES", "TABLE_FEATURES", "PORT_DESC",
    ];

    /// <summary>Prints one message whose length fits.</summary>
    public static void Print(FlowTextWriter text, ReadOnlySpan<byte> frame, int depth)
    {
        if (frame[0] == OpenFlowMessage.Version && !MessageLengths.Fit(frame))
        {
            Refused(text, frame, "OFPBRC_BAD_LEN");
            return;
        }

        var head = -1;
        try
        {
            var message = MessageCodec.Decode(frame, out _);
            if (UnknownKind(message, frame) is { } error)
            {
                Refused(text, frame, error);
                return;
            }

            Header(text, frame);
            head = text.Length;
            MessageCheck.Check(message);
            Body(text, message, frame, depth);
            text.Chomp(' ');
        }
        catch (OpenFlowFormatException e)
        {
            if (head < 0)
            {
                Header(text, frame);
                head = text.Length;
            }

            // A switch decodes a whole message before it prints it; only the rows of a multipart reply come one by one.
            text.Truncate(Math.Max(head, text.Committed));
            text.Put(text.Length == head ? " " : "\n");
            Refused(text, frame, e.ErrorName ?? e.Message);
        }
    }

    private static void Refused(FlowTextWriter text, ReadOnlySpan<byte> frame, string error)
    {
        text.Put($"***decode error: {error}***\n");
        text.HexDump(frame);
    }

    /// <summary>"OFPT_FLOW_MOD (OF1.3) (xid=0x1):".</summary>
    public static void Header(FlowTextWriter text, ReadOnlySpan<byte> frame)
    {
        text.Put(Name(frame));
        text.Put(frame[0] switch { 1 => "", 2 => " (OF1.1)", 3 => " (OF1.2)", 4 => " (OF1.3)", 5 => " (OF1.4)", 6 => " (OF1.5)", _ => $" (OF 0x{frame[0]:x2})" });
        text.Put($" (xid=0x{BinaryPrimitives.ReadUInt32BigEndian(frame[4..]):x}):");
    }

    private static string Name(ReadOnlySpan<byte> frame)
    {
        var type = frame[1];
        switch ((MessageType)type)
        {
            case MessageType.MultipartRequest or MessageType.MultipartReply when frame.Length >= 16:
                var suffix = type == 18 ? "request" : "reply";
                var kind = BinaryPrimitives.ReadUInt16BigEndian(frame[8..]);
                if (kind < Multiparts.Length)
                {
                    return $"OFPST_{Multiparts[kind]} {suffix}";
                }

                return kind == 0xffff && frame.Length >= 24 && BinaryPrimitives.ReadUInt32BigEndian(frame[16..]) == Wire.Vendors.Onf && BinaryPrimitives.ReadUInt32BigEndian(frame[20..]) == FlowMonitorCodec.Subtype
                    ? $"ONFST_FLOW_MONITOR {suffix}"
                    : $"OFPST_{kind} {suffix}";
            case MessageType.Experimenter when frame.Length >= 16:
                return ExperimenterName(BinaryPrimitives.ReadUInt32BigEndian(frame[8..]), BinaryPrimitives.ReadUInt32BigEndian(frame[12..]));
            default:
                return type < Names.Length ? "OFPT_" + Names[type] : $"OFPT_{type}";
        }
    }

    private static string ExperimenterName(uint vendor, uint subtype) => (vendor, subtype) switch
    {
        (Wire.Vendors.Onf, 1870) => "ONFT_FLOW_MONITOR_CANCEL",
        (Wire.Vendors.Onf, 1871) => "ONFT_FLOW_MONITOR_PAUSED",
        (Wire.Vendors.Onf, 1872) => "ONFT_FLOW_MONITOR_RESUMED",
        (Wire.Vendors.Onf, 1911) => "ONFT_ROLE_STATUS",
        (Wire.Vendors.Onf, 2300) => "ONFT_BUNDLE_CONTROL",
        (Wire.Vendors.Onf, 2301) => "ONFT_BUNDLE_ADD_MESSAGE",
        (Wire.Vendors.Onf, 2350) => "ONFT_REQUESTFORWARD",
        (Wire.Vendors.Nicira, 10) => "NXT_ROLE_REQUEST",
        (Wire.Vendors.Nicira, 11) => "NXT_ROLE_REPLY",
        (Wire.Vendors.Nicira, 15) => "NXT_FLOW_MOD_TABLE_ID",
        (Wire.Vendors.Nicira, 16) => "NXT_SET_PACKET_IN_FORMAT",
        (Wire.Vendors.Nicira, 18) => "NXT_FLOW_AGE",
        (Wire.Vendors.Nicira, 19) => "NXT_SET_ASYNC_CONFIG",
        (Wire.Vendors.Nicira, 20) => "NXT_SET_CONTROLLER_ID",
        (Wire.Vendors.Nicira, 24) => "NXT_TLV_TABLE_MOD",
        (Wire.Vendors.Nicira, 25) => "NXT_TLV_TABLE_REQUEST",
        (Wire.Vendors.Nicira, 26) => "NXT_TLV_TABLE_REPLY",
        (Wire.Vendors.Nicira, 28) => "NXT_RESUME",
        (Wire.Vendors.Nicira, 29) => "NXT_CT_FLUSH_ZONE",
        (Wire.Vendors.Nicira, 30) => "NXT_PACKET_IN2",
        (Wire.Vendors.Nicira, 32) => "NXT_CT_FLUSH",
        _ => $"OFPT_EXPERIMENTER vendor 0x{vendor:x} type {subtype}",
    };

    private static void Body(FlowTextWriter text, OpenFlowMessage message, ReadOnlySpan<byte> frame, int depth)
    {
        switch (message)
        {
            case FlowMod mod: FlowModBody(text, mod); break;
            case GroupMod mod: GroupModBody(text, mod); break;
            case MeterMod mod: MeterModBody(text, mod); break;
            case Hello hello: HelloBody(text, hello, frame); break;
            case Echo echo:
                text.Put($" {echo.Data.Length} bytes of payload\n");
                text.HexDump(echo.Data.AsSpan());
                break;
            case ErrorMessage error: ErrorBody(text, error, depth); break;
            case FeaturesReply features: FeaturesBody(text, features); break;
            case SwitchConfig config: ConfigBody(text, config); break;
            case PacketIn packet: PacketInBody(text, packet); break;
            case PacketOut packet: PacketOutBody(text, packet); break;
            case FlowRemoved removed: FlowRemovedBody(text, removed); break;
            case PortStatus status:
                text.Put(status.Reason switch { PortReason.Added => " ADD:", PortReason.Deleted => " DEL:", _ => " MOD:" });
                PortBody(text, status.Port);
                break;
            case RoleMessage role:
                text.Put($" role={RoleName(role.Role)}");
                text.Optional(role.Role is 2 or 3 || role.IsReply && role.GenerationId != ulong.MaxValue, $" generation_id={role.GenerationId}");
                break;
            case BundleControl control:
                text.Put($"\n bundle_id=0x{control.BundleId:x} type={BundleName(control.Control)} flags={BundleFlags(control.Flags)}");
                break;
            case BundleAdd add:
                text.Put($"\n bundle_id=0x{add.BundleId:x} flags={BundleFlags(add.Flags)}\n");
                var inner = frame[24..];
                if (BinaryPrimitives.ReadUInt32BigEndian(inner[4..]) != BinaryPrimitives.ReadUInt32BigEndian(frame[4..]))
                {
                    throw new OpenFlowFormatException("bundle: the message inside has another xid", "OFPBFC_MSG_BAD_XID");
                }

                MessageText.Write(text, inner[..BinaryPrimitives.ReadUInt16BigEndian(inner[2..])], depth + 1);
                break;
            case Multipart part: MultipartBody(text, part, BinaryPrimitives.ReadUInt16BigEndian(frame[10..])); break;
            case SetControllerId id: text.Put($" id={id.ControllerId}"); break;
            case SetPacketInFormat format: text.Put($" format={format.Format switch { 0 => "standard", 1 => "nxt_packet_in", 2 => "nxt_packet_in2", _ => "unknown" }}"); break;
            case FlushConntrackZone zone: text.Put($" zone_id={zone.Zone}"); break;
            case CancelFlowMonitor cancel: text.Put($" id={cancel.MonitorId}"); break;
            case TlvTableMod mod: TlvModBody(text, mod); break;
            case TlvTableReply reply: TlvReplyBody(text, reply); break;
            case AsyncConfig config: AsyncBody(text, config); break;
            case PortMod mod: PortModBody(text, mod); break;
            case TableMod mod: text.Put(mod.Table == 255 ? " table_id: ALL_TABLES" : $" table_id={mod.Table}"); break;
            case RoleStatus status: RoleStatusBody(text, status); break;
            case RequestForward forward: RequestForwardBody(text, forward); break;
            case FlushConntrack flush: FlushBody(text, flush); break;
            case QueueConfigRequest queues:
                text.Put(" port=");
                text.Port(queues.Port);
                break;
            case QueueConfigReply queues: QueueConfigBody(text, queues); break;
            case ExperimenterMessage { Experimenter: Wire.Vendors.Nicira, Subtype: 10 or 11 } role when role.Body.Length == 4:
                text.Put($" role={RoleName(BinaryPrimitives.ReadUInt32BigEndian(role.Body.AsSpan()) + 1)}");
                break;
            case ExperimenterMessage { Experimenter: Wire.Vendors.Nicira, Subtype: 15 } tables: text.Put(tables.Body[0] != 0 ? " enable" : " disable"); break;
            case ExperimenterMessage { Experimenter: Wire.Vendors.Nicira, Subtype: 19 } config:
                var words = new Wire.WireReader(config.Body.AsSpan());
                AsyncBody(text, AsyncConfig.Decode(ref words, MessageType.SetAsync));
                break;
            case ExperimenterMessage { Body.Length: > 0 } or UnknownMessage:
                text.Put("\n");
                text.HexDump(frame);
                break;
        }
    }

    /// <summary>What OVS calls a message that it does not know; null for those that it does.</summary>
    private static string? UnknownKind(OpenFlowMessage message, ReadOnlySpan<byte> frame) => message switch
    {
        UnknownMessage when frame[1] >= Names.Length => "OFPBRC_BAD_TYPE",
        ExperimenterMessage { Experimenter: not (Wire.Vendors.Onf or Wire.Vendors.Nicira) } => "OFPBRC_BAD_VENDOR",
        ExperimenterMessage e when ExperimenterName(e.Experimenter, e.Subtype).StartsWith("OFPT", StringComparison.Ordinal) => "OFPBRC_BAD_SUBTYPE",
        Multipart { Kind: MultipartType.Experimenter, Body.Length: < 8 } => "OFPBRC_BAD_LEN",
        Multipart { Kind: not MultipartType.Experimenter } part when (int)part.Kind >= Multiparts.Length => "OFPBRC_BAD_STAT",
        _ => null,
    };

    private static void RoleStatusBody(FlowTextWriter text, RoleStatus status)
    {
        text.Put($" role={RoleName(status.Role)}");
        text.Optional(status.GenerationId != ulong.MaxValue, $" generation_id={status.GenerationId}");
        text.Put($" reason={status.Reason switch { 0 => "primary_request", 1 => "configuration_changed", 2 => "experimenter_data_changed", _ => "(unknown)" }}");
    }

    private static string RoleName(uint role) => role switch { 0 => "nochange", 1 => "equal", 2 => "primary", 3 => "secondary", _ => "unknown" };

    private static string BundleName(BundleControlType type) => type switch
    {
        BundleControlType.OpenRequest => "OPEN_REQUEST",
        BundleControlType.OpenReply => "OPEN_REPLY",
        BundleControlType.CloseRequest => "CLOSE_REQUEST",
        BundleControlType.CloseReply => "CLOSE_REPLY",
        BundleControlType.CommitRequest => "COMMIT_REQUEST",
        BundleControlType.CommitReply => "COMMIT_REPLY",
        BundleControlType.DiscardRequest => "DISCARD_REQUEST",
        BundleControlType.DiscardReply => "DISCARD_REPLY",
        _ => "",
    };

    private static string BundleFlags(ushort flags) => flags switch { 0 => "0", 1 => "atomic", 2 => "ordered", 3 => "atomic ordered", _ => $"0x{flags:x}" };
}
