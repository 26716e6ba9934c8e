using System.Net;
using System.Net.Sockets;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Messages;
using Weft.OpenFlow.Text.Checks;

namespace Weft.OpenFlow.Text;

/// <content>Tables, queues, features of groups, flushed connections, requests of others.</content>
internal static partial class MessagePrinter
{
    private static readonly string?[] ActionNames =
    [
        "output", null, null, null, null, null, null, null, null, null, null, null, null, null, null, "set_mpls_ttl", "dec_mpls_ttl", "push_vlan",
        "strip_vlan", "push_mpls", "pop_mpls", "set_queue", "group", "mod_nw_ttl", "dec_ttl", "set_field",
    ];

    // ofpact_bitmap_format walks OVS's own order of actions.
    private static readonly int[] ActionOrder = [0, 22, 25, 18, 17, 23, 24, 15, 16, 19, 20, 21];

    private static void FlowRows(FlowTextWriter text, ReadOnlySpan<byte> body)
    {
        var r = new Wire.WireReader(body);
        var flows = new List<FlowStats>(1);
        while (r.Remaining > 0)
        {
            flows.Clear();
            MultipartBodies.ReadFlows(RowCheck.Flow(ref r), flows);
            text.Put("\n ");
            FlowText.WriteStats(text, flows[0]);
            text.Commit();
        }
    }

    /// <summary>Tables with the same counters as the one before are told in one line, as by ovs-ofctl dump-tables.</summary>
    private static void TableRows(FlowTextWriter text, List<TableStats> rows)
    {
        TableStats? before = null;
        (int First, int Last)? same = null;
        foreach (var row in rows)
        {
            if (before is not null && row with { Table = before.Table } == before)
            {
                same = (same?.First ?? row.Table, row.Table);
            }
            else
            {
                Same();
                text.Put($"\n  table {row.Table}:\n    active={row.Active}, lookup={row.Lookups}, matched={row.Matches}\n");
            }

            before = row;
        }

        Same();

        void Same()
        {
            if (same is var (first, last))
            {
                text.Put(first == last ? $"\n  table {first}: ditto\n" : $"\n  tables {first}...{last}: ditto\n");
            }

            same = null;
        }
    }

    private static void GroupFeaturesBody(FlowTextWriter text, GroupFeatures features)
    {
        text.Put($"\n Group table:\n    Types:  0x{features.Types:x}\n    Capabilities:  0x{features.Capabilities:x}\n");
        string[] types = ["all", "select", "indirect", "fast failover"];
        for (var i = 0; i < types.Length; i++)
        {
            if ((features.Types >> i & 1) != 0)
            {
                text.Put($"    {types[i]} group:\n       max_groups={CHex(features.MaxGroups[i])}\n       actions: {ActionNamesOf(features.Actions[i])}\n");
            }
        }
    }

    /// <summary>The names of a bitmap of action types.</summary>
    internal static string ActionNamesOf(uint bits)
    {
        var names = ActionOrder.Where(a => (bits >> a & 1) != 0).Select(a => ActionNames[a]).ToArray();
        return names.Length == 0 ? "<none>" : string.Join(' ', names);
    }

    private static void TableFeatureRows(FlowTextWriter text, ReadOnlySpan<byte> body)
    {
        var rows = new TableFeaturesText(text);
        var r = new Wire.WireReader(body);
        try
        {
            while (r.Remaining > 0)
            {
                rows.Table(TableFeaturesCodec.Read(ref r));
            }
        }
        finally
        {
            // The tables before a damaged one are good.
            rows.Finish();
            text.Commit();
        }
    }

    private static void QueueConfigBody(FlowTextWriter text, ReadOnlySpan<byte> body)
    {
        var r = new Wire.WireReader(body);
        var port = r.U32();
        r.Skip(4);
        var queues = new List<QueueConfig>();
        OpenFlowFormatException? damage = null;
        try
        {
            while (r.Remaining > 0)
            {
                MessageCheck.Port(port);
                queues.Add(QueueConfigReply.ReadQueue(ref r));
            }
        }
        catch (OpenFlowFormatException e)
        {
            // The queues before the damaged one are good.
            damage = e;
        }

        text.Put(" ");
        for (var i = 0; i < queues.Count; i++)
        {
            if (i == 0 && port != 0)
            {
                text.Put("port=");
                text.Port(port);
                text.Put("\n");
            }

            var queue = queues.OrderBy(q => q.Id).ElementAt(i);
            text.Put($"queue {queue.Id}:{Rate("min_rate", queue.MinRate)}{Rate("max_rate", queue.MaxRate)}\n");
        }

        if (damage is not null)
        {
            text.Chomp(' ');
            text.Commit();
            throw damage;
        }

        static string Rate(string name, ushort? rate) => rate switch
        {
            null or ushort.MaxValue => "",
            <= 1000 => $" {name}:{rate / 10}.{rate % 10}%",
            _ => $" {name}:(disabled)",
        };
    }

    private static void RequestForwardBody(FlowTextWriter text, RequestForward forward)
    {
        text.Put($" reason={(forward.Request is GroupMod ? "group_mod" : "meter_mod")}");
        if (forward.Request is GroupMod group)
        {
            GroupModBody(text, group);
        }
        else if (forward.Request is MeterMod meter)
        {
            MeterModBody(text, meter);
        }
    }

    private static void FlushBody(FlowTextWriter text, FlushConntrack flush)
    {
        IPAddress?[] addresses = [flush.Original?.Source, flush.Original?.Destination, flush.Reply?.Source, flush.Reply?.Destination];
        var v4 = addresses.Any(a => a?.AddressFamily == AddressFamily.InterNetwork);
        text.Put($" zone={flush.Zone ?? 0} '");
        Tuple(flush.Original);
        text.Put($",ct_nw_proto={flush.Protocol}' '");
        Tuple(flush.Reply);
        text.Put("'");

        void Tuple(ConntrackTuple? tuple)
        {
            text.Put(v4 ? "ct_nw_src=" : "ct_ipv6_src=");
            text.Address(tuple?.Source ?? IPAddress.IPv6Any);
            text.Put(v4 ? ",ct_nw_dst=" : ",ct_ipv6_dst=");
            text.Address(tuple?.Destination ?? IPAddress.IPv6Any);
            text.Put(flush.Protocol is 1 or 58
                ? $",icmp_id={tuple?.IcmpId ?? 0},icmp_type={tuple?.IcmpType ?? 0},icmp_code={tuple?.IcmpCode ?? 0}"
                : $",ct_tp_src={tuple?.SourcePort ?? 0},ct_tp_dst={tuple?.DestinationPort ?? 0}");
        }
    }
}
