using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Weft.Agent.Host.Netlink;

/// <summary>An address with the length of its subnet's prefix, for example <c>10.244.1.5/24</c>.</summary>
/// <param name="Address">IPv4 or IPv6, without scope.</param>
/// <param name="PrefixLength">0 to 32 or 128.</param>
public readonly record struct InterfaceAddress(IPAddress Address, int PrefixLength)
{
    /// <summary>AF_INET or AF_INET6.</summary>
    internal byte Family => Address.AddressFamily == AddressFamily.InterNetworkV6 ? (byte)LinuxNative.AfInet6 : (byte)LinuxNative.AfInet;

    /// <summary>The subnet: the same with all bits behind the prefix zero.</summary>
    public InterfaceAddress Network
    {
        get
        {
            var bytes = Address.GetAddressBytes();
            for (var bit = PrefixLength; bit < bytes.Length * 8; bit++)
            {
                bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
            }

            return this with { Address = new IPAddress(bytes) };
        }
    }

    /// <summary>Reads <c>address/length</c>.</summary>
    /// <exception cref="FormatException">The text is something else; the message says what it is.</exception>
    public static InterfaceAddress Parse(string text) =>
        TryParse(text, out var address) ? address : throw new FormatException($"'{text}' is not an address with a prefix length such as 10.244.1.5/24");

    /// <summary>Reads <c>address/length</c>.</summary>
    public static bool TryParse(string? text, out InterfaceAddress address)
    {
        address = default;
        var slash = text?.IndexOf('/', StringComparison.Ordinal) ?? -1;
        if (slash <= 0
            || !IPAddress.TryParse(text.AsSpan(0, slash), out var ip)
            || (ip.AddressFamily == AddressFamily.InterNetworkV6 && ip.ScopeId != 0)
            || !int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var length)
            || length > (ip.AddressFamily == AddressFamily.InterNetworkV6 ? 128 : 32))
        {
            return false;
        }

        address = new InterfaceAddress(ip, length);
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Address}/{PrefixLength}";
}
