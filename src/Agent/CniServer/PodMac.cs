using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Weft.Agent.CniServer;

/// <summary>The MAC address of a pod that nobody chose one for (docs/design/data-flow.md): computed, so that every node knows it from the address.</summary>
public static class PodMac
{
    /// <summary><c>0a:58</c> and the four bytes of the IPv4 address, or four bytes of the hash of the IPv6 address.</summary>
    /// <param name="addresses">The pod's addresses, IPv4 first.</param>
    public static string For(IReadOnlyList<IPAddress> addresses)
    {
        ArgumentNullException.ThrowIfNull(addresses);
        var first = addresses.FirstOrDefault(a => a.AddressFamily == AddressFamily.InterNetwork) ?? addresses[0];
        var bytes = first.GetAddressBytes();
        var tail = bytes.Length == 4 ? bytes : SHA256.HashData(bytes)[..4];
        return Format([0x0a, 0x58, .. tail]);
    }

    /// <summary>Lower case with colons.</summary>
    /// <exception cref="CniException">It is no unicast MAC address.</exception>
    internal static string Normalize(string text) =>
        PhysicalAddress.TryParse(text, out var mac) && mac.GetAddressBytes() is { Length: 6 } bytes && (bytes[0] & 1) == 0
            ? Format(bytes)
            : throw new CniException(
                CniErrorCode.InvalidConfiguration, $"'{text}' is no unicast MAC address such as 0a:58:0a:00:00:05", "correct the pod's MAC address");

    internal static string Format(ReadOnlySpan<byte> mac) => string.Join(':', Convert.ToHexStringLower(mac).Chunk(2).Select(c => new string(c)));
}
