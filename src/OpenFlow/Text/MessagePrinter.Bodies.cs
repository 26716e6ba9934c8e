using System.Buffers.Binary;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Messages;
using Weft.OpenFlow.Text.Checks;

namespace Weft.OpenFlow.Text;

/// <content>Bodies.</content>
internal static partial class MessagePrinter
{
    private static void FlowModBody(FlowTextWriter text, FlowMod mod, bool withCookie)
    {
        var flow = mod.Flow;
        text.Put(mod.Command switch { FlowCommand.Add => " ADD", FlowCommand.Modify => " MOD", FlowCommand.ModifyStrict => " MOD_STRICT", FlowCommand.Delete => " DEL", _ => " DEL_STRICT" });
        if (flow.Table != 0 || text.HasTableName(flow.Table))
        {
            text.Put(" table:");
            text.Table(flow.Table);
        }

        text.Put(" ");
        text.Optional(flow.Priority != Flow.DefaultPriority, $"priority={flow.Priority},");
        MatchText.Write(text, flow.Match);
        text.Chomp(',');
        text.Optional(text.Last != ' ', " ");
        text.Optional(withCookie && flow.Cookie is not (0 or ulong.MaxValue), $"cookie:0x{flow.Cookie:x} ");
        text.Optional(mod.CookieMask != 0, $"cookie:0x{mod.CookieFilter:x}/0x{mod.CookieMask:x} ");
        text.Optional(flow.IdleTimeout != 0, $"idle:{flow.IdleTimeout} ");
        text.Optional(flow.HardTimeout != 0, $"hard:{flow.HardTimeout} ");
        text.Optional(mod.BufferId != uint.MaxValue, $"buf:0x{mod.BufferId:x} ");
        if (mod.OutPort != Ports.Any)
        {
            text.Put("out_port:");
            text.Port(mod.OutPort);
            text.Put(" ");
        }

        FlowText.WriteFlags(text, flow.Flags);
        text.Put("actions=");
        text.Instructions(flow.Instructions);
    }

    private static void GroupModBody(FlowTextWriter text, GroupMod mod)
    {
        text.Put(mod.Command switch { GroupCommand.Add => "\n ADD ", GroupCommand.Modify => "\n MOD ", GroupCommand.Delete => "\n DEL ", GroupCommand.InsertBucket => "\n INSERT_BUCKET ", GroupCommand.RemoveBucket => "\n REMOVE_BUCKET ", _ => "\n ADD_OR_MOD " });
        GroupText.Write(text, mod.Group, withType: mod.Command is not (GroupCommand.InsertBucket or GroupCommand.RemoveBucket));
    }

    private static void MeterModBody(FlowTextWriter text, MeterMod mod)
    {
        text.Put(mod.Command switch { MeterCommand.Add => " ADD ", MeterCommand.Modify => " MOD ", _ => " DEL " });
        MeterText.Write(text, mod.Command == MeterCommand.Delete ? mod.Meter with { Flags = MeterFlags.None, Bands = [] } : mod.Meter, oneLine: false);
    }

    private static void HelloBody(FlowTextWriter text, Hello hello, ReadOnlySpan<byte> frame)
    {
        var (bits, right) = Versions(hello, frame[MessageCodec.HeaderLength..]);
        var versions = Enumerable.Range(1, 31).Where(v => (bits >> v & 1) != 0).Select(v => $"0x{v:x2}");
        text.Put($"\n version bitmap: {string.Join(", ", versions)}");
        if (!right)
        {
            text.Put("\n unknown data in hello:\n");
            text.HexDump(frame);
        }
    }

