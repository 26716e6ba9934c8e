using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Weft.Controller.Allocation;

/// <summary>A contiguous range of addresses of one family, both ends included.</summary>
/// <param name="First">The first address as a number.</param>
/// <param name="Last">The last.</param>
/// <param name="IsV6">The family.</param>
public readonly record struct AddressRange(UInt128 First, UInt128 Last, bool IsV6)
{
    /// <summary>Reads a CIDR (<c>10.0.0.0/24</c>), an address (<c>10.0.0.1</c>) or two (<c>10.0.0.1-10.0.0.9</c>, also <c>10.0.0.1..10.0.0.9</c>).</summary>
    /// <returns>False when it is none of these.</returns>
    public static bool TryParse(string? text, out AddressRange range)
    {
        range = default;
        if (string.IsNullOrWhiteSpace(text))
        {
            return false;
        }

        if (text.Split('/') is [var address, var length])
        {
            return TryNumber(address, out var number, out var isV6) && byte.TryParse(length, System.Globalization.NumberStyles.None, null, out var bits)
                && bits <= (isV6 ? 128 : 32) && Set(OfPrefix(number, bits, isV6), out range);
        }

        var ends = text.Contains("..", StringComparison.Ordinal) ? text.Split("..") : text.Split('-');
        return ends.Length <= 2 && TryNumber(ends[0], out var first, out var firstIsV6) && TryNumber(ends[^1], out var last, out var lastIsV6)
            && firstIsV6 == lastIsV6 && first <= last && Set(new AddressRange(first, last, firstIsV6), out range);
    }

    /// <summary>Reads an address in any form.</summary>
    public static bool TryNumber(string text, out UInt128 number, out bool isV6)
    {
        (number, isV6) = (0, false);
        if (!IPAddress.TryParse(text.Trim(), out var address) || (address.AddressFamily == AddressFamily.InterNetwork && text.Count(c => c == '.') != 3))
        {
            return false;
        }

        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        isV6 = address.AddressFamily == AddressFamily.InterNetworkV6;
        address.TryWriteBytes(isV6 ? bytes : bytes[12..], out _);
        number = BinaryPrimitives.ReadUInt128BigEndian(bytes);
        return true;
    }

    /// <summary>An address as text, canonical.</summary>
    public static string ToText(UInt128 number, bool isV6)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, number);
        return new IPAddress(isV6 ? bytes : bytes[12..]).ToString();
    }

    /// <summary>Whether the address lies within.</summary>
    public bool Contains(UInt128 number, bool isV6) => isV6 == IsV6 && number >= First && number <= Last;

    /// <summary>Whether any address is in both.</summary>
    public bool Overlaps(AddressRange other) => IsV6 == other.IsV6 && First <= other.Last && other.First <= Last;

    /// <summary>The addresses that a host may have: of an IPv4 subnet of at most /30 without the network's own and the broadcast address, of an
    /// IPv6 subnet of at most /126 without the anycast address of routers (RFC 4291, 2.6.1).</summary>
    public AddressRange Hosts() => Last - First < 3 ? this : new AddressRange(First + 1, IsV6 ? Last : Last - 1, IsV6);

    /// <inheritdoc/>
    public override string ToString() => $"{ToText(First, IsV6)}-{ToText(Last, IsV6)}";

    private static bool Set(AddressRange value, out AddressRange range)
    {
        range = value;
        return true;
    }

    private static AddressRange OfPrefix(UInt128 number, int bits, bool isV6)
    {
        var hostBits = (isV6 ? 128 : 32) - bits;
        var hosts = hostBits == 128 ? UInt128.MaxValue : (UInt128.One << hostBits) - 1;
        return new AddressRange(number & ~hosts, (number & ~hosts) + hosts, isV6);
    }
}
