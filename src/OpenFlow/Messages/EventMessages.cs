using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Messages;

/// <summary>A packet from the controller (OpenFlow 1.3.5 section 7.3.7).</summary>
/// <param name="InPort">The port it pretends to come from; <see cref="Ports.Controller"/> when none.</param>
/// <param name="Actions">What happens to it.</param>
/// <param name="Data">The packet.</param>
public sealed record PacketOut(uint InPort, ActionList Actions, ReadOnlyMemory<byte> Data) : OpenFlowMessage
{
    /// <inheritdoc/>
    public override MessageType Type => MessageType.PacketOut;

    /// <summary>A buffered packet; 0xffffffff for none.</summary>
    public uint BufferId { get; init; } = uint.MaxValue;

    /// <inheritdoc/>
    public bool Equals(PacketOut? other) => other is not null && InPort == other.InPort && Actions == other.Actions && BufferId == other.BufferId && Data.Span.SequenceEqual(other.Data.Span);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(InPort, Actions, BufferId, Data.Length);

    internal override void EncodeBody(WireWriter w)
    {
        w.U32(BufferId);
        w.U32(InPort);
        w.U16(checked((ushort)Actions.Encoded.Length));
        w.Zeros(6);
        w.Bytes(Actions.Encoded);
        w.Bytes(Data.Span);
    }

    internal static PacketOut Decode(ref WireReader r)
    {
        var (buffer, port, length) = (r.U32(), r.U32(), r.U16());
        r.Skip(6);
        var actions = ActionList.Read(r.Take(length));
        return new PacketOut(port, actions, r.Rest.ToArray()) { BufferId = buffer };
    }
}

/// <summary>The end of a flow (OpenFlow 1.3.5 section 7.4.2).</summary>
/// <param name="Flow">The flow, without instructions.</param>
/// <param name="Reason">0 idle, 1 hard timeout, 2 delete, 3 group delete, 4 meter delete, 5 eviction.</param>
/// <param name="Duration">How long it lived.</param>
/// <param name="Packets">Packets.</param>
/// <param name="Bytes">Bytes.</param>
public sealed record FlowRemoved(Flow Flow, byte Reason, FlowDuration Duration, ulong Packets, ulong Bytes) : OpenFlowMessage
{
    internal const uint NiciraSubtype = 14;

    /// <summary>True when it came as NXT_FLOW_REMOVED, which tells no hard timeout and of table 255 that it is not known.</summary>
    public bool IsNicira { get; init; }

    /// <inheritdoc/>
    public override MessageType Type => IsNicira ? MessageType.Experimenter : MessageType.FlowRemoved;

    internal override void EncodeBody(WireWriter w)
    {
        if (IsNicira)
        {
            EncodeNicira(w);
            return;
        }

        w.U64(Flow.Cookie);
        w.U16(Flow.Priority);
        w.U8(Reason);
        w.U8(Flow.Table);
        w.U32(Duration.Seconds);
        w.U32(Duration.Nanoseconds);
        w.U16(Flow.IdleTimeout);
        w.U16(Flow.HardTimeout);
        w.U64(Packets);
        w.U64(Bytes);
        OxmCodec.WriteMatch(w, Flow.Match);
    }

    private void EncodeNicira(WireWriter w)
    {
        w.U32(Vendors.Nicira);
        w.U32(NiciraSubtype);
        w.U64(Flow.Cookie);
        w.U16(Flow.Priority);
        w.U8(Reason);
        w.U8((byte)(Flow.Table + 1));
        w.U32(Duration.Seconds);
        w.U32(Duration.Nanoseconds);
        w.U16(Flow.IdleTimeout);
        w.U16(checked((ushort)Flow.Match.Encoded.Length));
        w.U64(Packets);
        w.U64(Bytes);
        var start = w.Length;
        w.Bytes(Flow.Match.Encoded);
        w.Pad8(start);
    }

    internal static FlowRemoved DecodeNicira(ref WireReader r)
    {
        var (cookie, priority, reason, table) = (r.U64(), r.U16(), r.U8(), r.U8());
        var duration = new FlowDuration(r.U32(), r.U32());
        var (idle, length, packets, bytes) = (r.U16(), r.U16(), r.U64(), r.U64());
        var flow = new Flow((byte)(table - 1), priority, OxmCodec.ReadEntries(r.Take(length)), default) { Cookie = cookie, IdleTimeout = idle };
        return new FlowRemoved(flow, reason, duration, packets, bytes) { IsNicira = true };
    }

    internal static FlowRemoved Decode(ref WireReader r)
    {
        var (cookie, priority, reason, table) = (r.U64(), r.U16(), r.U8(), r.U8());
        var duration = new FlowDuration(r.U32(), r.U32());
        var (idle, hard, packets, bytes) = (r.U16(), r.U16(), r.U64(), r.U64());
        var flow = new Flow(table, priority, OxmCodec.ReadMatch(ref r), default) { Cookie = cookie, IdleTimeout = idle, HardTimeout = hard };
        return new FlowRemoved(flow, reason, duration, packets, bytes);
    }
}

/// <summary>Why a port-status came.</summary>
public enum PortReason : byte
{
    /// <summary>The port is new.</summary>
    Added,

    /// <summary>The port is gone.</summary>
    Deleted,

    /// <summary>The port changed.</summary>
    Modified,
}

/// <summary>A port came, went or changed (OpenFlow 1.3.5 section 7.4.3).</summary>
public sealed record PortStatus(PortReason Reason, PortDescription Port) : OpenFlowMessage
{
    /// <inheritdoc/>
    public override MessageType Type => MessageType.PortStatus;

    internal override void EncodeBody(WireWriter w)
    {
        w.U8((byte)Reason);
        w.Zeros(7);
        Port.Encode(w);
    }

    internal static PortStatus Decode(ref WireReader r)
    {
        var reason = r.U8();
        r.Skip(7);
        return new PortStatus((PortReason)reason, PortDescription.Decode(ref r));
    }
}