    /// <summary>The versions of the last bitmap that is right, and whether there was nothing else (ofputil_decode_hello).</summary>
    private static (uint Bits, bool Right) Versions(Hello hello, ReadOnlySpan<byte> rest)
    {
        const uint NoVersion = 1;
        var bits = hello.HeaderVersion < 32 ? (uint)((1UL << (hello.HeaderVersion + 1)) - 2) : ~NoVersion;
        var right = true;
        while (!rest.IsEmpty)
        {
            int length = rest.Length < 4 ? 0 : BinaryPrimitives.ReadUInt16BigEndian(rest[2..]);
            var padded = (length + 7) & ~7;
            if (length < 4 || padded > rest.Length)
            {
                return (bits, false);
            }

            var offered = BinaryPrimitives.ReadUInt16BigEndian(rest) == 1 && length > 4 && length % 4 == 0 ? BinaryPrimitives.ReadUInt32BigEndian(rest[4..]) & ~NoVersion : 0;
            (bits, right) = offered != 0 ? (offered, right) : (bits, false);
            rest = rest[padded..];
        }

        return (bits, right);
    }

    private static void ErrorBody(FlowTextWriter text, ErrorMessage error, int depth)
    {
        text.Put($" {error.Name}\n");
        if (error.ErrorType == 0)
        {
            text.Printable(error.Data.AsSpan());
            return;
        }

        if (depth < 2)
        {
            MessageText.Write(text, error.Data.AsSpan(), depth + 1);
        }
    }

    private static void FeaturesBody(FlowTextWriter text, FeaturesReply features)
    {
        text.Put($" dpid:{features.DatapathId:x16}\nn_tables:{features.Tables}, n_buffers:{features.Buffers}");
        text.Optional(features.AuxiliaryId != 0, $", auxiliary_id:{features.AuxiliaryId}");
        text.Put("\ncapabilities: ");
        text.Put(BitNames(features.Capabilities & 0x16f, ' ', ["FLOW_STATS", "TABLE_STATS", "PORT_STATS", "GROUP_STATS", null, "IP_REASM", "QUEUE_STATS", null, "PORT_BLOCKED"]));
        text.Put("\n");
    }

    private static void ConfigBody(FlowTextWriter text, SwitchConfig config) =>
        text.Put($" frags={((config.Flags & 3) switch { 0 => "normal", 1 => "drop", 2 => "reassemble", _ => "nx-match" })} miss_send_len={config.MissSendLength}\n");

    private static void PacketInBody(FlowTextWriter text, PacketIn packet)
    {
        if (packet.Table != 0)
        {
            text.Put(" table_id=");
            text.Table(packet.Table);
        }

        text.Optional(packet.Cookie != ulong.MaxValue, $" cookie=0x{packet.Cookie:x}");
        text.Put($" total_len={packet.TotalLength} ");
        MatchText.Write(text, packet.Metadata);
        text.Put($" (via {PacketInReasons.Name(packet.Reason)}) data_len={packet.Data.Length}");
        if (packet.BufferId == uint.MaxValue)
        {
            text.Put(" (unbuffered)");
            text.Optional(packet.TotalLength != packet.Data.Length, " (***total_len != data_len***)");
        }
        else
        {
            text.Put($" buffer=0x{packet.BufferId:x8}");
            text.Optional(packet.TotalLength < packet.Data.Length, " (***total_len < data_len***)");
        }

        text.Put("\n");
        if (!packet.UserData.IsEmpty)
        {
            text.Put(" userdata=");
            text.HexBytes(packet.UserData.Span);
            text.Put("\n");
        }

        ContinuationText.Write(text, packet.Continuation.Span);
        PacketText.Write(text, packet.Data.Span);
    }

    private static void PacketOutBody(FlowTextWriter text, PacketOut packet)
    {
        text.Put(" in_port=");
        text.Port(packet.InPort);
        text.Put(" actions=");
        text.Actions(packet.Actions, "drop");
        text.Put(packet.BufferId == uint.MaxValue ? $" data_len={packet.Data.Length}" : $" buffer=0x{packet.BufferId:x8}");
        if (packet.BufferId == uint.MaxValue && !packet.Data.IsEmpty)
        {
            text.Put("\n");
            PacketText.Write(text, packet.Data.Span);
        }
    }

