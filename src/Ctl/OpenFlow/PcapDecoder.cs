using System.Buffers.Binary;

namespace Weft.Ctl.OpenFlow;

/// <summary>Takes the OpenFlow messages out of a classic pcap file: Ethernet or raw IP, TCP.</summary>
/// <remarks>Messages are printed in the order in which their last bytes came, all connections together.</remarks>
internal static class PcapDecoder
{
    private const int MaxPacket = 262_144;
    private const uint LinkMask = 0x0fffffff;
    private const uint PcapngMagic = 0x0a0d0d0a;

    /// <summary>Prints the messages of all connections; the exit code.</summary>
    public static int Decode(Stream file, int[] ports, LineWriter writer)
    {
        var header = new byte[24];
        if (file.ReadAtLeast(header, 24, throwOnEndOfStream: false) < 24 || !Endianness(header, out var little))
        {
            writer.Error("not a pcap file (pcapng is not supported: editcap -F pcap converts it)");
            return 1;
        }

        var link = Number(header.AsSpan(20), little) & LinkMask;
        if (!TcpSegment.Knows(link))
        {
            writer.Error($"packets of link type {link} are not supported; Ethernet, raw IP and tcpdump -i any are");
            return 1;
        }

        var streams = new Dictionary<string, CapturedStream>(StringComparer.Ordinal);
        try
        {
            while (ReadPacket(file, little) is { } packet)
            {
                if (TcpSegment.TryRead(packet, link, out var segment))
                {
                    Take(segment, streams, ports, writer);
                }
            }
        }
        catch (InvalidDataException e)
        {
            writer.Error(e.Message);
        }

        foreach (var stream in streams.Values)
        {
            stream.End();
        }

        return writer.Failed ? 1 : 0;
    }

    private static void Take(TcpSegment segment, Dictionary<string, CapturedStream> streams, int[] ports, LineWriter writer)
    {
        if (segment.Begins && streams.Remove(segment.Key, out var earlier))
        {
            // Another connection of the same addresses and ports.
            earlier.End();
        }

        if (segment.Payload.Length == 0)
        {
            return;
        }

        if (!streams.TryGetValue(segment.Key, out var stream))
        {
            if (!segment.UsesPort(ports) && !IsHello(segment.Payload))
            {
                return;
            }

            streams[segment.Key] = stream = new CapturedStream(writer);
        }

        stream.Add(segment.Sequence, segment.Payload);
    }

    /// <summary>The next packet; null at the end.</summary>
    /// <exception cref="InvalidDataException">The file ends within a packet, or a length is impossible.</exception>
    private static byte[]? ReadPacket(Stream file, bool little)
    {
        var record = new byte[16];
        var got = file.ReadAtLeast(record, record.Length, throwOnEndOfStream: false);
        if (got == 0)
        {
            return null;
        }

        var length = Number(record.AsSpan(8), little);
        if (got == record.Length && length > MaxPacket)
        {
            throw new InvalidDataException($"a packet of {length} bytes: the file is damaged");
        }

        var packet = new byte[length];
        return got == record.Length && file.ReadAtLeast(packet, packet.Length, throwOnEndOfStream: false) == packet.Length
            ? packet
            : throw new InvalidDataException("the file ends within a packet: it was cut, or is still written");
    }

    /// <summary>True for the first bytes of a capture that this class reads, and of a pcapng file, which it refuses by name.</summary>
    public static bool IsCapture(ReadOnlySpan<byte> head) => head.Length >= 4 && (Endianness(head, out _) || BinaryPrimitives.ReadUInt32BigEndian(head) == PcapngMagic);

    /// <summary>Both sides begin with a hello: a connection on any port is known by it.</summary>
    private static bool IsHello(ReadOnlySpan<byte> payload) => payload.Length >= 8 && payload[0] is >= 1 and <= 6 && payload[1] == 0 && payload[2] == 0 && payload[3] >= 8;

    private static bool Endianness(ReadOnlySpan<byte> header, out bool little)
    {
        var magic = BinaryPrimitives.ReadUInt32LittleEndian(header);
        little = magic is 0xa1b2c3d4 or 0xa1b23c4d;
        return little || magic is 0xd4c3b2a1 or 0x4d3cb2a1;
    }

    private static uint Number(ReadOnlySpan<byte> data, bool little) =>
        little ? BinaryPrimitives.ReadUInt32LittleEndian(data) : BinaryPrimitives.ReadUInt32BigEndian(data);
}
