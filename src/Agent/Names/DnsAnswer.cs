using System.Buffers.Binary;
using System.Net;

namespace Weft.Agent.Names;

/// <summary>What a name server's answer says of the name that was asked for (RFC 1035 section 4).</summary>
/// <param name="Name">The name in the question: lower case, without the last dot.</param>
/// <param name="Addresses">The addresses of A and AAAA records of that name, or of the names that its CNAME records lead to, in this one message.</param>
public sealed record DnsAnswer(string Name, IReadOnlyList<ResolvedAddress> Addresses)
{
    /// <summary>More are not taken from one message; one of 64 KiB can hold 4,000.</summary>
    public const int MostAddresses = 256;

    private const int HeaderLength = 12;
    private const int MostRecords = 512;
    private const int LongestChain = 16;
    private const ushort TypeA = 1;
    private const ushort TypeCname = 5;
    private const ushort TypeAaaa = 28;
    private const ushort ClassInternet = 1;

    /// <summary>Reads a message.</summary>
    /// <returns>Null for what is no successful answer to one question of class IN about a host name. Of a message that is cut off, the records that are whole.</returns>
    public static DnsAnswer? Read(ReadOnlySpan<byte> message)
    {
        // QR set, opcode 0; RCODE 0; one question.
        if (message.Length < HeaderLength || (message[2] & 0xf8) != 0x80 || (message[3] & 0x0f) != 0 || BinaryPrimitives.ReadUInt16BigEndian(message[4..]) != 1)
        {
            return null;
        }

        var at = HeaderLength;
        if (!DnsWireName.TryRead(message, ref at, out var asked) || asked is null || at + 4 > message.Length
            || BinaryPrimitives.ReadUInt16BigEndian(message[(at + 2)..]) != ClassInternet)
        {
            return null;
        }

        at += 4;
        var aliases = new Dictionary<string, (string Target, uint Life)>(StringComparer.Ordinal);
        var found = new List<(string Owner, ResolvedAddress Address)>();
        var count = Math.Min((int)BinaryPrimitives.ReadUInt16BigEndian(message[6..]), MostRecords);
        for (var i = 0; i < count && TryReadRecord(message, ref at, aliases, found); i++)
        {
        }

        return new DnsAnswer(asked, Follow(asked, aliases, found));
    }

    private static bool TryReadRecord(
        ReadOnlySpan<byte> message, ref int at, Dictionary<string, (string Target, uint Life)> aliases, List<(string Owner, ResolvedAddress Address)> found)
    {
        if (!DnsWireName.TryRead(message, ref at, out var owner) || at + 10 > message.Length)
        {
            return false;
        }

        var type = BinaryPrimitives.ReadUInt16BigEndian(message[at..]);
        var isInternet = BinaryPrimitives.ReadUInt16BigEndian(message[(at + 2)..]) == ClassInternet;
        var life = BinaryPrimitives.ReadUInt32BigEndian(message[(at + 4)..]);
        var length = BinaryPrimitives.ReadUInt16BigEndian(message[(at + 8)..]);
        var data = at + 10;
        if (data + length > message.Length)
        {
            return false;
        }

        at = data + length;
        if (owner is null || !isInternet)
        {
            return true;
        }

        // A TTL with its first bit set is 0 (RFC 2181 section 8).
        life = life > int.MaxValue ? 0 : life;
        var target = data;
        if ((type == TypeA && length == 4) || (type == TypeAaaa && length == 16))
        {
            found.Add((owner, new ResolvedAddress(new IPAddress(message.Slice(data, length)), life)));
        }
        else if (type == TypeCname && DnsWireName.TryRead(message, ref target, out var name) && name is not null && target == at)
        {
            aliases.TryAdd(owner, (name, life));
        }

        return true;
    }

    /// <summary>An address lives as long as the shortest record on the way to it.</summary>
    private static List<ResolvedAddress> Follow(
        string name, Dictionary<string, (string Target, uint Life)> aliases, List<(string Owner, ResolvedAddress Address)> found)
    {
        var lives = new Dictionary<string, uint>(StringComparer.Ordinal) { [name] = uint.MaxValue };
        var (current, life) = (name, uint.MaxValue);
        while (lives.Count <= LongestChain && aliases.TryGetValue(current, out var alias))
        {
            life = Math.Min(life, alias.Life);
            if (!lives.TryAdd(alias.Target, life))
            {
                break;
            }

            current = alias.Target;
        }

        return
        [
            .. found.Where(f => lives.ContainsKey(f.Owner))
                .Select(f => f.Address with { Life = Math.Min(f.Address.Life, lives[f.Owner]) })
                .DistinctBy(a => a.Address)
                .Take(MostAddresses),
        ];
    }
}

/// <summary>An address that a name has.</summary>
/// <param name="Address">IPv4 or IPv6.</param>
/// <param name="Life">Seconds that it may be used for.</param>
public readonly record struct ResolvedAddress(IPAddress Address, uint Life);
