using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Numerics;

namespace Weft.Lab.ApiServer;

/// <summary>A range of addresses with arithmetic on them.</summary>
public sealed record CidrRange
{
    private CidrRange(IPNetwork network)
    {
        Network = network;
        First = ToNumber(network.BaseAddress);
    }

    public IPNetwork Network { get; }

    public bool IsIpv6 => Network.BaseAddress.AddressFamily == AddressFamily.InterNetworkV6;

    public int Bits => IsIpv6 ? 128 : 32;

    /// <summary>How many addresses the range has.</summary>
    public BigInteger Size => BigInteger.One << (Bits - Network.PrefixLength);

    private BigInteger First { get; }

    /// <summary>Reads "10.0.0.0/8,fd00::/64": at least one range, at most one per family.</summary>
    /// <exception cref="ArgumentException">The text is something else; the message starts with <paramref name="field"/>.</exception>
    public static ImmutableArray<CidrRange> ParseList(string field, string text)
    {
        var ranges = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(t => CelCidr.TryParse(t, out var cidr) && cidr!.Masked() == cidr ? new CidrRange(new IPNetwork(cidr.Address, cidr.PrefixLength))
                : throw new ArgumentException($"{field} {t}: not a range; give for example 10.96.0.0/16, host bits zero"))
            .ToImmutableArray();
        return ranges.Length is 1 or 2 && ranges.DistinctBy(r => r.IsIpv6).Count() == ranges.Length ? ranges
            : throw new ArgumentException($"{field} {text}: give one range, or one IPv4 and one IPv6 range with a comma between");
    }

    public bool Contains(IPAddress address) => Network.Contains(address);

    /// <summary>The address at <paramref name="index"/>; 0 is the network's own.</summary>
    public IPAddress Address(BigInteger index) => FromNumber(First + index, Bits);

    public BigInteger IndexOf(IPAddress address) => ToNumber(address) - First;

    /// <summary>The <paramref name="index"/>th smaller range of <paramref name="prefixLength"/> bits inside this one.</summary>
    public IPNetwork Subnet(int prefixLength, BigInteger index) =>
        new(FromNumber(First + (index << (Bits - prefixLength)), Bits), prefixLength);

    /// <summary>How many ranges of <paramref name="prefixLength"/> bits fit.</summary>
    public BigInteger SubnetCount(int prefixLength) =>
        prefixLength < Network.PrefixLength ? BigInteger.Zero : BigInteger.One << (prefixLength - Network.PrefixLength);

    public override string ToString() => Network.ToString();

    private static BigInteger ToNumber(IPAddress address) => new(address.GetAddressBytes(), isUnsigned: true, isBigEndian: true);

    private static IPAddress FromNumber(BigInteger value, int bits)
    {
        var bytes = new byte[bits / 8];
        var raw = value.ToByteArray(isUnsigned: true, isBigEndian: true);
        raw.CopyTo(bytes, bytes.Length - raw.Length);
        return new IPAddress(bytes);
    }
}
