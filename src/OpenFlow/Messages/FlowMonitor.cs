using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Instructions;
using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Messages;

/// <summary>What a flow monitor tells (onf_flow_monitor_flags).</summary>
[Flags]
public enum FlowMonitorFlags : ushort
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>The flows that are there at the beginning.</summary>
    Initial = 1,

    /// <summary>New flows.</summary>
    Add = 2,

    /// <summary>Flows that go.</summary>
    Delete = 4,

    /// <summary>Flows that change.</summary>
    Modify = 8,

    /// <summary>With their instructions.</summary>
    Actions = 16,

    /// <summary>Own changes in full, not abbreviated.</summary>
    Own = 32,

    /// <summary>All changes, with instructions; own ones abbreviated.</summary>
    Changes = Add | Delete | Modify | Actions,
}

/// <summary>What happened to a flow.</summary>
public enum FlowUpdateEvent : ushort
{
    /// <summary>It was added, or is there at the beginning.</summary>
    Added,

    /// <summary>It was deleted.</summary>
    Deleted,

    /// <summary>It was modified.</summary>
    Modified,

    /// <summary>This connection's own request changed something; only its xid is told.</summary>
    Own,

    /// <summary>The switch has no room for updates: changes are missed until <see cref="Resumed"/>.</summary>
    Paused,

    /// <summary>Updates follow again; the switch has told what was missed.</summary>
    Resumed,
}

/// <summary>One update of a flow monitor.</summary>
/// <param name="Event">What happened.</param>
/// <param name="Flow">The flow; null for the last three events.</param>
/// <param name="Reason">For deletions, as in <see cref="FlowRemoved"/>.</param>
/// <param name="Xid">For <see cref="FlowUpdateEvent.Own"/>: the request.</param>
public sealed record FlowUpdate(FlowUpdateEvent Event, Flow? Flow, ushort Reason, uint Xid);

/// <summary>Bodies of ONFST_FLOW_MONITOR (1870).</summary>
internal static class FlowMonitorCodec
{
    public const uint Subtype = 1870;

    public static byte[] EncodeRequest(uint id, FlowMonitorFlags flags, FlowFilter filter)
    {
        var w = new WireWriter();
        w.U32(Vendors.Onf);
        w.U32(Subtype);
        w.U32(id);
        w.U16((ushort)flags);
        w.U16(checked((ushort)(filter.Match.Encoded.Length + 4)));
        w.U32(filter.OutPort);
        w.U8(filter.Table);
        w.Zeros(3);
        OxmCodec.WriteMatch(w, filter.Match);
        return w.ToArray();
    }

    public static List<FlowUpdate> ReadUpdates(ReadOnlySpan<byte> body)
    {
        var r = new WireReader(body);
        var updates = new List<FlowUpdate>();
        while (r.Remaining > 0)
        {
            var (length, kind) = (r.U16(), r.U16());
            if (length < 8 || kind > 3)
            {
                throw new OpenFlowFormatException($"flow monitor: an update {kind} of length {length}");
            }

            var e = new WireReader(r.Take(length - 4));
            updates.Add(kind == 3 ? new FlowUpdate(FlowUpdateEvent.Own, null, 0, e.U32()) : ReadFull(ref e, (FlowUpdateEvent)kind));
        }

        return updates;
    }

    private static FlowUpdate ReadFull(ref WireReader e, FlowUpdateEvent kind)
    {
        var (reason, priority, idle, hard) = (e.U16(), e.U16(), e.U16(), e.U16());
        e.Skip(2);
        var table = e.U8();
        e.Skip(1);
        var cookie = e.U64();
        var match = OxmCodec.ReadMatch(ref e);
        var flow = new Flow(table, priority, match, FlowInstructions.Read(e.Rest)) { Cookie = cookie, IdleTimeout = idle, HardTimeout = hard };
        return new FlowUpdate(kind, flow, reason, 0);
    }
}
