using Weft.OpenFlow.Fields;

namespace Weft.OpenFlow.Text.Checks;

/// <summary>What prerequisites of fields and actions look at: the values that a match fixes, and what the actions so far made of them.</summary>
internal sealed record FlowShape
{
    private const uint ImpliesConnection = 0x01 | 0x02 | 0x04 | 0x08 | 0x40 | 0x80;
    private const uint Invalid = 0x10;
    private const uint Tracked = 0x20;
    private const int VlanPresent = 0x1000;
    private const int FragmentLater = 2;

    /// <summary>Namespace and type; 0 is Ethernet.</summary>
    public uint PacketType { get; set; }

    public ushort EthType { get; set; }

    public byte IpProto { get; set; }

    /// <summary>ICMP type, or source port.</summary>
    public ushort Source { get; set; }

    /// <summary>ICMP code, or destination port.</summary>
    public ushort Target { get; set; }

    public ushort VlanTci { get; set; }

    public ushort InnerVlanTci { get; set; }

    public byte Fragment { get; set; }

    public uint CtState { get; set; }

    public uint CtStateMask { get; set; }

    /// <summary>Which bits of a cookie the match asks for, which only NXT_FLOW_MOD does.</summary>
    public ulong CookieMask { get; set; }

    /// <summary>The match names addresses of the original tuple: IPv4, IPv6.</summary>
    public bool HasCtIPv4 { get; set; }

    public bool HasCtIPv6 { get; set; }

    public bool IsEthernet => PacketType == 0;

    /// <summary>The type that decides how what follows reads.</summary>
    public ushort Layer3 => PacketType >> 16 == 1 ? (ushort)PacketType : EthType;

    public bool IsIP => Layer3 is 0x0800 or 0x86dd;

    public bool IsMpls => Layer3 is 0x8847 or 0x8848;

    public bool HasVlan => IsEthernet && (VlanTci & VlanPresent) != 0;

    /// <summary>The packet belongs to a connection (is_ct_valid in OVS's flow.h).</summary>
    public bool IsConnection => (CtState & ImpliesConnection) != 0 || ((CtState & Tracked) != 0 && (CtStateMask & ~CtState & Invalid) != 0);

    /// <summary>True when a field with this prerequisite exists in such packets.</summary>
    public bool Meets(Prerequisite prerequisite) => prerequisite switch
    {
        Prerequisite.Ethernet => IsEthernet,
        Prerequisite.VlanVid => HasVlan,
        Prerequisite.Arp => Layer3 is 0x0806 or 0x8035,
        Prerequisite.IPv4 => Layer3 == 0x0800,
        Prerequisite.IPv6 => Layer3 == 0x86dd,
        Prerequisite.IPAny => IsIP,
        Prerequisite.Mpls => IsMpls,
        Prerequisite.Nsh => Layer3 == 0x894f,
        Prerequisite.Tcp => IsFirst(6),
        Prerequisite.Udp => IsFirst(17),
        Prerequisite.Sctp => IsFirst(132),
        Prerequisite.Icmpv4 => Layer3 == 0x0800 && IpProto == 1,
        Prerequisite.Icmpv6 => Layer3 == 0x86dd && IpProto == 58,
        Prerequisite.Nd => IsNeighbor && Source is 135 or 136,
        Prerequisite.NdSolicit => IsNeighbor && Source == 135,
        Prerequisite.NdAdvert => IsNeighbor && Source == 136,
        Prerequisite.Conntrack => IsConnection,
        _ => true,
    };

    public void PushVlan() => (InnerVlanTci, VlanTci) = (VlanTci, VlanPresent);

    public void PopVlan() => (VlanTci, InnerVlanTci) = (InnerVlanTci, 0);

    private bool IsNeighbor => Layer3 == 0x86dd && IpProto == 58 && Target == 0;

    private bool IsFirst(byte proto) => IsIP && IpProto == proto && (Fragment & FragmentLater) == 0;
}
