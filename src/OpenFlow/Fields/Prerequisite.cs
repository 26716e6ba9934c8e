namespace Weft.OpenFlow.Fields;

/// <summary>What else a match must say before it may name a field (the "Prerequisites" of meta-flow.h).</summary>
public enum Prerequisite
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>An Ethernet packet (every packet that OpenFlow 1.3 knows).</summary>
    Ethernet,

    /// <summary>A VLAN tag.</summary>
    VlanVid,

    /// <summary>eth_type 0x0806 or 0x8035.</summary>
    Arp,

    /// <summary>eth_type 0x0800.</summary>
    IPv4,

    /// <summary>eth_type 0x86dd.</summary>
    IPv6,

    /// <summary>eth_type 0x0800 or 0x86dd.</summary>
    IPAny,

    /// <summary>eth_type 0x8847 or 0x8848.</summary>
    Mpls,

    /// <summary>eth_type 0x894f.</summary>
    Nsh,

    /// <summary>ct_state with trk and an IP eth_type.</summary>
    Conntrack,

    /// <summary>IP, nw_proto 6.</summary>
    Tcp,

    /// <summary>IP, nw_proto 17.</summary>
    Udp,

    /// <summary>IP, nw_proto 132.</summary>
    Sctp,

    /// <summary>IPv4, nw_proto 1.</summary>
    Icmpv4,

    /// <summary>IPv6, nw_proto 58.</summary>
    Icmpv6,

    /// <summary>ICMPv6 type 135 or 136.</summary>
    Nd,

    /// <summary>ICMPv6 type 135.</summary>
    NdSolicit,

    /// <summary>ICMPv6 type 136.</summary>
    NdAdvert,
}