    private static void FlowRemovedBody(FlowTextWriter text, FlowRemoved removed)
    {
        text.Put(" ");
        text.Optional(removed.Flow.Priority != Flow.DefaultPriority, $"priority={removed.Flow.Priority},");
        MatchText.Write(text, removed.Flow.Match);
        text.Chomp(',');
        string[] reasons = ["idle", "hard", "delete", "group_delete", "meter_delete", "eviction"];
        text.Put($" reason={(removed.Reason < reasons.Length ? reasons[removed.Reason] : $"{removed.Reason}")}");
        text.Optional(removed.Flow.Table != 255, $" table_id={removed.Flow.Table}");
        text.Optional(removed.Flow.Cookie != 0, $" cookie:0x{removed.Flow.Cookie:x}");
        text.Put($" duration{removed.Duration}s idle{removed.Flow.IdleTimeout}");
        text.Optional(removed.Flow.HardTimeout != 0, $" hard{removed.Flow.HardTimeout}");
        text.Put($" pkts{removed.Packets} bytes{removed.Bytes}\n");
    }

    private static void PortBody(FlowTextWriter text, PortDescription port)
    {
        text.Put(" ");
        text.Port(port.Number);
        var end = port.Name.AsSpan().IndexOfAnyExceptInRange(' ', '~');
        text.Put($"({(end < 0 ? port.Name : port.Name[..end])}): addr:{port.Address}\n");
        text.Put($"     config:     {BitNames(port.Config & 0x65, ' ', ["PORT_DOWN", null, "NO_RECV", null, null, "NO_FWD", "NO_PACKET_IN"])}\n");
        text.Put($"     state:      {BitNames(port.State & 7, ' ', ["LINK_DOWN", "BLOCKED", "LIVE"])}\n");
        Feature("current:    ", port.Current);
        Feature("advertised: ", port.Advertised);
        Feature("supported:  ", port.Supported);
        Feature("peer:       ", port.Peer);
        text.Put($"     speed: {port.CurrentSpeed / 1000} Mbps now, {port.MaxSpeed / 1000} Mbps max\n");

        void Feature(string name, uint bits) => text.Optional((bits & 0xffff) != 0, $"     {name}{BitNames(bits & 0xffff, ' ', PortFeatures)}\n");
    }

    private static readonly string?[] PortFeatures =
    [
        "10MB-HD", "10MB-FD", "100MB-HD", "100MB-FD", "1GB-HD", "1GB-FD", "10GB-FD", "40GB-FD", "100GB-FD", "1TB-FD", "OTHER", "COPPER", "FIBER", "AUTO_NEG", "AUTO_PAUSE", "AUTO_PAUSE_ASYM",
    ];

    private static void TlvModBody(FlowTextWriter text, TlvTableMod mod)
    {
        text.Put(mod.Command switch { 0 => "\n ADD", 1 => "\n DEL", _ => "\n CLEAR" });
        if (mod.Command != 2)
        {
            TlvRows(text, mod.Mappings);
        }
    }

    private static void TlvReplyBody(FlowTextWriter text, TlvTableReply reply)
    {
        text.Put($"\n max option space={reply.MaxSpace} max fields={reply.MaxFields}\n allocated option space={reply.Mappings.Sum(m => m.Length)}\n\n");
        TlvRows(text, reply.Mappings);
    }

    private static void TlvRows(FlowTextWriter text, System.Collections.Immutable.ImmutableArray<TlvMapping> mappings)
    {
        text.Put(" mapping table:\n  class  type  length  match field\n ------  ----  ------  --------------");
        foreach (var m in mappings)
        {
            text.Put($"\n {CHex(m.OptionClass),6}  {CHex(m.OptionType),4}  {m.Length,6}  tun_metadata{m.Index}");
        }
    }

    private static string CHex(ulong value) => value == 0 ? "0" : $"0x{value:x}";

    private static void PartFlags(FlowTextWriter text, ushort flags)
    {
        text.Optional(flags != 0, " flags=");
        text.Optional((flags & 1) != 0, "[more]");
        text.Optional(flags > 1, $"[***unknown flags 0x{flags & ~1:x4}***]");
        text.Commit();
    }

