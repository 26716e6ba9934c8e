using System.Globalization;
using System.Net;

namespace Weft.Lab.ApiServer;

/// <summary>An address with a prefix length; unlike <see cref="IPNetwork"/> it may have host bits, as in Kubernetes' CIDR library.</summary>
internal sealed record CelCidr(IPAddress Address, int PrefixLength)
{
    /// <summary>Only the plain forms: no zones, no leading zeros, no IPv4 in IPv6.</summary>
    public static bool TryAddress(string text, out IPAddress? address)
    {
        address = null;
        var isIpv6 = text.Contains(':');
        if (isIpv6 ? text.Contains('%') || text.Contains('.') || text.Contains('[')
            : text.Split('.') is not { Length: 4 } parts || parts.Any(p => p.Length is 0 or > 3 || (p.Length > 1 && p[0] == '0') || !p.All(char.IsAsciiDigit)))
        {
            return false;
        }

        return IPAddress.TryParse(text, out address);
    }

    public static bool TryParse(string text, out CelCidr? cidr)
    {
        cidr = null;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0 || !TryAddress(text[..slash], out var address)
            || !int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var length)
            || length > address!.GetAddressBytes().Length * 8)
        {
            return false;
        }

        cidr = new CelCidr(address, length);
        return true;
    }

    public CelCidr Masked()
    {
        var bytes = Address.GetAddressBytes();
        for (var bit = PrefixLength; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        }

        return this with { Address = new IPAddress(bytes) };
    }

    public bool Contains(IPAddress address) =>
        address.AddressFamily == Address.AddressFamily && new CelCidr(address, PrefixLength).Masked().Address.Equals(Masked().Address);

    public bool Contains(CelCidr other) => other.PrefixLength >= PrefixLength && Contains(other.Address);

    public override string ToString() => $"{Address}/{PrefixLength}";
}
