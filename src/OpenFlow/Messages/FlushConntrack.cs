using System.Net;
using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Messages;

/// <summary>One direction of the connections that <see cref="FlushConntrack"/> ends. What is not given matches everything.</summary>
public sealed record ConntrackTuple
{
    /// <summary>Source address.</summary>
    public IPAddress? Source { get; init; }

    /// <summary>Destination address.</summary>
    public IPAddress? Destination { get; init; }

    /// <summary>Source port; 0 for any.</summary>
    public ushort SourcePort { get; init; }

    /// <summary>Destination port; 0 for any.</summary>
    public ushort DestinationPort { get; init; }

    /// <summary>Identifier of an ICMP connection; 0 for any.</summary>
    public ushort IcmpId { get; init; }

    /// <summary>ICMP type; null for any.</summary>
    public byte? IcmpType { get; init; }

    /// <summary>ICMP code; null for any.</summary>
    public byte? IcmpCode { get; init; }

    internal void Encode(WireWriter w, ushort type)
    {
        // ofp-prop.h: u16 type, u16 length without padding, value, padded to 8; a nested property begins with 4 bytes of padding.
        var start = w.Length;
        w.U16(type);
        w.U16(0);
        w.Zeros(4);
        Put(w, 0, Source);
        Put(w, 1, Destination);
        Put(w, 2, SourcePort);
        Put(w, 3, DestinationPort);
        Put(w, 4, IcmpId);
        Put(w, 5, IcmpType);
        Put(w, 6, IcmpCode);
        w.PatchU16(start + 2, w.Length - start);
    }

    internal static ConntrackTuple Decode(ReadOnlySpan<byte> data)
    {
        // The nested properties begin behind four bytes of padding.
        var tuple = new ConntrackTuple();
        var r = new WireReader(data);
        r.Skip(4);
        while (r.Remaining > 0)
        {
            var (type, body) = FlushConntrack.Property(ref r);
            tuple = type switch
            {
                0 => tuple with { Source = Address(body) },
                1 => tuple with { Destination = Address(body) },
                2 => tuple with { SourcePort = FlushConntrack.Number(body) },
                3 => tuple with { DestinationPort = FlushConntrack.Number(body) },
                4 => tuple with { IcmpId = FlushConntrack.Number(body) },
                5 => tuple with { IcmpType = FlushConntrack.Octet(body) },
                6 => tuple with { IcmpCode = FlushConntrack.Octet(body) },
                _ => tuple,
            };
        }

        return tuple;
    }

    private static IPAddress Address(ReadOnlySpan<byte> body)
    {
        var address = body.Length >= 16 ? new IPAddress(body[..16]) : throw new OpenFlowFormatException("ct flush: an address of fewer than 16 bytes", "OFPBPC_BAD_LEN");
        return address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
    }

    private static void Put(WireWriter w, ushort type, IPAddress? address)
    {
        if (address is not null)
        {
            w.U16(type);
            w.U16(20);
            w.Bytes(address.MapToIPv6().GetAddressBytes());
            w.Zeros(4);
        }
    }

    private static void Put(WireWriter w, ushort type, byte? octet)
    {
        if (octet is { } value)
        {
            w.U16(type);
            w.U16(5);
            w.U8(value);
            w.Zeros(3);
        }
    }

    private static void Put(WireWriter w, ushort type, ushort port)
    {
        if (port != 0)
        {
            w.U16(type);
            w.U16(6);
            w.U16(port);
            w.Zeros(2);
        }
    }
}

/// <summary>Ends connections that the tracker knows (NXT_CT_FLUSH, Open vSwitch 3.1). Connections that match everything that is given are forgotten.</summary>
/// <param name="Protocol">IP protocol, for example 17; 0 for any.</param>
public sealed record FlushConntrack(byte Protocol) : OpenFlowMessage
{
    private const ushort OriginalType = 0;
    private const ushort ReplyType = 1;
    private const ushort ZoneType = 2;

    /// <inheritdoc/>
    public override MessageType Type => MessageType.Experimenter;

    /// <summary>The zone, or null: all.</summary>
    public ushort? Zone { get; init; }

    /// <summary>The direction of the first packet, before translation.</summary>
    public ConntrackTuple? Original { get; init; }

    /// <summary>The direction of the answers, as they come: from the translated destination.</summary>
    public ConntrackTuple? Reply { get; init; }

    internal override void EncodeBody(WireWriter w)
    {
        w.U32(Vendors.Nicira);
        w.U32(32);
        w.U8(Protocol);
        w.Zeros(7);
        Original?.Encode(w, OriginalType);
        Reply?.Encode(w, ReplyType);
        if (Zone is { } zone)
        {
            w.U16(ZoneType);
            w.U16(6);
            w.U16(zone);
            w.Zeros(2);
        }
    }

    internal static FlushConntrack Decode(ref WireReader r)
    {
        var flush = new FlushConntrack(r.U8());
        if (r.Take(7).IndexOfAnyExcept((byte)0) >= 0)
        {
            throw new OpenFlowFormatException("ct flush: padding is not zero", "NXBRC_MUST_BE_ZERO");
        }

        while (r.Remaining > 0)
        {
            var (type, body) = Property(ref r);
            flush = type switch
            {
                OriginalType => flush with { Original = ConntrackTuple.Decode(body) },
                ReplyType => flush with { Reply = ConntrackTuple.Decode(body) },
                ZoneType => flush with { Zone = Number(body) },
                _ => flush,
            };
        }

        return flush;
    }

    internal static Pair Property(ref WireReader r)
    {
        var start = r.Position;
        var (type, length) = (r.U16(), r.U16());
        if (length < 4 || length - 4 > r.Remaining)
        {
            throw new OpenFlowFormatException($"ct flush: a property of length {length}", "OFPBPC_BAD_LEN");
        }

        var body = r.Take(length - 4);
        r.SkipPadding(start);
        return new Pair(type, body);
    }

    internal static ushort Number(ReadOnlySpan<byte> body) =>
        body.Length >= 2 ? System.Buffers.Binary.BinaryPrimitives.ReadUInt16BigEndian(body) : throw new OpenFlowFormatException($"ct flush: a number of {body.Length} bytes, 2 are needed", "OFPBPC_BAD_LEN");

    internal static byte Octet(ReadOnlySpan<byte> body) =>
        body.Length >= 1 ? body[0] : throw new OpenFlowFormatException($"ct flush: {body.Length} bytes, 1 is needed", "OFPBPC_BAD_LEN");

    /// <summary>A property: its type and what it carries.</summary>
    internal readonly ref struct Pair(ushort type, ReadOnlySpan<byte> body)
    {
        private readonly ReadOnlySpan<byte> _body = body;

        public void Deconstruct(out ushort kind, out ReadOnlySpan<byte> content)
        {
            kind = type;
            content = _body;
        }
    }
}
