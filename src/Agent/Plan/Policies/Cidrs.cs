using System.Buffers.Binary;
using System.Net;
using Weft.Agent.Facts;
using Weft.Topology;

namespace Weft.Agent.Plan.Policies;

/// <summary>Ranges of addresses as prefixes.</summary>
public static class Cidrs
{
    /// <summary>The fewest prefixes that cover <paramref name="cidr"/> without <paramref name="except"/>.</summary>
    /// <remarks>Exceptions that lie outside, or are of the other family, take nothing away. At most 32 (IPv4) or 128 (IPv6) prefixes for each exception.</remarks>
    public static IEnumerable<IPNetwork> Without(IPNetwork cidr, IEnumerable<IPNetwork> except)
    {
        var bits = cidr.BaseAddress.IsV6() ? 128 : 32;
        var inside = except
            .Where(e => e.BaseAddress.AddressFamily == cidr.BaseAddress.AddressFamily)
            .Select(e => (Base: ToBits(e.BaseAddress), e.PrefixLength))
            .ToList();
        return Split(ToBits(cidr.BaseAddress), cidr.PrefixLength, bits, inside);
    }

    /// <summary>Whether an address is in a block and in none of its exceptions. A block of the other family, or none, has no addresses.</summary>
    public static bool Contains(IpBlock block, IPAddress address)
    {
        bool In(string text) => IPNetwork.TryParse(text, out var range) && range.BaseAddress.AddressFamily == address.AddressFamily && range.Contains(address);
        return In(block.Cidr) && !block.Except.Any(In);
    }

    /// <summary>Value-and-mask pairs that together match the ports from <paramref name="first"/> to <paramref name="last"/>, 0 to 65535 both; none when they are the wrong way round.</summary>
    /// <exception cref="ArgumentOutOfRangeException">One of them is no port.</exception>
    public static IEnumerable<(ushort Value, ushort Mask)> PortMasks(int first, int last)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(last, ushort.MaxValue);
        while (first <= last)
        {
            var size = first == 0 ? 0x10000 : first & -first;
            while (first + size - 1 > last)
            {
                size >>= 1;
            }

            yield return ((ushort)first, (ushort)~(size - 1));
            first += size;
        }
    }

    private static IEnumerable<IPNetwork> Split(UInt128 address, int length, int bits, List<(UInt128 Base, int PrefixLength)> except)
    {
        if (except.Any(e => e.PrefixLength <= length && SamePrefix(e.Base, address, e.PrefixLength, bits)))
        {
            return [];
        }

        var inside = except.Where(e => SamePrefix(e.Base, address, length, bits)).ToList();
        if (inside.Count == 0)
        {
            return [new IPNetwork(ToAddress(address, bits), length)];
        }

        var upper = address | (UInt128.One << (bits - length - 1));
        return Split(address, length + 1, bits, inside).Concat(Split(upper, length + 1, bits, inside));
    }

    private static bool SamePrefix(UInt128 a, UInt128 b, int length, int bits) => length == 0 || (a ^ b) >> (bits - length) == 0;

    private static UInt128 ToBits(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out var written);
        return written == 4 ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    private static IPAddress ToAddress(UInt128 value, int bits)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, value);
        return new IPAddress(bits == 32 ? bytes[12..] : bytes);
    }
}