    private static void MultipartBody(FlowTextWriter text, Multipart part)
    {
        if (part.Kind == MultipartType.TableFeatures)
        {
            TableFeatureRows(text, part.Body.Span);
            return;
        }

        if (!part.IsReply)
        {
            RequestBody(text, part);
            return;
        }

        if (Statistics(text, part))
        {
            return;
        }

        switch (part.Kind)
        {
            case MultipartType.Flow:
                FlowRows(text, part.Body.Span);

                break;
            case MultipartType.GroupDescription:
                GroupDescriptions(text, part.Body.Span);

                break;
            case MultipartType.MeterConfig:
                MeterConfigs(text, part.Body.Span);

                break;
            case MultipartType.PortDescription:
                PortDescriptions(text, part.Body.Span);

                break;
            default:
                text.Put("\n");
                text.HexDump(part.Body.Span);
                break;
        }
    }

    private static void GroupDescriptions(FlowTextWriter text, ReadOnlySpan<byte> body)
    {
        var r = new Wire.WireReader(body);
        while (r.Remaining > 0)
        {
            var row = RowCheck.Group(ref r);
            text.Put("\n ");
            GroupText.Write(text, MultipartBodies.ReadGroups(row)[0]);
            text.Commit();
        }
    }

    private static void MeterConfigs(FlowTextWriter text, ReadOnlySpan<byte> body)
    {
        var r = new Wire.WireReader(body);
        while (r.Remaining > 0)
        {
            var row = RowCheck.Meter(ref r);
            text.Put("\n");
            MeterText.Write(text, MultipartBodies.ReadMeters(row)[0], oneLine: false);
            text.Commit();
        }
    }

    /// <summary>Ports in the order of their numbers, up to one that does not exist.</summary>
    private static void PortDescriptions(FlowTextWriter text, ReadOnlySpan<byte> body)
    {
        text.Put("\n");
        var ports = MultipartBodies.ReadPorts(body);
        var good = ports.TakeWhile(p => p.Number is < Ports.Max or >= 0xffffff00).ToList();
        foreach (var port in good.OrderBy(p => (ushort)p.Number))
        {
            PortBody(text, port);
        }

        text.Commit();
        if (good.Count < ports.Length)
        {
            MessageCheck.Port(ports[good.Count].Number);
        }
    }

    private static void RequestBody(FlowTextWriter text, Multipart part)
    {
        if (part.Kind is MultipartType.Flow or MultipartType.Aggregate)
        {
            var r = new Wire.WireReader(part.Body.Span);
            var filter = FlowFilter.Decode(ref r);
            text.Optional(filter.Table != 255, $" table={filter.Table}");
            if (filter.OutPort != Ports.Any)
            {
                text.Put(" out_port=");
                text.Port(filter.OutPort);
            }

            text.Put(" ");
            MatchText.Write(text, filter.Match);
        }
        else if (part.Kind is MultipartType.Meter or MultipartType.MeterConfig && part.Body.Length >= 4)
        {
            var id = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(part.Body.Span);
            text.Put($" meter={MeterText.IdName(id)}");
        }
        else
        {
            StatisticsRequest(text, part);
        }
    }

    /// <summary>Names of bits, joined; unknown ones as one hexadecimal number; 0 for none (ofp_print_bit_names).</summary>
    private static string BitNames(uint bits, char separator, ReadOnlySpan<string?> names)
    {
        if (bits == 0)
        {
            return "0";
        }

        var parts = new List<string>();
        uint unknown = 0;
        for (var i = 0; i < 32; i++)
        {
            if ((bits >> i & 1) != 0)
            {
                if (i < names.Length && names[i] is { } name)
                {
                    parts.Add(name);
                }
                else
                {
                    unknown |= 1u << i;
                }
            }
        }

        if (unknown != 0)
        {
            parts.Add($"0x{unknown:x}");
        }

        return string.Join(separator, parts);
    }
}
