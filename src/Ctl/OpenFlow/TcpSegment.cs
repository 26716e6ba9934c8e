using System.Buffers.Binary;

namespace Weft.Ctl.OpenFlow;

/// <summary>The TCP payload of a captured packet.</summary>
/// <param name="Key">The direction of the connection: addresses and ports.</param>
/// <param name="SourcePort">From which port.</param>
/// <param name="TargetPort">To which port.</param>
/// <param name="Sequence">The number of the first byte.</param>
/// <param name="Payload">The bytes; none in a mere acknowledgement.</param>
/// <param name="Begins">Whether a connection begins with it (SYN).</param>
internal readonly record struct TcpSegment(string Key, int SourcePort, int TargetPort, uint Sequence, byte[] Payload, bool Begins)
{
    private const int Ethernet = 1;
    private const int LinuxCooked = 113;
    private const int LinuxCooked2 = 276;
    private const int RawIP = 101;
    private const int Syn = 2;

    public bool UsesPort(int[] ports) => ports.Contains(SourcePort) || ports.Contains(TargetPort);

    /// <summary>True for a link type of pcap whose packets can be read.</summary>
    public static bool Knows(uint link) => LinkHeader(link) >= 0;

    private static int LinkHeader(uint link) => link switch { Ethernet => 14, LinuxCooked => 16, LinuxCooked2 => 20, RawIP => 0, _ => -1 };

    public static bool TryRead(ReadOnlySpan<byte> packet, uint link, out TcpSegment segment)
    {
        segment = default;
        var skip = LinkHeader(link);
        if (skip < 0 || packet.Length < skip + 20)
        {
            return false;
        }

        if (link == Ethernet && packet[12] == 0x81 && packet[13] == 0)
        {
            skip += 4;
        }

        var ip = packet[skip..];
        int header;
        int total;
        int addresses;
        if (ip[0] >> 4 == 4 && ip[9] == 6)
        {
            (header, total, addresses) = ((ip[0] & 15) * 4, BinaryPrimitives.ReadUInt16BigEndian(ip[2..]), 12);
        }
        else if (ip.Length >= 40 && ip[0] >> 4 == 6 && ip[6] == 6)
        {
            (header, total, addresses) = (40, 40 + BinaryPrimitives.ReadUInt16BigEndian(ip[4..]), 8);
        }
        else
        {
            return false;
        }

        // A network card that cuts segments itself leaves the length to be filled in.
        total = total == 0 ? ip.Length : total;
        if (total > ip.Length || total < header + 20)
        {
            return false;
        }

        var tcp = ip[header..total];
        var offset = (tcp[12] >> 4) * 4;
        if (offset < 20 || offset > tcp.Length)
        {
            return false;
        }

        var key = Convert.ToHexString(ip[addresses..(header == 40 ? 40 : 20)]) + Convert.ToHexString(tcp[..4]);
        segment = new(key, BinaryPrimitives.ReadUInt16BigEndian(tcp), BinaryPrimitives.ReadUInt16BigEndian(tcp[2..]), BinaryPrimitives.ReadUInt32BigEndian(tcp[4..]), tcp[offset..].ToArray(), (tcp[13] & Syn) != 0);
        return true;
    }
}
