using Weft.OpenFlow.Entries;

namespace Weft.OpenFlow.Text;

/// <summary>Flows in the syntax of ovs-ofctl(8) "Flow Syntax", both ways.</summary>
public static class FlowText
{
    /// <summary>The flow as <c>ovs-ofctl --no-stats dump-flows</c> prints it.</summary>
    public static string Format(Flow flow, NameMap? names = null)
    {
        var text = new FlowTextWriter(names);
        text.Optional(flow.Cookie != 0, $"cookie=0x{flow.Cookie:x}, ");
        if (flow.Table != 0 || text.HasTableName(flow.Table))
        {
            text.Put("table=");
            text.Table(flow.Table);
            text.Put(", ");
        }

        WriteRest(text, flow);
        return text.ToString();
    }

    /// <summary>The flow with its counters as <c>ovs-ofctl dump-flows</c> prints it.</summary>
    public static string Format(FlowStats stats, NameMap? names = null)
    {
        var text = new FlowTextWriter(names);
        WriteStats(text, stats);
        return text.ToString();
    }

    /// <summary>Reads a flow, e.g. "table=3,priority=100,tcp,tp_dst=80 actions=goto_table:4".</summary>
    /// <exception cref="OpenFlowTextException">The text is not a flow; the message names the part and what is right there.</exception>
    public static Flow Parse(string text, NameMap? names = null) => new FlowTextParser(names).Flow(text);

    internal static void WriteStats(FlowTextWriter text, FlowStats stats)
    {
        text.Put($"cookie=0x{stats.Flow.Cookie:x}, duration={stats.Duration}s, table=");
        text.Table(stats.Flow.Table);
        text.Put(", ");
        text.Optional(stats.Packets != ulong.MaxValue, $"n_packets={stats.Packets}, ");
        text.Optional(stats.Bytes != ulong.MaxValue, $"n_bytes={stats.Bytes}, ");
        WriteRest(text, stats.Flow);
    }

    internal static void WriteFlags(FlowTextWriter text, FlowFlags flags)
    {
        text.Optional(flags.HasFlag(FlowFlags.SendFlowRemoved), "send_flow_rem ");
        text.Optional(flags.HasFlag(FlowFlags.CheckOverlap), "check_overlap ");
        text.Optional(flags.HasFlag(FlowFlags.ResetCounts), "reset_counts ");
        text.Optional(flags.HasFlag(FlowFlags.NoPacketCounts), "no_packet_counts ");
        text.Optional(flags.HasFlag(FlowFlags.NoByteCounts), "no_byte_counts ");
    }

    private static void WriteRest(FlowTextWriter text, Flow flow)
    {
        text.Optional(flow.IdleTimeout != 0, $"idle_timeout={flow.IdleTimeout}, ");
        text.Optional(flow.HardTimeout != 0, $"hard_timeout={flow.HardTimeout}, ");
        WriteFlags(text, flow.Flags);
        var start = text.Length;
        text.Optional(flow.Priority != Flow.DefaultPriority, $"priority={flow.Priority},");
        MatchText.Write(text, flow.Match);
        text.Chomp(',');
        text.Optional(text.Length != start, " ");
        text.Put("actions=");
        text.Instructions(flow.Instructions);
    }
}
