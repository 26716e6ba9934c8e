using System.Net;
using Weft.Agent.Facts;
using Weft.OpenFlow.Fields;

namespace Weft.Agent.Plan.Pipeline;

/// <summary>Conditions on packets, by the names of ovs-fields(7).</summary>
public static class Packets
{
    public static readonly FieldMatch Arp = Fields.EthType.Is(0x0806);
    public static readonly FieldMatch Ip = Fields.EthType.Is(0x0800);
    public static readonly FieldMatch Ipv6 = Fields.EthType.Is(0x86dd);
    public static readonly FieldMatch Icmp6 = Fields.IpProto.Is(58);

    /// <summary>Neighbour solicitation, RFC 4861 section 4.3.</summary>
    public static readonly FieldMatch NeighbourSolicitation = Fields.Icmpv6Type.Is(135);

    /// <summary><c>ip</c> or <c>ipv6</c>, as the address is.</summary>
    public static FieldMatch Family(IPAddress address) => address.IsV6() ? Ipv6 : Ip;

    /// <summary>The packet's source is this address.</summary>
    public static FieldMatch From(IPAddress address) => address.IsV6() ? Fields.IPv6Src.Is(address) : Fields.IPv4Src.Is(address);

    /// <summary>The packet's destination is this address.</summary>
    public static FieldMatch To(IPAddress address) => address.IsV6() ? Fields.IPv6Dst.Is(address) : Fields.IPv4Dst.Is(address);

    /// <summary>The packet's destination is in this range.</summary>
    public static FieldMatch To(IPNetwork cidr) => cidr.BaseAddress.IsV6()
        ? Fields.IPv6Dst.Is(cidr.BaseAddress, cidr.PrefixLength)
        : Fields.IPv4Dst.Is(cidr.BaseAddress, cidr.PrefixLength);

    /// <summary>The packet's source is in this range.</summary>
    public static FieldMatch From(IPNetwork cidr) => cidr.BaseAddress.IsV6()
        ? Fields.IPv6Src.Is(cidr.BaseAddress, cidr.PrefixLength)
        : Fields.IPv4Src.Is(cidr.BaseAddress, cidr.PrefixLength);
}
