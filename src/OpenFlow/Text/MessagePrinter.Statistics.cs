using System.Buffers.Binary;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Messages;
using Weft.OpenFlow.Text.Checks;

namespace Weft.OpenFlow.Text;

/// <content>Counters, requests for them, flow monitors, asynchronous configuration.</content>
internal static partial class MessagePrinter
{
    private static bool Statistics(FlowTextWriter text, Multipart part)
    {
        var body = part.Body.Span;
        switch (part.Kind)
        {
            case MultipartType.Aggregate:
                var sums = AggregateStats.Decode(body);
                text.Put($" packet_count={sums.Packets} byte_count={sums.Bytes} flow_count={sums.Flows}");
                return true;
            case MultipartType.Description:
                var d = SwitchDescription.Decode(body);
                text.Put($"\nManufacturer: {d.Manufacturer}\nHardware: {d.Hardware}\nSoftware: {d.Software}\nSerial Num: {d.SerialNumber}\nDP Description: {d.Datapath}\n");
                return true;
            case MultipartType.Table: TableRows(text, StatisticsCodec.Tables(body)); return true;
            case MultipartType.GroupFeatures: GroupFeaturesBody(text, GroupFeatures.Decode(body)); return true;
            case MultipartType.PortStats: PortRows(text, StatisticsCodec.Ports(body)); return true;
            case MultipartType.Queue: QueueRows(text, StatisticsCodec.Queues(body)); return true;
            case MultipartType.Group: GroupRows(text, body); return true;
            case MultipartType.Meter: MeterRows(text, body); return true;
            case MultipartType.MeterFeatures:
                var f = MeterFeatures.Decode(body);
                text.Put($"\nmax_meter:{f.MaxMeters} max_bands:{f.MaxBands} max_color:{f.MaxColor}\nband_types: ");
                text.Put(BitNames(f.BandTypes, ' ', [null, "drop", "dscp_remark"]));
                text.Put($"\ncapabilities: {BitNames(f.Capabilities, ' ', ["kbps", "pktps", "burst", "stats"])}\n");
                return true;
            case MultipartType.Experimenter when body.Length >= 8 && BinaryPrimitives.ReadUInt32BigEndian(body[4..]) == FlowMonitorCodec.Subtype:
                MonitorRows(text, body[8..]);
                return true;
            case MultipartType.Experimenter when body.Length >= 8 && BinaryPrimitives.ReadUInt32BigEndian(body[4..]) is var subtype && subtype is IpfixStats.BridgeSubtype or IpfixStats.FlowSubtype:
                IpfixRows(text, IpfixStats.Read(body[8..]), subtype == IpfixStats.FlowSubtype);
                return true;
            default:
                return false;
        }
    }

    private static void PortRows(FlowTextWriter text, List<PortStats> rows)
    {
        var good = rows.FindIndex(p => !IsPort(p.Port));
        text.Put($" {(good < 0 ? rows.Count : good)} ports\n");
        text.Commit();
        foreach (var p in rows)
        {
            MessageCheck.Port(p.Port);
            text.Put("  port ");
            text.Optional((ushort)p.Port < 10, " ");
            text.Port(p.Port);
            text.Put($": rx pkts={Count(p.RxPackets)}, bytes={Count(p.RxBytes)}, drop={Count(p.RxDropped)}, errs={Count(p.RxErrors)}, frame={Count(p.RxFrameErrors)}, over={Count(p.RxOverErrors)}, crc={Count(p.RxCrcErrors)}\n");
            text.Put($"           tx pkts={Count(p.TxPackets)}, bytes={Count(p.TxBytes)}, drop={Count(p.TxDropped)}, errs={Count(p.TxErrors)}, coll={Count(p.Collisions)}\n");
            text.Optional(p.Duration.Seconds != uint.MaxValue, $"           duration={p.Duration}s\n");
            text.Commit();
        }
    }

    private static void QueueRows(FlowTextWriter text, List<QueueStats> rows)
    {
        var good = rows.FindIndex(q => !IsPort(q.Port));
        text.Put($" {(good < 0 ? rows.Count : good)} queues\n");
        text.Commit();
        foreach (var q in rows)
        {
            MessageCheck.Port(q.Port);
            text.Put("  port ");
            text.Port(q.Port);
            text.Put($" queue {(q.Queue == uint.MaxValue ? "ALL" : $"{q.Queue}")}: bytes={Count(q.TxBytes)}, pkts={Count(q.TxPackets)}, errors={Count(q.TxErrors)}, duration=");
            text.Put(q.Duration.Seconds == uint.MaxValue ? "?\n" : $"{q.Duration}s\n");
            text.Commit();
        }
    }

