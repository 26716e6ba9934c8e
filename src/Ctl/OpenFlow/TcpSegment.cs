using System.Buffers.Binary;

namespace Weft.Ctl.OpenFlow;

/// <summary>The TCP payload of a captured packet.</summary>
internal readonly record struct TcpSegment(string Key, int SourcePort, int TargetPort, uint Sequence, byte[] Payload)
{
    private const int Ethernet = 1;
    private const int LinuxCooked = 113;
    private const int RawIP = 101;

    public bool UsesPort(int[] ports) => ports.Contains(SourcePort) || ports.Contains(TargetPort);

    public static bool TryRead(ReadOnlySpan<byte> packet, uint link, out TcpSegment segment)
    {
        segment = default;
        var skip = link switch { Ethernet => 14, LinuxCooked => 16, RawIP => 0, _ => -1 };
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
        segment = new(key, BinaryPrimitives.ReadUInt16BigEndian(tcp), BinaryPrimitives.ReadUInt16BigEndian(tcp[2..]), BinaryPrimitives.ReadUInt32BigEndian(tcp[4..]), tcp[offset..].ToArray());
        return true;
    }
}
