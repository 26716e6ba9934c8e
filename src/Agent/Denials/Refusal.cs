using System.Buffers.Binary;
using System.Net;
using Weft.OpenFlow.Fields;

namespace Weft.Agent.Denials;

/// <summary>Makes the answer to a denied packet: a TCP reset, or ICMP "communication administratively prohibited" (RFC 1812 5.2.7.1, RFC 4443 3.1).</summary>
internal static class Refusal
{
    private const int EthernetLength = 14;
    private const int V4Length = 20;
    private const int V6Length = 40;
    private const int TcpLength = 20;
    private const int IcmpLength = 8;
    private const byte TimeToLive = 64;
    private const byte Icmp = 1;
    private const byte Icmp6 = 58;
    private const byte ResetFlag = 4;
    private const byte AckFlag = 16;

    /// <summary>What of the denied packet an ICMP message repeats: enough for every header, far from any MTU.</summary>
    private const int Repeated = 128;

    /// <summary>The frame that answers.</summary>
    /// <param name="denied">The packet.</param>
    /// <param name="from">The source of the frame.</param>
    /// <param name="to">Its destination.</param>
    public static byte[] Of(DeniedPacket denied, MacAddress from, MacAddress to)
    {
        var repeated = denied.Tcp is null ? denied.Ip[..Math.Min(denied.Ip.Length, Repeated)] : ReadOnlyMemory<byte>.Empty;
        var header = denied.IsV6 ? V6Length : V4Length;
        var payload = denied.Tcp is null ? IcmpLength + repeated.Length : TcpLength;
        var frame = new byte[EthernetLength + header + payload];
        WriteMac(frame, to);
        WriteMac(frame.AsSpan(6), from);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(12), (ushort)(denied.IsV6 ? 0x86dd : 0x0800));
        var protocol = denied.Tcp is not null ? DeniedPacket.TcpNumber : denied.IsV6 ? Icmp6 : Icmp;
        WriteIp(frame.AsSpan(EthernetLength), denied, protocol, payload);
        var body = frame.AsSpan(EthernetLength + header);
        if (denied.Tcp is { } tcp)
        {
            WriteReset(body, denied, tcp);
            BinaryPrimitives.WriteUInt16BigEndian(body[16..], InternetChecksum.Of(body, PseudoSum(denied, protocol, payload)));
            return frame;
        }

        (body[0], body[1]) = denied.IsV6 ? ((byte)1, (byte)1) : ((byte)3, (byte)13);
        repeated.Span.CopyTo(body[IcmpLength..]);
        BinaryPrimitives.WriteUInt16BigEndian(body[2..], InternetChecksum.Of(body, denied.IsV6 ? PseudoSum(denied, protocol, payload) : 0));
        return frame;
    }

    private static void WriteIp(Span<byte> ip, DeniedPacket denied, byte protocol, int payload)
    {
        if (denied.IsV6)
        {
            ip[0] = 0x60;
            BinaryPrimitives.WriteUInt16BigEndian(ip[4..], (ushort)payload);
            (ip[6], ip[7]) = (protocol, TimeToLive);
            denied.Destination.TryWriteBytes(ip[8..], out _);
            denied.Source.TryWriteBytes(ip[24..], out _);
            return;
        }

        ip[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)(V4Length + payload));
        (ip[8], ip[9]) = (TimeToLive, protocol);
        denied.Destination.TryWriteBytes(ip[12..], out _);
        denied.Source.TryWriteBytes(ip[16..], out _);
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], InternetChecksum.Of(ip[..V4Length], 0));
    }

    /// <summary>RFC 9293 section 3.10.7.1: numbered as the peer expects it.</summary>
    private static void WriteReset(Span<byte> segment, DeniedPacket denied, TcpPart tcp)
    {
        BinaryPrimitives.WriteUInt16BigEndian(segment, denied.DestinationPort);
        BinaryPrimitives.WriteUInt16BigEndian(segment[2..], denied.SourcePort);
        segment[12] = TcpLength / 4 << 4;
        if (tcp.Acknowledgement is { } expected)
        {
            BinaryPrimitives.WriteUInt32BigEndian(segment[4..], expected);
            segment[13] = ResetFlag;
            return;
        }

        BinaryPrimitives.WriteUInt32BigEndian(segment[8..], tcp.Sequence + tcp.Length);
        segment[13] = ResetFlag | AckFlag;
    }

    private static uint PseudoSum(DeniedPacket denied, byte protocol, int length)
    {
        Span<byte> addresses = stackalloc byte[32];
        denied.Destination.TryWriteBytes(addresses, out var size);
        denied.Source.TryWriteBytes(addresses[size..], out _);
        return InternetChecksum.Sum(addresses[..(2 * size)]) + protocol + (uint)length;
    }

    private static void WriteMac(Span<byte> to, MacAddress mac)
    {
        for (var i = 0; i < 6; i++)
        {
            to[i] = (byte)(mac.Bits >> (40 - (8 * i)));
        }
    }
}
