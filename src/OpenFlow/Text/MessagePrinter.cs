using System.Buffers.Binary;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Messages;
using Weft.OpenFlow.Text.Checks;

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
        if ((frame[0] == OpenFlowMessage.Version ? Refusal(frame) : IsVersion(frame[0]) ? null : KindRefusal(frame)) is { } refusal)
        {
            Refused(text, frame, refusal);
            return;
        }

        Header(text, frame);
        var head = text.Length;
        try
        {
            if (frame[0] == OpenFlowMessage.Version)
            {
                if ((MessageType)frame[1] is MessageType.MultipartRequest or MessageType.MultipartReply)
                {
                    PartFlags(text, BinaryPrimitives.ReadUInt16BigEndian(frame[10..]));
                }

                MessageCheck.Check(frame);
            }

            if (!BodyOfBytes(text, frame, depth))
            {
                Body(text, MessageCodec.Decode(frame, out _), frame, depth);
            }

            text.Chomp(' ');
        }
        catch (OpenFlowFormatException e)
        {
            // A switch decodes a whole message before it prints it; only the rows of a multipart reply come one by one.
            text.Truncate(Math.Max(head, text.Committed));
            if (text.Length == head)
            {
                text.Put(" ");
            }
            else
            {
                text.Chomp(' ');
                text.Optional(text.Last != '\n', "\n");
            }

            Refused(text, frame, e.ErrorName ?? e.Message);
        }
    }

    /// <summary>The error with which Open vSwitch refuses a message whose kind it does not know, or whose length is not of its kind; null for none.</summary>
    public static string? Refusal(ReadOnlySpan<byte> frame) => KindRefusal(frame) ?? (MessageLengths.Fit(frame) ? null : "OFPBRC_BAD_LEN");

    /// <summary>The error with which Open vSwitch refuses a message whose kind it does not know; null for none.</summary>
    public static string? KindRefusal(ReadOnlySpan<byte> frame)
    {
        const string BadLength = "OFPBRC_BAD_LEN";
        switch ((MessageType)frame[1])
        {
            case MessageType.Experimenter:
                if (frame.Length < 16)
                {
                    return BadLength;
                }

                var (vendor, subtype) = (BinaryPrimitives.ReadUInt32BigEndian(frame[8..]), BinaryPrimitives.ReadUInt32BigEndian(frame[12..]));
                if (vendor is not (Wire.Vendors.Nicira or Wire.Vendors.Onf))
                {
                    return "OFPBRC_BAD_VENDOR";
                }

                if (!IsVersion(frame[0]) || !ExperimenterNames.ContainsKey((vendor, subtype)))
                {
                    return "OFPBRC_BAD_SUBTYPE";
                }

                break;
            case MessageType.MultipartRequest or MessageType.MultipartReply:
                if (frame.Length < 16 || (frame[8] == 0xff && frame[9] == 0xff && frame.Length < 24))
                {
                    return BadLength;
                }

                if (PartRefusal(frame) is { } refusal)
                {
                    return refusal;
                }

                break;
            case MessageType.Hello when frame[0] >= 1:
                // A hello may be of any version, as it offers them.
                return null;
            case var type when (int)type >= Names.Length || !IsVersion(frame[0]):
                return "OFPBRC_BAD_TYPE";
        }

        return null;
    }

    /// <summary>A version of OpenFlow that Open vSwitch speaks, 1.0 to 1.5.</summary>
    private static bool IsVersion(byte version) => version is >= 1 and <= 6;

    private static string? PartRefusal(ReadOnlySpan<byte> frame)
    {
        var kind = BinaryPrimitives.ReadUInt16BigEndian(frame[8..]);
        if (kind != (ushort)MultipartType.Experimenter)
        {
            return kind < Multiparts.Length && IsVersion(frame[0]) ? null : "OFPBRC_BAD_STAT";
        }

        var (vendor, subtype) = (BinaryPrimitives.ReadUInt32BigEndian(frame[16..]), BinaryPrimitives.ReadUInt32BigEndian(frame[20..]));
        return vendor is not (Wire.Vendors.Nicira or Wire.Vendors.Onf) ? "OFPBRC_BAD_VENDOR"
            : PartNames.ContainsKey((vendor, subtype)) && IsVersion(frame[0]) ? null : "OFPBRC_BAD_SUBTYPE";
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

                return kind == 0xffff && frame.Length >= 24 && PartNames.TryGetValue((BinaryPrimitives.ReadUInt32BigEndian(frame[16..]), BinaryPrimitives.ReadUInt32BigEndian(frame[20..])), out var part)
                    ? $"{part} {suffix}"
                    : $"OFPST_{kind} {suffix}";
            case MessageType.Experimenter when frame.Length >= 16:
                return ExperimenterName(BinaryPrimitives.ReadUInt32BigEndian(frame[8..]), BinaryPrimitives.ReadUInt32BigEndian(frame[12..]));
            default:
                return type < Names.Length ? "OFPT_" + Names[type] : $"OFPT_{type}";
        }
    }

    /// <summary>Messages of Nicira and ONF by experimenter and subtype, as OVS calls them.</summary>
    internal static IReadOnlyDictionary<(uint Vendor, uint Subtype), string> ExperimenterNames { get; } = new Dictionary<(uint, uint), string>
    {
        [(Wire.Vendors.Onf, 1870)] = "ONFT_FLOW_MONITOR_CANCEL",
        [(Wire.Vendors.Onf, 1871)] = "ONFT_FLOW_MONITOR_PAUSED",
        [(Wire.Vendors.Onf, 1872)] = "ONFT_FLOW_MONITOR_RESUMED",
        [(Wire.Vendors.Onf, 1911)] = "ONFT_ROLE_STATUS",
        [(Wire.Vendors.Onf, 2300)] = "ONFT_BUNDLE_CONTROL",
        [(Wire.Vendors.Onf, 2301)] = "ONFT_BUNDLE_ADD_MESSAGE",
        [(Wire.Vendors.Onf, 2350)] = "ONFT_REQUESTFORWARD",
        [(Wire.Vendors.Nicira, 10)] = "NXT_ROLE_REQUEST",
        [(Wire.Vendors.Nicira, 11)] = "NXT_ROLE_REPLY",
        [(Wire.Vendors.Nicira, 13)] = "NXT_FLOW_MOD",
        [(Wire.Vendors.Nicira, 14)] = "NXT_FLOW_REMOVED",
        [(Wire.Vendors.Nicira, 15)] = "NXT_FLOW_MOD_TABLE_ID",
        [(Wire.Vendors.Nicira, 16)] = "NXT_SET_PACKET_IN_FORMAT",
        [(Wire.Vendors.Nicira, 17)] = "NXT_PACKET_IN",
        [(Wire.Vendors.Nicira, 18)] = "NXT_FLOW_AGE",
        [(Wire.Vendors.Nicira, 19)] = "NXT_SET_ASYNC_CONFIG",
        [(Wire.Vendors.Nicira, 20)] = "NXT_SET_CONTROLLER_ID",
        [(Wire.Vendors.Nicira, 24)] = "NXT_TLV_TABLE_MOD",
        [(Wire.Vendors.Nicira, 25)] = "NXT_TLV_TABLE_REQUEST",
        [(Wire.Vendors.Nicira, 26)] = "NXT_TLV_TABLE_REPLY",
        [(Wire.Vendors.Nicira, 27)] = "NXT_SET_ASYNC_CONFIG2",
        [(Wire.Vendors.Nicira, 28)] = "NXT_RESUME",
        [(Wire.Vendors.Nicira, 29)] = "NXT_CT_FLUSH_ZONE",
        [(Wire.Vendors.Nicira, 30)] = "NXT_PACKET_IN2",
        [(Wire.Vendors.Nicira, 32)] = "NXT_CT_FLUSH",
    };

    /// <summary>Multipart messages of Nicira and ONF by experimenter and subtype.</summary>
    internal static IReadOnlyDictionary<(uint Vendor, uint Subtype), string> PartNames { get; } = new Dictionary<(uint, uint), string>
    {
        [(Wire.Vendors.Onf, FlowMonitorCodec.Subtype)] = "ONFST_FLOW_MONITOR",
        [(Wire.Vendors.Nicira, IpfixStats.BridgeSubtype)] = "NXST_IPFIX_BRIDGE",
        [(Wire.Vendors.Nicira, IpfixStats.FlowSubtype)] = "NXST_IPFIX_FLOW",
    };

    private static string ExperimenterName(uint vendor, uint subtype) =>
        ExperimenterNames.TryGetValue((vendor, subtype), out var name) ? name : $"OFPT_EXPERIMENTER vendor 0x{vendor:x} type {subtype}";

    private static void Body(FlowTextWriter text, OpenFlowMessage message, ReadOnlySpan<byte> frame, int depth)
    {
        switch (message)
        {
            case FlowMod mod: FlowModBody(text, mod, withCookie: mod.Command == FlowCommand.Add); break;
            case NiciraFlowMod nicira: FlowModBody(text, nicira.Mod, withCookie: true); break;
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
                text.Optional((role.IsReply || role.Role != 0) && role.GenerationId != ulong.MaxValue, $" generation_id={role.GenerationId}");
                break;
            case BundleControl control:
                text.Put($"\n bundle_id={CHex(control.BundleId)} type={BundleName(control.Control)} flags={BundleFlags(control.Flags)}");
                break;
            case Multipart part: MultipartBody(text, part); break;
            case SetControllerId id: text.Put($" id={id.ControllerId}"); break;
            case SetPacketInFormat format: text.Put($" format={format.Format switch { 0 => "standard", 1 => "nxt_packet_in", 2 => "nxt_packet_in2", _ => "unknown" }}"); break;
            case FlushConntrackZone zone: text.Put($" zone_id={zone.Zone}"); break;
            case CancelFlowMonitor cancel: text.Put($" id={cancel.MonitorId}"); break;
            case TlvTableMod mod: TlvModBody(text, mod); break;
            case TlvTableReply reply: TlvReplyBody(text, reply); break;
            case AsyncConfig config: AsyncBody(text, Settings(config)); break;
            case AsyncSettings settings: AsyncBody(text, settings); break;
            case PortMod mod: PortModBody(text, mod); break;
            case TableMod mod: text.Put(mod.Table == 255 ? " table_id: ALL_TABLES" : $" table_id={mod.Table}"); break;
            case RoleStatus status: RoleStatusBody(text, status); break;
            case RequestForward forward: RequestForwardBody(text, forward); break;
            case FlushConntrack flush: FlushBody(text, flush); break;
            case QueueConfigRequest queues:
                text.Put(" port=");
                text.Port(queues.Port);
                break;
            case ExperimenterMessage { Experimenter: Wire.Vendors.Nicira, Subtype: 10 or 11 } role when role.Body.Length == 4:
                text.Put($" role={RoleName(BinaryPrimitives.ReadUInt32BigEndian(role.Body.AsSpan()) + 1)}");
                break;
            case ExperimenterMessage { Experimenter: Wire.Vendors.Nicira, Subtype: 15 } tables: text.Put(tables.Body[0] != 0 ? " enable" : " disable"); break;
            case ExperimenterMessage { Experimenter: Wire.Vendors.Nicira, Subtype: 19 } config:
                var words = new Wire.WireReader(config.Body.AsSpan());
                AsyncBody(text, Settings(AsyncConfig.Decode(ref words, MessageType.SetAsync)));
                break;
            case ExperimenterMessage { Body.Length: > 0 } or UnknownMessage:
                text.Put("\n");
                text.HexDump(frame);
                break;
        }
    }

    /// <summary>Bodies of which parts are printed although others are damaged; false for all others.</summary>
    private static bool BodyOfBytes(FlowTextWriter text, ReadOnlySpan<byte> frame, int depth)
    {
        if (frame[0] != OpenFlowMessage.Version)
        {
            return false;
        }

        if ((MessageType)frame[1] == MessageType.QueueGetConfigReply)
        {
            QueueConfigBody(text, frame[MessageCodec.HeaderLength..]);
            return true;
        }

        if ((MessageType)frame[1] == MessageType.Experimenter && BinaryPrimitives.ReadUInt32BigEndian(frame[8..]) == Wire.Vendors.Onf
            && BinaryPrimitives.ReadUInt32BigEndian(frame[12..]) == BundleControl.AddSubtype)
        {
            BundleAddBody(text, frame, depth);
            return true;
        }

        return false;
    }

    /// <summary>The message inside may be damaged, which is told of it alone.</summary>
    private static void BundleAddBody(FlowTextWriter text, ReadOnlySpan<byte> frame, int depth)
    {
        text.Put($"\n bundle_id={CHex(BinaryPrimitives.ReadUInt32BigEndian(frame[16..]))} flags={BundleFlags(BinaryPrimitives.ReadUInt16BigEndian(frame[22..]))}\n");
        var inner = frame[24..];
        MessageText.Write(text, inner[..BinaryPrimitives.ReadUInt16BigEndian(inner[2..])], depth + 1);
    }

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

    private static string BundleFlags(ushort flags) => BitNames(flags, ' ', ["atomic", "ordered"]);
}
