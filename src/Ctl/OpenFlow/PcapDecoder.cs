using System.Buffers.Binary;
using Weft.OpenFlow;
using Weft.OpenFlow.Switch;

namespace Weft.Ctl.OpenFlow;

/// <summary>Takes the OpenFlow messages out of a classic pcap file: Ethernet or raw IP, TCP, segments in order of arrival.</summary>
internal static class PcapDecoder
{
    private const int MaxPacket = 262_144;
    private const uint PcapngMagic = 0x0a0d0d0a;

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
        var expected = new Dictionary<string, uint>(StringComparer.Ordinal);
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

            if (TcpSegment.TryRead(packet, link, out var segment) && segment.Payload.Length > 0)
            {
                if (!streams.TryGetValue(segment.Key, out var stream))
                {
                    if (!segment.UsesPort(ports) && !IsHello(segment.Payload))
                    {
                        continue;
                    }

                    streams[segment.Key] = stream = [];
                }

                var payload = segment.Payload.AsSpan();
                if (expected.TryGetValue(segment.Key, out var next) && segment.Sequence != next)
                {
                    var seen = (int)(next - segment.Sequence);
                    if (seen >= payload.Length)
                    {
                        // Sent again.
                        continue;
                    }

                    if (seen < 0)
                    {
                        writer.Error($"{-(long)seen} bytes of the connection are not in the capture (tcpdump -B makes its buffer larger)");
                        stream.Clear();
                    }

                    payload = payload[Math.Max(seen, 0)..];
                }

                expected[segment.Key] = segment.Sequence + (uint)segment.Payload.Length;
                if (stream.Count == 0 && !BeginsMessage(payload))
                {
                    // Behind a gap: the rest of a message whose beginning is lost.
                    continue;
                }

                stream.AddRange(payload);
                Cut(stream, writer);
            }
        }

        return writer.Failed ? 1 : 0;
    }

    /// <summary>True for the first bytes of a capture that this class reads, and of a pcapng file, which it refuses by name.</summary>
    public static bool IsCapture(ReadOnlySpan<byte> head) => head.Length >= 4 && (Endianness(head, out _) || BinaryPrimitives.ReadUInt32BigEndian(head) == PcapngMagic);

    private static bool BeginsMessage(ReadOnlySpan<byte> data) =>
        data.Length < 4 || (data[0] is >= 1 and <= 6 && BinaryPrimitives.ReadUInt16BigEndian(data[2..]) >= 8 && data[1] <= 36);

    /// <summary>Both sides begin with a hello: a connection on any port is known by it.</summary>
    private static bool IsHello(ReadOnlySpan<byte> payload) => payload.Length >= 8 && payload[0] is >= 1 and <= 6 && payload[1] == 0 && payload[2] == 0 && payload[3] >= 8;

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
