using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using Weft.OpenFlow.Fields;

namespace Weft.Agent.Denials;

/// <summary>The headers of a packet that a policy denied, as far as an answer and a line of the log need them.</summary>
/// <param name="SourceMac">Who sent the frame.</param>
/// <param name="Source">Source address.</param>
/// <param name="Destination">Destination address.</param>
/// <param name="Protocol">IP protocol number, behind IPv6 extension headers the first of them.</param>
/// <param name="SourcePort">0 without ports.</param>
/// <param name="DestinationPort">0 without ports.</param>
/// <param name="Tcp">For TCP.</param>
/// <param name="Ip">The packet from its IP header on, perhaps cut off.</param>
internal sealed record DeniedPacket(
    MacAddress SourceMac, IPAddress Source, IPAddress Destination, byte Protocol, ushort SourcePort, ushort DestinationPort, TcpPart? Tcp, ReadOnlyMemory<byte> Ip)
{
    public const byte TcpNumber = 6;
    private const byte Udp = 17;
    private const byte Sctp = 132;
    private const byte Icmp = 1;
    private const byte Icmp6 = 58;
    private const int EthernetLength = 14;
    private const int V6Length = 40;

    public bool IsV6 => Destination.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6;

    /// <summary>The protocol's name, or its number.</summary>
    public string ProtocolName => Protocol switch { TcpNumber => "TCP", Udp => "UDP", Sctp => "SCTP", Icmp or Icmp6 => "ICMP", var other => $"protocol {other}" };

    /// <summary>True when an answer may be sent: never to an error, a reset, or a part of a packet that is not its first (RFC 1122 3.2.2, RFC 4443 2.4).</summary>
    public bool MayBeAnswered { get; private init; } = true;

    /// <summary>Reads a frame; false when it is no IP packet, or is cut off before its ports.</summary>
    public static bool TryRead(ReadOnlyMemory<byte> frame, [NotNullWhen(true)] out DeniedPacket? packet)
    {
        packet = null;
        var data = frame.Span;
        if (data.Length < EthernetLength + 20)
        {
            return false;
        }

        var ip = frame[EthernetLength..];
        var mac = MacAddress.From(data[6..12]);
        packet = BinaryPrimitives.ReadUInt16BigEndian(data[12..]) switch
        {
            0x0800 when ip.Span[0] >> 4 == 4 => ReadV4(mac, ip),
            0x86dd when ip.Length >= V6Length => ReadV6(mac, ip),
            _ => null,
        };
        return packet is not null;
    }

    private static DeniedPacket? ReadV4(MacAddress mac, ReadOnlyMemory<byte> ip)
    {
        var data = ip.Span;
        var header = (data[0] & 15) * 4;
        var whole = BinaryPrimitives.ReadUInt16BigEndian(data[2..]);
        var isFirst = (BinaryPrimitives.ReadUInt16BigEndian(data[6..]) & 0x1fff) == 0;
        return header < 20 || whole < header ? null
            : Read(mac, new IPAddress(data[12..16]), new IPAddress(data[16..20]), data[9], ip, header, whole - header, isFirst);
    }

    private static DeniedPacket? ReadV6(MacAddress mac, ReadOnlyMemory<byte> ip)
    {
        var data = ip.Span;
        return Read(mac, new IPAddress(data[8..24]), new IPAddress(data[24..40]), data[6], ip, V6Length, BinaryPrimitives.ReadUInt16BigEndian(data[4..]), isFirst: true);
    }

    private static DeniedPacket? Read(MacAddress mac, IPAddress source, IPAddress destination, byte protocol, ReadOnlyMemory<byte> ip, int header, int length, bool isFirst)
    {
        var found = new DeniedPacket(mac, source, destination, protocol, 0, 0, null, ip) { MayBeAnswered = isFirst };
        var payload = ip.Span[Math.Min(header, ip.Length)..];
        if (!isFirst)
        {
            return found;
        }

        if (protocol is Icmp or Icmp6)
        {
            // Below 128 ICMPv6 has errors only; ICMP has a few.
            var isError = payload.Length > 0 && (protocol == Icmp6 ? payload[0] < 128 : payload[0] is 3 or 4 or 5 or 11 or 12);
            return found with { MayBeAnswered = !isError && payload.Length > 0 };
        }

        if (protocol is not (TcpNumber or Udp or Sctp))
        {
            return found;
        }

        if (payload.Length < 8 || (protocol == TcpNumber && payload.Length < 20))
        {
            return null;
        }

        var tcp = protocol == TcpNumber ? TcpPart.Read(payload, length) : null;
        return found with
        {
            SourcePort = BinaryPrimitives.ReadUInt16BigEndian(payload),
            DestinationPort = BinaryPrimitives.ReadUInt16BigEndian(payload[2..]),
            Tcp = tcp,
            MayBeAnswered = tcp is not { IsReset: true },
        };
    }
}

/// <summary>What a reset must know of a TCP segment (RFC 9293 section 3.10.7.1).</summary>
/// <param name="Sequence">Its sequence number.</param>
/// <param name="Acknowledgement">Its acknowledgement number, or null without ACK.</param>
/// <param name="Length">The sequence numbers that it takes: data, and one each for SYN and FIN.</param>
/// <param name="IsReset">It is a reset itself.</param>
internal sealed record TcpPart(uint Sequence, uint? Acknowledgement, uint Length, bool IsReset)
{
    private const int Fin = 1;
    private const int Syn = 2;
    private const int Reset = 4;
    private const int Ack = 16;

    /// <param name="segment">At least its 20 bytes without options.</param>
    /// <param name="length">The segment's whole length.</param>
    public static TcpPart Read(ReadOnlySpan<byte> segment, int length)
    {
        var flags = segment[13];
        var data = Math.Max(0, length - ((segment[12] >> 4) * 4));
        return new TcpPart(
            BinaryPrimitives.ReadUInt32BigEndian(segment[4..]),
            (flags & Ack) != 0 ? BinaryPrimitives.ReadUInt32BigEndian(segment[8..]) : null,
            (uint)(data + ((flags & Syn) != 0 ? 1 : 0) + ((flags & Fin) != 0 ? 1 : 0)),
            (flags & Reset) != 0);
    }
}
