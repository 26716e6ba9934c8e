using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Messages;

/// <summary>Names of the reasons of a packet-in.</summary>
internal static class PacketInReasons
{
    private static readonly string[] Names = ["no_match", "action", "invalid_ttl", "action_set", "group", "packet_out"];

    public static string Name(byte reason) => reason < Names.Length ? Names[reason] : $"{reason}";

    public static byte? Find(string name) => Array.IndexOf(Names, name) is var index and >= 0 ? (byte)index : null;
}

/// <summary>A packet for the controller (OpenFlow 1.3.5 section 7.4.1, or NXT_PACKET_IN2).</summary>
public sealed record PacketIn : OpenFlowMessage
{
    /// <inheritdoc/>
    public override MessageType Type => IsNicira ? MessageType.Experimenter : MessageType.PacketIn;

    /// <summary>True when it came as NXT_PACKET_IN2.</summary>
    public bool IsNicira { get; init; }

    /// <summary>True for NXT_RESUME: the controller sends it back to resume the pipeline.</summary>
    public bool IsResume { get; init; }

    /// <summary>The buffer that holds the packet; 0xffffffff for none.</summary>
    public uint BufferId { get; init; } = uint.MaxValue;

    /// <summary>The packet's whole length in bytes.</summary>
    public uint TotalLength { get; init; }

    /// <summary>0 no match, 1 action, 2 invalid TTL.</summary>
    public byte Reason { get; init; }

    /// <summary>The table of the flow that sent it; 255 when none did.</summary>
    public byte Table { get; init; }

    /// <summary>The cookie of the flow that sent it; all ones when none did.</summary>
    public ulong Cookie { get; init; } = ulong.MaxValue;

    /// <summary>Metadata: in_port, registers, tunnel, conntrack.</summary>
    public Match Metadata { get; init; }

    /// <summary>The packet, or its first bytes.</summary>
    public ReadOnlyMemory<byte> Data { get; init; }

    /// <summary>The bytes of the controller action's userdata.</summary>
    public ReadOnlyMemory<byte> UserData { get; init; }

    /// <summary>What the switch needs to resume; opaque.</summary>
    public ReadOnlyMemory<byte> Continuation { get; init; }

    /// <summary>The port it came in by; <see cref="Ports.Any"/> when the metadata do not say.</summary>
    public uint InPort => Metadata.TryGet(Fields.Fields.InPort, out var port) ? (uint)port.Value : Ports.Any;

    /// <inheritdoc/>
    public bool Equals(PacketIn? other) => other is not null && ToBytes(0).AsSpan().SequenceEqual(other.ToBytes(0));

    /// <inheritdoc/>
    public override int GetHashCode() => ByteHash.Of(Data.Span);

    internal override void EncodeBody(WireWriter w)
    {
        if (!IsNicira)
        {
            w.U32(BufferId);
            w.U16((ushort)TotalLength);
            w.U8(Reason);
            w.U8(Table);
            w.U64(Cookie);
            OxmCodec.WriteMatch(w, Metadata);
            w.Zeros(2);
            w.Bytes(Data.Span);
            return;
        }

        w.U32(Vendors.Nicira);
        w.U32(IsResume ? 28u : 30u);
        Property(w, 0, Data.Span);
        if (TotalLength != Data.Length)
        {
            Number(w, 1, TotalLength, 4);
        }

        if (BufferId != uint.MaxValue)
        {
            Number(w, 2, BufferId, 4);
        }

        if (Table != 255)
        {
            Number(w, 3, Table, 1);
        }

        if (Cookie != ulong.MaxValue)
        {
            var start = w.Length;
            w.U16(4);
            w.U16(16);
            w.Zeros(4);
            w.U64(Cookie);
            w.Pad8(start);
        }

        Number(w, 5, Reason, 1);
        Property(w, 6, Metadata.Encoded);
        if (!UserData.IsEmpty)
        {
            Property(w, 7, UserData.Span);
        }

        if (!Continuation.IsEmpty)
        {
            var start = w.Length;
            w.U16(8);
            w.U16(checked((ushort)(8 + Continuation.Length)));
            w.Zeros(4);
            w.Bytes(Continuation.Span);
            w.Pad8(start);
        }
    }

    internal static PacketIn Decode(ref WireReader r)
    {
        var packet = new PacketIn { BufferId = r.U32(), TotalLength = r.U16(), Reason = r.U8(), Table = r.U8(), Cookie = r.U64(), Metadata = OxmCodec.ReadMatch(ref r) };
        r.Skip(2);
        return packet with { Data = r.Rest.ToArray() };
    }

    internal static PacketIn DecodeNicira(ref WireReader r, bool resume)
    {
        var packet = new PacketIn { IsNicira = true, IsResume = resume, Table = 255 };
        uint? total = null;
        while (r.Remaining >= 4)
        {
            var start = r.Position;
            var (type, length) = (r.U16(), r.U16());
            if (length < 4 || length - 4 > r.Remaining)
            {
                throw new OpenFlowFormatException($"packet-in: a property of length {length}", "OFPBPC_BAD_LEN");
            }

            var body = new WireReader(r.Take(length - 4));
            switch (type)
            {
                case 0: packet = packet with { Data = body.Rest.ToArray() }; break;
                case 1: total = body.U32(); break;
                case 2: packet = packet with { BufferId = body.U32() }; break;
                case 3: packet = packet with { Table = body.U8() }; break;
                case 4:
                    body.Skip(4);
                    packet = packet with { Cookie = body.U64() };
                    break;
                case 5: packet = packet with { Reason = body.U8() }; break;
                case 6: packet = packet with { Metadata = OxmCodec.ReadEntries(body.Rest) }; break;
                case 7: packet = packet with { UserData = body.Rest.ToArray() }; break;
                case 8:
                    body.Skip(4);
                    packet = packet with { Continuation = body.Rest.ToArray() };
                    break;
                default:
                    // Properties below 0x8000... that we do not know carry nothing we promise.
                    break;
            }

            r.SkipPadding(start);
        }

        return packet with { TotalLength = total ?? (uint)packet.Data.Length };
    }

    private static void Property(WireWriter w, ushort type, ReadOnlySpan<byte> data)
    {
        var start = w.Length;
        w.U16(type);
        w.U16(checked((ushort)(4 + data.Length)));
        w.Bytes(data);
        w.Pad8(start);
    }

    private static void Number(WireWriter w, ushort type, uint value, int bytes)
    {
        var start = w.Length;
        w.U16(type);
        w.U16((ushort)(4 + bytes));
        w.Number(value, bytes);
        w.Pad8(start);
    }
}

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
    /// <inheritdoc/>
    public override MessageType Type => MessageType.FlowRemoved;

    internal override void EncodeBody(WireWriter w)
    {
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
