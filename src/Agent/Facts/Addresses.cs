using System.Buffers.Binary;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Weft.Agent.Facts;

/// <summary>Arithmetic on addresses.</summary>
public static class Addresses
{
    /// <summary>The first address after the network's own: <c>10.244.1.0/24</c> gives <c>10.244.1.1</c>.</summary>
    public static IPAddress First(IPNetwork cidr)
    {
        Span<byte> bytes = stackalloc byte[16];
        cidr.BaseAddress.TryWriteBytes(bytes, out var length);
        bytes[length - 1]++;
        return new IPAddress(bytes[..length]);
    }

    /// <summary>True for IPv6.</summary>
    public static bool IsV6(this IPAddress address) => address.AddressFamily == AddressFamily.InterNetworkV6;

    /// <summary>The link-local IPv6 address that a MAC gives (RFC 4291 appendix A, modified EUI-64).</summary>
    public static IPAddress LinkLocal(PhysicalAddress mac)
    {
        var m = mac.GetAddressBytes();
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        (bytes[0], bytes[1]) = (0xfe, 0x80);
        (bytes[8], bytes[9], bytes[10], bytes[11]) = ((byte)(m[0] ^ 2), m[1], m[2], 0xff);
        (bytes[12], bytes[13], bytes[14], bytes[15]) = (0xfe, m[3], m[4], m[5]);
        return new IPAddress(bytes);
    }

    /// <summary>An IPv4 address as a number in host order.</summary>
    public static uint ToUInt32(this IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[4];
        return address.TryWriteBytes(bytes, out _)
            ? BinaryPrimitives.ReadUInt32BigEndian(bytes)
            : throw new ArgumentException($"{address} is not an IPv4 address", nameof(address));
    }
}
