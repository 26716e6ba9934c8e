using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Weft.Agent.Host.Netlink;

namespace Weft.Agent.CniServer.Leases;

/// <summary>The addresses of a CIDR that pods may have: all but the network's, the gateway's and, for IPv4, the broadcast address.</summary>
public sealed class AddressRange
{
    private readonly UInt128 _gateway;

    /// <summary>Reads a range.</summary>
    /// <exception cref="LeaseException">CIDR or gateway cannot be used; the message says which and why.</exception>
    public AddressRange(string cidr, string gateway)
    {
        Cidr = cidr;
        if (!InterfaceAddress.TryParse(cidr, out var network))
        {
            throw new LeaseException($"pod CIDR '{cidr}' is no CIDR: correct spec.podCIDRs of the node");
        }

        Family = network.Address.AddressFamily;
        Bits = Family == AddressFamily.InterNetwork ? 32 : 128;
        PrefixLength = network.PrefixLength;
        var size = Bits - PrefixLength;
        var mask = size == 128 ? UInt128.MaxValue : (UInt128.One << size) - 1;
        var start = ToNumber(network.Address) & ~mask;
        var end = start + mask;

        // /31, /32, /127 and /128 have no network or broadcast address (RFC 3021, RFC 6164).
        First = size >= 2 ? start + 1 : start;
        Last = size >= 2 && Family == AddressFamily.InterNetwork ? end - 1 : end;
        if (!IPAddress.TryParse(gateway, out var address) || address.AddressFamily != Family || ToNumber(address) < start || ToNumber(address) > end)
        {
            throw new LeaseException($"gateway '{gateway}' is not an address of {cidr}: correct the subnet's gateway");
        }

        Gateway = address;
        _gateway = ToNumber(address);
    }

    public string Cidr { get; }

    public IPAddress Gateway { get; }

    public AddressFamily Family { get; }

    public int PrefixLength { get; }

    /// <summary>The number of addresses for pods.</summary>
    public UInt128 Capacity => Last - First + 1 - (_gateway >= First && _gateway <= Last ? UInt128.One : UInt128.Zero);

    private int Bits { get; }

    private UInt128 First { get; }

    private UInt128 Last { get; }

    /// <summary>Whether a pod may have this address.</summary>
    public bool Allows(IPAddress address) => Contains(address) && ToNumber(address) != _gateway;

    /// <summary>Whether the address is one of the range's, the gateway's included.</summary>
    public bool Contains(IPAddress address) => address.AddressFamily == Family && ToNumber(address) is var n && n >= First && n <= Last;

    /// <summary>The next free address after <paramref name="cursor"/>, around the end (round robin); null when none is free.</summary>
    public IPAddress? NextFree(IPAddress? cursor, Func<IPAddress, bool> isTaken, long taken)
    {
        var candidate = cursor is not null && Contains(cursor) ? ToNumber(cursor) : Last;

        // Among taken + 2 different addresses (2: one may be the gateway) at least one is free, if there are that many.
        var limit = UInt128.Min(Last - First + 1, (UInt128)taken + 2);
        for (UInt128 tried = 0; tried < limit; tried++)
        {
            candidate = candidate == Last ? First : candidate + 1;
            if (candidate != _gateway && ToAddress(candidate) is var address && !isTaken(address))
            {
                return address;
            }
        }

        return null;
    }

    private static UInt128 ToNumber(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out var length);
        return length == 4 ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt128BigEndian(bytes);
    }

    private IPAddress ToAddress(UInt128 number)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, number);
        return new IPAddress(Family == AddressFamily.InterNetwork ? bytes[12..] : bytes);
    }
}