    private static bool IsPort(uint port) => port is < Ports.Max or >= 0xffffff00;

    private static void GroupRows(FlowTextWriter text, ReadOnlySpan<byte> body)
    {
        var r = new Wire.WireReader(body);
        while (r.Remaining > 0)
        {
            GroupStats g;
            try
            {
                g = StatisticsCodec.Groups(RowCheck.GroupCounters(ref r))[0];
            }
            catch (OpenFlowFormatException)
            {
                text.Put(" ***parse error***");
                text.Commit();
                throw;
            }

            text.Put("\n ");
            text.Put($"group_id={g.Id},");
            text.Optional(g.Duration.Seconds != uint.MaxValue, $"duration={g.Duration}s,");
            text.Put($"ref_count={g.References},packet_count={g.Packets},byte_count={g.Bytes}");
            for (var i = 0; i < g.Buckets.Length; i++)
            {
                text.Optional(g.Buckets[i].Packets != ulong.MaxValue, $",bucket{i}:packet_count={g.Buckets[i].Packets},byte_count={g.Buckets[i].Bytes}");
            }

            text.Commit();
        }
    }

    private static void MeterRows(FlowTextWriter text, ReadOnlySpan<byte> body)
    {
        var r = new Wire.WireReader(body);
        while (r.Remaining > 0)
        {
            var m = StatisticsCodec.Meters(RowCheck.MeterCounters(ref r))[0];
            text.Put($"\nmeter:{MeterText.IdName(m.Id)} flow_count:{m.Flows} packet_in_count:{m.Packets} byte_in_count:{m.Bytes} duration:{m.Duration}s bands:\n");
            for (var i = 0; i < m.Bands.Length; i++)
            {
                text.Put($"{i}: packet_count:{m.Bands[i].Packets} byte_count:{m.Bands[i].Bytes}\n");
            }

            text.Commit();
        }
    }

    private static void MonitorRows(FlowTextWriter text, ReadOnlySpan<byte> body)
    {
        string[] reasons = ["idle", "hard", "delete", "group_delete", "meter_delete", "eviction"];
        var r = new Wire.WireReader(body);
        while (r.Remaining > 0)
        {
            text.Commit();
            var u = FlowMonitorCodec.ReadUpdates(RowCheck.Update(ref r))[0];
            text.Put("\n event=");
            if (u.Flow is not { } flow)
            {
                text.Put($"ABBREV xid=0x{u.Xid:x}");
                continue;
            }

            text.Put(u.Event switch { FlowUpdateEvent.Added => "ADDED", FlowUpdateEvent.Modified => "MODIFIED", _ => $"DELETED reason={(u.Reason < reasons.Length ? reasons[u.Reason] : $"{u.Reason}")}" });
            text.Put(" table=");
            text.Table(flow.Table);
            text.Optional(flow.IdleTimeout != 0, $" idle_timeout={flow.IdleTimeout}");
            text.Optional(flow.HardTimeout != 0, $" hard_timeout={flow.HardTimeout}");
            text.Put($" cookie={CHex(flow.Cookie)} ");
            MatchText.Write(text, flow.Match);
            text.Chomp(',');
            if (!flow.Instructions.IsDrop)
            {
                text.Optional(text.Last != ' ', " ");
                text.Put("actions=");
                text.Instructions(flow.Instructions);
            }
        }
    }

    private static void IpfixRows(FlowTextWriter text, List<IpfixStats> rows, bool ofFlows)
    {
        text.Optional(ofFlows, $" {rows.Count} ids\n");
        foreach (var s in rows)
        {
            text.Put(ofFlows ? $"  id {s.CollectorSet,3}: " : "\n  bridge ipfix: ");
            text.Put($"flows={Count(s.Flows)}, current flows={Count(s.CurrentFlows)}, sampled pkts={Count(s.Packets)}, ipv4 ok={Count(s.IPv4Packets)}, ipv6 ok={Count(s.IPv6Packets)}, tx pkts={Count(s.Sent)}\n");
            text.Put(ofFlows ? "          " : "                ");
            text.Put($"pkts errs={Count(s.PacketErrors)}, ipv4 errs={Count(s.IPv4Errors)}, ipv6 errs={Count(s.IPv6Errors)}, tx errs={Count(s.SendErrors)}\n");
        }
    }

