using System.Buffers.Binary;
using Weft.OpenFlow;
using Weft.OpenFlow.Switch;

namespace Weft.Ctl.OpenFlow;

/// <summary>Takes the OpenFlow messages out of a classic pcap file: Ethernet or raw IP, TCP, segments in order of arrival.</summary>
internal static class PcapDecoder
{
    private const int MaxPacket = 262_144;

    public static int Decode(Stream file, int[] ports, LineWriter writer)
    {
        var header = new byte[24];
        if (file.ReadAtLeast(header, 24, throwOnEndOfStream: false) < 24 || !Endianness(header, out var little))
        {
            writer.Error("not a pcap file (pcapng is not supported: editcap -F pcap converts it)");
            return 1;
        }

        var link = Number(header.AsSpan(20), little);
        var streams = new Dictionary<string, List<byte>>(StringComparer.Ordinal);
        var record = new byte[16];
        while (file.ReadAtLeast(record, 16, throwOnEndOfStream: false) == 16)
        {
            var length = Number(record.AsSpan(8), little);
            if (length > MaxPacket)
            {
                writer.Error($"a packet of {length} bytes: the file is damaged");
                return 1;
            }

            var packet = new byte[length];
            if (file.ReadAtLeast(packet, packet.Length, throwOnEndOfStream: false) < packet.Length)
            {
                break;
            }

            if (TcpSegment.TryRead(packet, link, out var segment) && segment.UsesPort(ports))
            {
                var stream = streams.TryGetValue(segment.Key, out var known) ? known : streams[segment.Key] = [];
                stream.AddRange(segment.Payload);
                Cut(stream, writer);
            }
        }

        return writer.Failed ? 1 : 0;
    }

    private static void Cut(List<byte> stream, LineWriter writer)
    {
        var data = stream.ToArray();
        var used = 0;
        try
        {
            for (int length; (length = FrameCutter.TryCut(data.AsSpan(used))) > 0; used += length)
            {
                DecodeCommand.Print(data.AsSpan(used, length), writer);
            }

            stream.RemoveRange(0, used);
        }
        catch (OpenFlowException e)
        {
            writer.Error(e.Message);
            stream.Clear();
        }
    }

    private static bool Endianness(ReadOnlySpan<byte> header, out bool little)
    {
        var magic = BinaryPrimitives.ReadUInt32LittleEndian(header);
        little = magic is 0xa1b2c3d4 or 0xa1b23c4d;
        return little || magic is 0xd4c3b2a1 or 0x4d3cb2a1;
    }

    private static uint Number(ReadOnlySpan<byte> data, bool little) =>
        little ? BinaryPrimitives.ReadUInt32LittleEndian(data) : BinaryPrimitives.ReadUInt32BigEndian(data);
}
