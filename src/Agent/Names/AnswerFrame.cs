using System.Buffers.Binary;
using System.Net;

namespace Weft.Agent.Names;

/// <summary>A frame from a name server, taken apart.</summary>
/// <param name="Source">The server.</param>
/// <param name="SourcePort">Its port.</param>
/// <param name="DestinationPort">The pod's port.</param>
/// <param name="Tcp">For TCP: where the payload stands in the stream.</param>
/// <param name="Payload">What is behind the UDP or TCP header; of a first fragment, its part.</param>
internal sealed record AnswerFrame(IPAddress Source, ushort SourcePort, ushort DestinationPort, TcpPlace? Tcp, ReadOnlyMemory<byte> Payload)
{
    private const int EthernetLength = 14;
    private const int V6Length = 40;
    private const int FragmentHeaderLength = 8;
    private const int UdpHeaderLength = 8;
    private const int LeastTcpLength = 20;
    private const byte Tcp6 = 6;
    private const byte Udp17 = 17;
    private const byte Fragment44 = 44;

    /// <summary>Reads a frame; null when it is no UDP or TCP over IP, or a later fragment.</summary>
    public static AnswerFrame? Read(ReadOnlyMemory<byte> frame)
    {
        if (frame.Length < EthernetLength + LeastTcpLength)
        {
            return null;
        }

        var ip = frame[EthernetLength..];
        return BinaryPrimitives.ReadUInt16BigEndian(frame.Span[12..]) switch
        {
            0x0800 when ip.Span[0] >> 4 == 4 => ReadV4(ip),
            0x86dd when ip.Length >= V6Length => ReadV6(ip),
            _ => null,
        };
    }

    private static AnswerFrame? ReadV4(ReadOnlyMemory<byte> ip)
    {
        var data = ip.Span;
        var header = (data[0] & 15) * 4;
        var whole = Math.Min(BinaryPrimitives.ReadUInt16BigEndian(data[2..]), ip.Length);
        var isLater = (BinaryPrimitives.ReadUInt16BigEndian(data[6..]) & 0x1fff) != 0;
        return header < 20 || whole < header || isLater ? null : Read(new IPAddress(data[12..16]), data[9], ip[header..whole]);
    }

    private static AnswerFrame? ReadV6(ReadOnlyMemory<byte> ip)
    {
        var data = ip.Span;
        var rest = ip[V6Length..Math.Min(V6Length + BinaryPrimitives.ReadUInt16BigEndian(data[4..]), ip.Length)];
        var (protocol, source) = (data[6], new IPAddress(data[8..24]));
        if (protocol != Fragment44)
        {
            return Read(source, protocol, rest);
        }

        var isFirst = rest.Length >= FragmentHeaderLength && (BinaryPrimitives.ReadUInt16BigEndian(rest.Span[2..]) & 0xfff8) == 0;
        return isFirst ? Read(source, rest.Span[0], rest[FragmentHeaderLength..]) : null;
    }

    private static AnswerFrame? Read(IPAddress source, byte protocol, ReadOnlyMemory<byte> segment)
    {
        var data = segment.Span;
        if (protocol == Udp17 && data.Length >= UdpHeaderLength)
        {
            var length = Math.Clamp((int)BinaryPrimitives.ReadUInt16BigEndian(data[4..]), UdpHeaderLength, data.Length);
            return new AnswerFrame(source, BinaryPrimitives.ReadUInt16BigEndian(data), BinaryPrimitives.ReadUInt16BigEndian(data[2..]), null, segment[UdpHeaderLength..length]);
        }

        if (protocol != Tcp6 || data.Length < LeastTcpLength)
        {
            return null;
        }

        var header = (data[12] >> 4) * 4;
        return header < LeastTcpLength || header > data.Length ? null : new AnswerFrame(
            source, BinaryPrimitives.ReadUInt16BigEndian(data), BinaryPrimitives.ReadUInt16BigEndian(data[2..]),
            new TcpPlace(BinaryPrimitives.ReadUInt32BigEndian(data[4..]), (data[13] & 2) != 0, (data[13] & 5) != 0), segment[header..]);
    }
}

/// <summary>Where a segment stands in its stream.</summary>
/// <param name="Sequence">The sequence number of its first byte, or of its SYN.</param>
/// <param name="Begins">SYN.</param>
/// <param name="Ends">FIN or RST.</param>
internal readonly record struct TcpPlace(uint Sequence, bool Begins, bool Ends);