    /// <summary>Requests for ports, queues and monitors; the others print nothing more.</summary>
    private static void StatisticsRequest(FlowTextWriter text, Multipart part)
    {
        var r = new Wire.WireReader(part.Body.Span);
        switch (part.Kind)
        {
            case MultipartType.PortStats:
                text.Put(" port_no=");
                text.Port(r.U32());
                break;
            case MultipartType.Queue:
                text.Put(" port=");
                text.Port(r.U32());
                var queue = r.U32();
                text.Put(queue == uint.MaxValue ? " queue=ALL" : $" queue={queue}");
                break;
            case MultipartType.GroupDescription: text.Put(" group_id=ALL"); break;
            case MultipartType.PortDescription: text.Put(" port=ANY"); break;
            case MultipartType.Group:
                var group = r.U32();
                text.Put(group == GroupMod.AllGroups ? " group_id=ALL" : group == uint.MaxValue ? " group_id=ANY" : $" group_id={group}");
                break;
            case MultipartType.Experimenter when part.Body.Length >= 8 && r.U32() == Wire.Vendors.Onf:
                r.Skip(4);
                while (r.Remaining > 0)
                {
                    text.Commit();
                    var row = new Wire.WireReader(RowCheck.MonitorRequest(ref r));
                    MonitorRequest(text, ref row);
                }

                break;
        }
    }

    private static void MonitorRequest(FlowTextWriter text, ref Wire.WireReader r)
    {
        var (id, flags) = (r.U32(), r.U16());
        r.Skip(2);
        var port = r.U32();
        var table = r.U8();
        r.Skip(3);
        var match = OxmCodec.ReadMatch(ref r);
        text.Put($"\n id={id} flags={BitNames(flags, ',', ["initial", "add", "delete", "modify", "actions", "own"])}");
        if (port != Ports.Any)
        {
            text.Put(" out_port=");
            text.Port(port);
        }

        if (table != 255)
        {
            text.Put(" table=");
            text.Table(table);
        }

        text.Put(" ");
        MatchText.Write(text, match);
        text.Chomp(' ');
    }

    private static readonly (AsyncMessage Message, string Name, string?[] Reasons)[] AsyncKinds =
    [
        (AsyncMessage.PacketIn, "PACKET_IN", ["no_match", "action", "invalid_ttl"]),
        (AsyncMessage.PortStatus, "PORT_STATUS", ["add", "delete", "modify"]),
        (AsyncMessage.FlowRemoved, "FLOW_REMOVED", ["idle", "hard", "delete", "group_delete", "meter_delete", "eviction"]),
        (AsyncMessage.RoleStatus, "ROLE_STATUS", ["primary_request", "configuration_changed", "experimenter_data_changed"]),
        (AsyncMessage.TableStatus, "TABLE_STATUS", [null, null, null, "vacancy_down", "vacancy_up"]),
        (AsyncMessage.RequestForward, "REQUESTFORWARD", ["group_mod_request", "meter_mod_request"]),
    ];

    private static AsyncSettings Settings(AsyncConfig config) => new(
    [
        new(AsyncMessage.PacketIn, false, config.PacketIn), new(AsyncMessage.PacketIn, true, config.PacketInSlave),
        new(AsyncMessage.PortStatus, false, config.PortStatus), new(AsyncMessage.PortStatus, true, config.PortStatusSlave),
        new(AsyncMessage.FlowRemoved, false, config.FlowRemoved), new(AsyncMessage.FlowRemoved, true, config.FlowRemovedSlave),
    ]);

    private static void AsyncBody(FlowTextWriter text, AsyncSettings config)
    {
        foreach (var slave in (ReadOnlySpan<bool>)[false, true])
        {
            text.Put(slave ? "\n secondary:\n" : "\n primary:\n");
            foreach (var (message, name, reasons) in AsyncKinds)
            {
                text.Put($"{name,16}: {Reasons(config.Settings.LastOrDefault(s => s.Message == message && s.IsSlave == slave).Reasons, reasons)}\n");
            }
        }
    }

    private static string Reasons(uint bits, ReadOnlySpan<string?> names) => (bits & ((1u << names.Length) - 1)) is var known && known == 0 ? "(off)" : BitNames(known, ' ', names);

    private static void PortModBody(FlowTextWriter text, PortMod mod)
    {
        text.Put(" port: ");
        text.Port(mod.Port);
        const uint PortConfigs = 0x65;
        string?[] config = ["PORT_DOWN", null, "NO_RECV", null, null, "NO_FWD", "NO_PACKET_IN"];
        text.Put($": addr:{mod.Address}\n     config: {BitNames(mod.Config & mod.Mask & PortConfigs, ' ', config)}\n     mask:   {BitNames(mod.Mask & PortConfigs, ' ', config)}\n     advertise: ");
        text.Put((mod.Advertise & 0xffff) == 0 ? "UNCHANGED\n" : BitNames(mod.Advertise & 0xffff, ' ', PortFeatures) + "\n");
    }

    /// <summary>A counter, ? when the switch does not know it.</summary>
    private static string Count(ulong value) => value == ulong.MaxValue ? "?" : $"{value}";
}
