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

/// <summary>The form of a packet-in on the wire.</summary>
public enum PacketInForm : byte
{
    /// <summary>OFPT_PACKET_IN of OpenFlow 1.3.</summary>
    Standard,

    /// <summary>NXT_PACKET_IN: as the standard one, with the whole match (<see cref="SetPacketInFormat"/> 1).</summary>
    Nicira,

    /// <summary>NXT_PACKET_IN2: user data and continuation too (<see cref="SetPacketInFormat"/> 2).</summary>
    Nicira2,

    /// <summary>NXT_RESUME: the controller sends a NXT_PACKET_IN2 back, to let the pipeline go on.</summary>
    Resume,
}

/// <summary>A packet for the controller (OpenFlow 1.3.5 section 7.4.1, NXT_PACKET_IN and NXT_PACKET_IN2 of nicira-ext.h).</summary>
public sealed record PacketIn : OpenFlowMessage
{
    internal const uint NiciraSubtype = 17;
    internal const uint ResumeSubtype = 28;
    internal const uint Nicira2Subtype = 30;

    /// <inheritdoc/>
    public override MessageType Type => Form == PacketInForm.Standard ? MessageType.PacketIn : MessageType.Experimenter;

    /// <summary>How it came, or is to be sent.</summary>
    public PacketInForm Form { get; init; }

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
        switch (Form)
        {
            case PacketInForm.Standard:
                EncodeFixed(w);
                OxmCodec.WriteMatch(w, Metadata);
                break;
            case PacketInForm.Nicira:
                w.U32(Vendors.Nicira);
                w.U32(NiciraSubtype);
                EncodeFixed(w);
                w.U16(checked((ushort)Metadata.Encoded.Length));
                w.Zeros(6);
                var start = w.Length;
                w.Bytes(Metadata.Encoded);
                w.Pad8(start);
                break;
            default:
                EncodeProperties(w);
                return;
        }

        w.Zeros(2);
        w.Bytes(Data.Span);
    }

    private void EncodeFixed(WireWriter w)
    {
        w.U32(BufferId);
        w.U16((ushort)TotalLength);
        w.U8(Reason);
        w.U8(Table);
        w.U64(Cookie);
    }

    private void EncodeProperties(WireWriter w)
    {
        w.U32(Vendors.Nicira);
        w.U32(Form == PacketInForm.Resume ? ResumeSubtype : Nicira2Subtype);
        Property(w, 0, Data.Span);
        if (TotalLength != Data.Length)
        {
            Number(w, 1, TotalLength, 4);
        }

        if (BufferId != uint.MaxValue)
        {
            Number(w, 2, BufferId, 4);
        }

        Number(w, 3, Table, 1);

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

    internal static PacketIn DecodeNicira(ref WireReader r)
    {
        var packet = new PacketIn { Form = PacketInForm.Nicira, BufferId = r.U32(), TotalLength = r.U16(), Reason = r.U8(), Table = r.U8(), Cookie = r.U64() };
        int length = r.U16();
        r.Skip(6);
        var start = r.Position;
        packet = packet with { Metadata = OxmCodec.ReadEntries(r.Take(length)) };
        r.SkipPadding(start);
        r.Skip(2);
        return packet with { Data = r.Rest.ToArray() };
    }

    internal static PacketIn DecodeProperties(ref WireReader r, bool resume)
    {
        var packet = new PacketIn { Form = resume ? PacketInForm.Resume : PacketInForm.Nicira2 };
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
