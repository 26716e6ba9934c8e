using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace Weft.Agent.Dns;

/// <summary>A question to a name server, and answers to it (RFC 1035 section 4).</summary>
/// <param name="Name">Lower case, without the last dot.</param>
/// <param name="Type">1 A, 28 AAAA, others.</param>
/// <param name="Query">The message as it came.</param>
/// <param name="End">Where its question ends.</param>
public sealed record DnsMessage(string Name, ushort Type, ReadOnlyMemory<byte> Query, int End)
{
    public const ushort TypeA = 1;
    public const ushort TypeAaaa = 28;
    public const int NoError = 0;
    public const int ServerFailure = 2;
    public const int NameError = 3;

    /// <summary>Seconds: addresses of pods change when pods do.</summary>
    private const uint Life = 5;

    private const int HeaderLength = 12;

    /// <summary>What every asker takes by UDP (RFC 1035 section 2.3.4).</summary>
    private const int LongestAnswer = 512;

    /// <summary>A record with a pointer for its name, without its address.</summary>
    private const int RecordLength = 12;
    private const int LongestName = 255;

    private int AddressLength => Type == TypeA ? 4 : Type == TypeAaaa ? 16 : -1;

    /// <summary>Reads a query with one question of class IN; null for anything else.</summary>
    public static DnsMessage? Read(ReadOnlyMemory<byte> message)
    {
        var bytes = message.Span;
        if (bytes.Length < HeaderLength + 5 || (bytes[2] & 0xF8) != 0 || BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]) != 1)
        {
            return null;
        }

        var name = new StringBuilder();
        var at = HeaderLength;
        while (at < bytes.Length && bytes[at] != 0)
        {
            // A question has no compressed names (RFC 1035 section 4.1.4: pointers are to earlier names, and there are none).
            var length = bytes[at];
            if (length > 63 || at + 1 + length >= bytes.Length || name.Length + length + 1 > LongestName)
            {
                return null;
            }

            name.Append(name.Length > 0 ? "." : "").Append(Encoding.ASCII.GetString(bytes.Slice(at + 1, length)));
            at += length + 1;
        }

        return at + 5 <= bytes.Length && BinaryPrimitives.ReadUInt16BigEndian(bytes[(at + 3)..]) == 1
            ? new DnsMessage(name.ToString().ToLowerInvariant(), BinaryPrimitives.ReadUInt16BigEndian(bytes[(at + 1)..]), message, at + 5)
            : null;
    }

    /// <summary>An answer with the addresses of the family that was asked for.</summary>
    /// <param name="code">RCODE.</param>
    /// <param name="addresses">Of both families; as many as fit into 512 bytes.</param>
    public byte[] Answer(int code, IEnumerable<IPAddress> addresses)
    {
        var wanted = addresses.Select(a => a.GetAddressBytes()).Where(a => a.Length == AddressLength).Take((LongestAnswer - End) / (RecordLength + Math.Max(AddressLength, 1))).ToList();
        var answer = new List<byte>(512);
        answer.AddRange(Query.Span[..2]);

        // A response, authoritative; recursion as it was asked for, and available.
        answer.AddRange([(byte)(0x84 | (Query.Span[2] & 0x01)), (byte)(0x80 | code), 0, 1, 0, (byte)wanted.Count, 0, 0, 0, 0]);
        answer.AddRange(Query.Span[HeaderLength..End]);
        Span<byte> head = stackalloc byte[12];
        foreach (var address in wanted)
        {
            BinaryPrimitives.WriteUInt16BigEndian(head, 0xC000 | HeaderLength);
            BinaryPrimitives.WriteUInt16BigEndian(head[2..], Type);
            BinaryPrimitives.WriteUInt16BigEndian(head[4..], 1);
            BinaryPrimitives.WriteUInt32BigEndian(head[6..], Life);
            BinaryPrimitives.WriteUInt16BigEndian(head[10..], (ushort)address.Length);
            answer.AddRange(head);
            answer.AddRange(address);
        }

        return [.. answer];
    }
}
