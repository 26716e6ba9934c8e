using System.Net;

namespace Weft.OpenFlow.Fields;

/// <summary>Every match field that Open vSwitch 3.x knows on an OpenFlow 1.3 connection: the only place where they are listed.</summary>
/// <remarks>
/// The order is the one in which Open vSwitch writes a match (nx_put_raw in its nx-match.c) and is the canonical order of
/// <see cref="Match"/>; the last ones are other spellings of fields above. Meanings: ovs-fields(7).
/// Each line: name, width, header in Nicira actions, header in OpenFlow 1.3 where it differs, mask, format, prerequisite, writable.
/// </remarks>
public static partial class Fields
{
    private const bool Mask = true;
    private const bool NoMask = false;
    private const bool Writable = true;
    private const bool ReadOnly = false;
    internal static readonly List<Field> Declared = [];
    internal static readonly List<(string Name, Field Field)> OxmNames = [];

    /// <summary>Namespace and type of the outermost header; 0 is Ethernet.</summary>
    public static readonly Field<uint> PacketType = U32("packet_type", 32, new("OXM_OF_PACKET_TYPE", FieldClass.Basic, 44), null, NoMask, FieldFormat.PacketType, Prerequisite.None, ReadOnly);

    /// <summary>The datapath's flow hash.</summary>
    public static readonly Field<uint> DpHash = U32("dp_hash", 32, new("NXM_NX_DP_HASH", FieldClass.Nxm1, 35), null, Mask, FieldFormat.Hexadecimal, Prerequisite.None, ReadOnly);

    /// <summary>Recirculation id; internal to the switch.</summary>
    public static readonly Field<uint> RecircId = U32("recirc_id", 32, new("NXM_NX_RECIRC_ID", FieldClass.Nxm1, 36), null, NoMask, FieldFormat.Decimal, Prerequisite.None, ReadOnly);

    /// <summary>Id of a conjunctive match (ovs-fields(7)).</summary>
    public static readonly Field<uint> ConjId = U32("conj_id", 32, new("NXM_NX_CONJ_ID", FieldClass.Nxm1, 37), null, NoMask, FieldFormat.Decimal, Prerequisite.None, ReadOnly);

    /// <summary>Ingress port, 32-bit OpenFlow 1.1+ number.</summary>
    public static readonly Field<uint> InPort = U32("in_port", 32, new("OXM_OF_IN_PORT", FieldClass.Basic, 0), null, NoMask, FieldFormat.Port, Prerequisite.None, Writable);

    /// <summary>Port that the action set outputs to.</summary>
    public static readonly Field<uint> ActsetOutput = U32("actset_output", 32, new("ONFOXM_ET_ACTSET_OUTPUT", FieldClass.Onf, 43), null, NoMask, FieldFormat.Port, Prerequisite.None, ReadOnly);

    /// <summary>Ethernet source.</summary>
    public static readonly Field<MacAddress> EthSrc = Mac("eth_src", new("NXM_OF_ETH_SRC", FieldClass.Nxm0, 2), new("OXM_OF_ETH_SRC", FieldClass.Basic, 4), Prerequisite.Ethernet, Writable);

    /// <summary>Ethernet destination.</summary>
    public static readonly Field<MacAddress> EthDst = Mac("eth_dst", new("NXM_OF_ETH_DST", FieldClass.Nxm0, 1), new("OXM_OF_ETH_DST", FieldClass.Basic, 3), Prerequisite.Ethernet, Writable);

    /// <summary>Ethernet type after any VLAN tags.</summary>
    public static readonly Field<ushort> EthType = U16("eth_type", 16, new("NXM_OF_ETH_TYPE", FieldClass.Nxm0, 3), new("OXM_OF_ETH_TYPE", FieldClass.Basic, 5), NoMask, FieldFormat.Hexadecimal, Prerequisite.Ethernet, ReadOnly);

    /// <summary>VLAN id with bit 12 = a tag is present (OpenFlow 1.2+).</summary>
    public static readonly Field<ushort> VlanVid = U16("vlan_vid", 13, new("OXM_OF_VLAN_VID", FieldClass.Basic, 6), null, Mask, FieldFormat.Decimal, Prerequisite.Ethernet, Writable);

    /// <summary>VLAN priority.</summary>
    public static readonly Field<byte> VlanPcp = U8("vlan_pcp", 3, new("OXM_OF_VLAN_PCP", FieldClass.Basic, 7), null, NoMask, FieldFormat.Decimal, Prerequisite.VlanVid, Writable);

    /// <summary>MPLS traffic class.</summary>
    public static readonly Field<byte> MplsTc = U8("mpls_tc", 3, new("OXM_OF_MPLS_TC", FieldClass.Basic, 35), null, NoMask, FieldFormat.Decimal, Prerequisite.Mpls, Writable);

    /// <summary>MPLS bottom of stack.</summary>
    public static readonly Field<byte> MplsBos = U8("mpls_bos", 1, new("OXM_OF_MPLS_BOS", FieldClass.Basic, 36), null, NoMask, FieldFormat.Decimal, Prerequisite.Mpls, ReadOnly);

    /// <summary>MPLS time to live.</summary>
    public static readonly Field<byte> MplsTtl = U8("mpls_ttl", 8, new("NXM_NX_MPLS_TTL", FieldClass.Nxm1, 30), null, NoMask, FieldFormat.Decimal, Prerequisite.Mpls, Writable);

    /// <summary>MPLS label.</summary>
    public static readonly Field<uint> MplsLabel = U32("mpls_label", 20, new("OXM_OF_MPLS_LABEL", FieldClass.Basic, 34), null, NoMask, FieldFormat.Decimal, Prerequisite.Mpls, Writable);

    /// <summary>IPv4 source.</summary>
    public static readonly Field<IPAddress> IPv4Src = V4("ip_src", new("NXM_OF_IP_SRC", FieldClass.Nxm0, 7), new("OXM_OF_IPV4_SRC", FieldClass.Basic, 11), Prerequisite.IPv4, Writable);

    /// <summary>IPv4 destination.</summary>
    public static readonly Field<IPAddress> IPv4Dst = V4("ip_dst", new("NXM_OF_IP_DST", FieldClass.Nxm0, 8), new("OXM_OF_IPV4_DST", FieldClass.Basic, 12), Prerequisite.IPv4, Writable);

    /// <summary>IPv6 source.</summary>
    public static readonly Field<IPAddress> IPv6Src = V6("ipv6_src", new("NXM_NX_IPV6_SRC", FieldClass.Nxm1, 19), new("OXM_OF_IPV6_SRC", FieldClass.Basic, 26), Prerequisite.IPv6, Writable);

    /// <summary>IPv6 destination.</summary>
    public static readonly Field<IPAddress> IPv6Dst = V6("ipv6_dst", new("NXM_NX_IPV6_DST", FieldClass.Nxm1, 20), new("OXM_OF_IPV6_DST", FieldClass.Basic, 27), Prerequisite.IPv6, Writable);

    /// <summary>Bit 0: any fragment, bit 1: not the first.</summary>
    public static readonly Field<byte> IpFrag = U8("ip_frag", 2, new("NXM_NX_IP_FRAG", FieldClass.Nxm1, 26), null, Mask, FieldFormat.Fragment, Prerequisite.IPAny, ReadOnly);

    /// <summary>Differentiated services code point.</summary>
    public static readonly Field<byte> IpDscp = U8("ip_dscp", 6, new("OXM_OF_IP_DSCP", FieldClass.Basic, 8), null, NoMask, FieldFormat.Decimal, Prerequisite.IPAny, Writable);

    /// <summary>Explicit congestion notification.</summary>
    public static readonly Field<byte> IpEcn = U8("nw_ecn", 2, new("NXM_NX_IP_ECN", FieldClass.Nxm1, 28), new("OXM_OF_IP_ECN", FieldClass.Basic, 9), NoMask, FieldFormat.Decimal, Prerequisite.IPAny, Writable);

    /// <summary>IP time to live or hop limit.</summary>
    public static readonly Field<byte> IpTtl = U8("nw_ttl", 8, new("NXM_NX_IP_TTL", FieldClass.Nxm1, 29), null, NoMask, FieldFormat.Decimal, Prerequisite.IPAny, Writable);

    /// <summary>IPv6 flow label.</summary>
    public static readonly Field<uint> IPv6Label = U32("ipv6_label", 20, new("NXM_NX_IPV6_LABEL", FieldClass.Nxm1, 27), new("OXM_OF_IPV6_FLABEL", FieldClass.Basic, 28), Mask, FieldFormat.Hexadecimal, Prerequisite.IPv6, Writable);

    /// <summary>IP protocol or last next header.</summary>
    public static readonly Field<byte> IpProto = U8("nw_proto", 8, new("NXM_OF_IP_PROTO", FieldClass.Nxm0, 6), new("OXM_OF_IP_PROTO", FieldClass.Basic, 10), NoMask, FieldFormat.Decimal, Prerequisite.IPAny, ReadOnly);

    /// <summary>TCP source port.</summary>
    public static readonly Field<ushort> TcpSrc = U16("tcp_src", 16, new("NXM_OF_TCP_SRC", FieldClass.Nxm0, 9), new("OXM_OF_TCP_SRC", FieldClass.Basic, 13), Mask, FieldFormat.Decimal, Prerequisite.Tcp, Writable);

    /// <summary>TCP destination port.</summary>
    public static readonly Field<ushort> TcpDst = U16("tcp_dst", 16, new("NXM_OF_TCP_DST", FieldClass.Nxm0, 10), new("OXM_OF_TCP_DST", FieldClass.Basic, 14), Mask, FieldFormat.Decimal, Prerequisite.Tcp, Writable);

    /// <summary>TCP flags.</summary>
    public static readonly Field<ushort> TcpFlags = U16("tcp_flags", 12, new("NXM_NX_TCP_FLAGS", FieldClass.Nxm1, 34), new("ONFOXM_ET_TCP_FLAGS", FieldClass.Onf, 42), Mask, FieldFormat.TcpFlags, Prerequisite.Tcp, ReadOnly);

    /// <summary>UDP source port.</summary>
    public static readonly Field<ushort> UdpSrc = U16("udp_src", 16, new("NXM_OF_UDP_SRC", FieldClass.Nxm0, 11), new("OXM_OF_UDP_SRC", FieldClass.Basic, 15), Mask, FieldFormat.Decimal, Prerequisite.Udp, Writable);

    /// <summary>UDP destination port.</summary>
    public static readonly Field<ushort> UdpDst = U16("udp_dst", 16, new("NXM_OF_UDP_DST", FieldClass.Nxm0, 12), new("OXM_OF_UDP_DST", FieldClass.Basic, 16), Mask, FieldFormat.Decimal, Prerequisite.Udp, Writable);

    /// <summary>SCTP source port.</summary>
    public static readonly Field<ushort> SctpSrc = U16("sctp_src", 16, new("OXM_OF_SCTP_SRC", FieldClass.Basic, 17), null, Mask, FieldFormat.Decimal, Prerequisite.Sctp, Writable);

    /// <summary>SCTP destination port.</summary>
    public static readonly Field<ushort> SctpDst = U16("sctp_dst", 16, new("OXM_OF_SCTP_DST", FieldClass.Basic, 18), null, Mask, FieldFormat.Decimal, Prerequisite.Sctp, Writable);

    /// <summary>ICMP type.</summary>
    public static readonly Field<byte> IcmpType = U8("icmp_type", 8, new("NXM_OF_ICMP_TYPE", FieldClass.Nxm0, 13), new("OXM_OF_ICMPV4_TYPE", FieldClass.Basic, 19), NoMask, FieldFormat.Decimal, Prerequisite.Icmpv4, Writable);

    /// <summary>ICMP code.</summary>
    public static readonly Field<byte> IcmpCode = U8("icmp_code", 8, new("NXM_OF_ICMP_CODE", FieldClass.Nxm0, 14), new("OXM_OF_ICMPV4_CODE", FieldClass.Basic, 20), NoMask, FieldFormat.Decimal, Prerequisite.Icmpv4, Writable);

    /// <summary>ICMPv6 type.</summary>
    public static readonly Field<byte> Icmpv6Type = U8("icmpv6_type", 8, new("NXM_NX_ICMPV6_TYPE", FieldClass.Nxm1, 21), new("OXM_OF_ICMPV6_TYPE", FieldClass.Basic, 29), NoMask, FieldFormat.Decimal, Prerequisite.Icmpv6, Writable);

    /// <summary>ICMPv6 code.</summary>
    public static readonly Field<byte> Icmpv6Code = U8("icmpv6_code", 8, new("NXM_NX_ICMPV6_CODE", FieldClass.Nxm1, 22), new("OXM_OF_ICMPV6_CODE", FieldClass.Basic, 30), NoMask, FieldFormat.Decimal, Prerequisite.Icmpv6, Writable);

    /// <summary>Reserved word of a neighbour message (its flags).</summary>
    public static readonly Field<uint> NdReserved = U32("nd_reserved", 32, new("ERICOXM_OF_ICMPV6_ND_RESERVED", FieldClass.Ericsson, 1), null, NoMask, FieldFormat.Decimal, Prerequisite.Nd, Writable);

    /// <summary>Target of a neighbour message.</summary>
    public static readonly Field<IPAddress> NdTarget = V6("nd_target", new("NXM_NX_ND_TARGET", FieldClass.Nxm1, 23), new("OXM_OF_IPV6_ND_TARGET", FieldClass.Basic, 31), Prerequisite.Nd, Writable);

    /// <summary>Type of the option of a neighbour message.</summary>
    public static readonly Field<byte> NdOptionsType = U8("nd_options_type", 8, new("ERICOXM_OF_ICMPV6_ND_OPTIONS_TYPE", FieldClass.Ericsson, 2), null, NoMask, FieldFormat.Decimal, Prerequisite.Nd, Writable);

    /// <summary>Source link-layer address option.</summary>
    public static readonly Field<MacAddress> NdSll = Mac("nd_sll", new("NXM_NX_ND_SLL", FieldClass.Nxm1, 24), new("OXM_OF_IPV6_ND_SLL", FieldClass.Basic, 32), Prerequisite.NdSolicit, Writable);

    /// <summary>Target link-layer address option.</summary>
    public static readonly Field<MacAddress> NdTll = Mac("nd_tll", new("NXM_NX_ND_TLL", FieldClass.Nxm1, 25), new("OXM_OF_IPV6_ND_TLL", FieldClass.Basic, 33), Prerequisite.NdAdvert, Writable);

    /// <summary>ARP operation: 1 request, 2 reply.</summary>
    public static readonly Field<ushort> ArpOp = U16("arp_op", 16, new("NXM_OF_ARP_OP", FieldClass.Nxm0, 15), new("OXM_OF_ARP_OP", FieldClass.Basic, 21), NoMask, FieldFormat.Decimal, Prerequisite.Arp, Writable);

    /// <summary>ARP sender IPv4 address.</summary>
    public static readonly Field<IPAddress> ArpSpa = V4("arp_spa", new("NXM_OF_ARP_SPA", FieldClass.Nxm0, 16), new("OXM_OF_ARP_SPA", FieldClass.Basic, 22), Prerequisite.Arp, Writable);

    /// <summary>ARP target IPv4 address.</summary>
    public static readonly Field<IPAddress> ArpTpa = V4("arp_tpa", new("NXM_OF_ARP_TPA", FieldClass.Nxm0, 17), new("OXM_OF_ARP_TPA", FieldClass.Basic, 23), Prerequisite.Arp, Writable);

    /// <summary>ARP sender hardware address.</summary>
    public static readonly Field<MacAddress> ArpSha = Mac("arp_sha", new("NXM_NX_ARP_SHA", FieldClass.Nxm1, 17), new("OXM_OF_ARP_SHA", FieldClass.Basic, 24), Prerequisite.Arp, Writable);

    /// <summary>ARP target hardware address.</summary>
    public static readonly Field<MacAddress> ArpTha = Mac("arp_tha", new("NXM_NX_ARP_THA", FieldClass.Nxm1, 18), new("OXM_OF_ARP_THA", FieldClass.Basic, 25), Prerequisite.Arp, Writable);

    /// <summary>Tunnel key.</summary>
    public static readonly Field<ulong> TunId = U64("tun_id", 64, new("NXM_NX_TUN_ID", FieldClass.Nxm1, 16), new("OXM_OF_TUNNEL_ID", FieldClass.Basic, 38), Mask, FieldFormat.Hexadecimal, Prerequisite.None, Writable);

    /// <summary>Tunnel flags; bit 0 is OAM.</summary>
    public static readonly Field<ushort> TunFlags = U16("tun_flags", 1, new("NXM_NX_TUN_FLAGS", FieldClass.Nxm1, 104), null, Mask, FieldFormat.TunnelFlags, Prerequisite.None, Writable);

    /// <summary>Outer IPv4 source.</summary>
    public static readonly Field<IPAddress> TunSrc = V4("tun_src", new("NXM_NX_TUN_IPV4_SRC", FieldClass.Nxm1, 31), null, Prerequisite.None, Writable);

    /// <summary>Outer IPv4 destination.</summary>
    public static readonly Field<IPAddress> TunDst = V4("tun_dst", new("NXM_NX_TUN_IPV4_DST", FieldClass.Nxm1, 32), null, Prerequisite.None, Writable);

    /// <summary>Outer IPv6 source.</summary>
    public static readonly Field<IPAddress> TunIPv6Src = V6("tun_ipv6_src", new("NXM_NX_TUN_IPV6_SRC", FieldClass.Nxm1, 109), null, Prerequisite.None, Writable);

    /// <summary>Outer IPv6 destination.</summary>
    public static readonly Field<IPAddress> TunIPv6Dst = V6("tun_ipv6_dst", new("NXM_NX_TUN_IPV6_DST", FieldClass.Nxm1, 110), null, Prerequisite.None, Writable);

    /// <summary>VXLAN group policy id.</summary>
    public static readonly Field<ushort> TunGbpId = U16("tun_gbp_id", 16, new("NXM_NX_TUN_GBP_ID", FieldClass.Nxm1, 38), null, Mask, FieldFormat.Decimal, Prerequisite.None, Writable);

    /// <summary>VXLAN group policy flags.</summary>
    public static readonly Field<byte> TunGbpFlags = U8("tun_gbp_flags", 8, new("NXM_NX_TUN_GBP_FLAGS", FieldClass.Nxm1, 39), null, Mask, FieldFormat.Hexadecimal, Prerequisite.None, Writable);

    private static readonly Field<UInt128>[] TunMetadataFields = DeclareTunMetadata();

    /// <summary>ERSPAN index.</summary>
    public static readonly Field<uint> TunErspanIdx = U32("tun_erspan_idx", 20, new("NXOXM_ET_ERSPAN_IDX", FieldClass.NiciraExperimenter, 11), null, Mask, FieldFormat.Hexadecimal, Prerequisite.None, Writable);

    /// <summary>ERSPAN version.</summary>
    public static readonly Field<byte> TunErspanVer = U8("tun_erspan_ver", 4, new("NXOXM_ET_ERSPAN_VER", FieldClass.NiciraExperimenter, 12), null, Mask, FieldFormat.Decimal, Prerequisite.None, Writable);

    /// <summary>ERSPAN direction.</summary>
    public static readonly Field<byte> TunErspanDir = U8("tun_erspan_dir", 1, new("NXOXM_ET_ERSPAN_DIR", FieldClass.NiciraExperimenter, 13), null, Mask, FieldFormat.Decimal, Prerequisite.None, Writable);

    /// <summary>ERSPAN engine id.</summary>
    public static readonly Field<byte> TunErspanHwid = U8("tun_erspan_hwid", 6, new("NXOXM_ET_ERSPAN_HWID", FieldClass.NiciraExperimenter, 14), null, Mask, FieldFormat.Hexadecimal, Prerequisite.None, Writable);

    /// <summary>GTP-U flags.</summary>
    public static readonly Field<byte> TunGtpuFlags = U8("tun_gtpu_flags", 8, new("NXOXM_ET_GTPU_FLAGS", FieldClass.NiciraExperimenter, 15), null, Mask, FieldFormat.Hexadecimal, Prerequisite.None, ReadOnly);

    /// <summary>GTP-U message type.</summary>
    public static readonly Field<byte> TunGtpuMsgtype = U8("tun_gtpu_msgtype", 8, new("NXOXM_ET_GTPU_MSGTYPE", FieldClass.NiciraExperimenter, 16), null, Mask, FieldFormat.Decimal, Prerequisite.None, ReadOnly);

    /// <summary>NSH flags.</summary>
    public static readonly Field<byte> NshFlags = U8("nsh_flags", 8, new("NXOXM_NSH_FLAGS", FieldClass.Nsh, 1), null, Mask, FieldFormat.Decimal, Prerequisite.Nsh, Writable);

    /// <summary>NSH time to live.</summary>
    public static readonly Field<byte> NshTtl = U8("nsh_ttl", 8, new("NXOXM_NSH_TTL", FieldClass.Nsh, 10), null, NoMask, FieldFormat.Decimal, Prerequisite.Nsh, Writable);

    /// <summary>NSH metadata type.</summary>
    public static readonly Field<byte> NshMdtype = U8("nsh_mdtype", 8, new("NXOXM_NSH_MDTYPE", FieldClass.Nsh, 2), null, NoMask, FieldFormat.Decimal, Prerequisite.Nsh, ReadOnly);

    /// <summary>NSH next protocol.</summary>
    public static readonly Field<byte> NshNp = U8("nsh_np", 8, new("NXOXM_NSH_NP", FieldClass.Nsh, 3), null, NoMask, FieldFormat.Decimal, Prerequisite.Nsh, ReadOnly);

    /// <summary>NSH service path.</summary>
    public static readonly Field<uint> NshSpi = U32("nsh_spi", 24, new("NXOXM_NSH_SPI", FieldClass.Nsh, 4), null, NoMask, FieldFormat.Hexadecimal, Prerequisite.Nsh, Writable);

    /// <summary>NSH service index.</summary>
    public static readonly Field<byte> NshSi = U8("nsh_si", 8, new("NXOXM_NSH_SI", FieldClass.Nsh, 5), null, NoMask, FieldFormat.Decimal, Prerequisite.Nsh, Writable);

    /// <summary>NSH context word 1.</summary>
    public static readonly Field<uint> NshC1 = U32("nsh_c1", 32, new("NXOXM_NSH_C1", FieldClass.Nsh, 6), null, Mask, FieldFormat.Hexadecimal, Prerequisite.Nsh, Writable);

    /// <summary>NSH context word 2.</summary>
    public static readonly Field<uint> NshC2 = U32("nsh_c2", 32, new("NXOXM_NSH_C2", FieldClass.Nsh, 7), null, Mask, FieldFormat.Hexadecimal, Prerequisite.Nsh, Writable);

    /// <summary>NSH context word 3.</summary>
    public static readonly Field<uint> NshC3 = U32("nsh_c3", 32, new("NXOXM_NSH_C3", FieldClass.Nsh, 8), null, Mask, FieldFormat.Hexadecimal, Prerequisite.Nsh, Writable);

    /// <summary>NSH context word 4.</summary>
    public static readonly Field<uint> NshC4 = U32("nsh_c4", 32, new("NXOXM_NSH_C4", FieldClass.Nsh, 9), null, Mask, FieldFormat.Hexadecimal, Prerequisite.Nsh, Writable);

    /// <summary>Register 0.</summary>
    public static readonly Field<uint> Reg0 = U32("reg0", 32, new("NXM_NX_REG0", FieldClass.Nxm1, 0), null, Mask, FieldFormat.Hexadecimal, Prerequisite.None, Writable);

    /// <summary>Register 1.</summary>
    public static readonly Field<uint> Reg1 = U32("reg1", 32, new("NXM_NX_REG1", FieldClass.Nxm1, 1), null, Mask, FieldFormat.Hexadecimal, Prerequisite.None, Writable);

    /// <summary>Register 2.</summary>
    public static readonly Field<uint> Reg2 = U32("reg2", 32, new("NXM_NX_REG2", FieldClass.Nxm1, 2), null, Mask, FieldFormat.Hexadecimal, Prerequisite.None, Writable);

    /// <summary>Register 3.</summary>
    public static readonly Field<uint> Reg3 = U32("reg3", 32, new("NXM_NX_REG3", FieldClass.Nxm1, 3), null, Mask, FieldFormat.Hexadecimal, Prerequisite.None, Writable);

    /// <summary>Register 4.</summary>
    public static readonly Field<uint> Reg4 = U32("reg4", 32, new("NXM_NX_REG4", FieldClass.Nxm1, 4), null, Mask, FieldFormat.Hexadecimal, Prerequisite.None, Writable);

    /// <summary>Register 5.</summary>
    public static readonly Field<uint> Reg5 = U32("reg5", 32, new("NXM_NX_REG5", FieldClass.Nxm1, 5), null, Mask, FieldFormat.Hexadecimal, Prerequisite.None, Writable);

    /// <summary>Register 6.</summary>
    public static readonly Field<uint> Reg6 = U32("reg6", 32, new("NXM_NX_REG6", FieldClass.Nxm1, 6), null, Mask, FieldFormat.Hexadecimal, Prerequisite.None, Writable);

    /// <summary>Register 7.</summary>
    public static readonly Field<uint> Reg7 = U32("reg7", 32, new("NXM_NX_REG7", FieldClass.Nxm1, 7), null, Mask, FieldFormat.Hexadecimal, Prerequisite.None, Writable);

    /// <summary>Register 8.</summary>
    public static readonly Field<uint> Reg8 = U32("reg8", 32, new("NXM_NX_REG8", FieldClass.Nxm1, 8), null, Mask, FieldFormat.Hexadecimal, Prerequisite.None, Writable);

    /// <summary>Register 9.</summary>
    public static readonly Field<uint> Reg9 = U32("reg9", 32, new("NXM_NX_REG9", FieldClass.Nxm1, 9), null, Mask, FieldFormat.Hexadecimal, Prerequisite.None, Writable);

    /// <summary>Register 10.</summary>
    public static readonly Field<uint> Reg10 = U32("reg10", 32, new("NXM_NX_REG10", FieldClass.Nxm1, 10), null, Mask, FieldFormat.Hexadecimal, Prerequisite.None, Writable);

    /// <summary>Register 11.</summary>
    public static readonly Field<uint> Reg11 = U32("reg11", 32, new("NXM_NX_REG11", FieldClass.Nxm1, 11), null, Mask, FieldFormat.Hexadecimal, Prerequisite.None, Writable);

    /// <summary>Register 12.</summary>
    public static readonly Field<uint> Reg12 = U32("reg12", 32, new("NXM_NX_REG12", FieldClass.Nxm1, 12), null, Mask, FieldFormat.Hexadecimal, Prerequisite.None, Writable);

    /// <summary>Register 13.</summary>
    public static readonly Field<uint> Reg13 = U32("reg13", 32, new("NXM_NX_REG13", FieldClass.Nxm1, 13), null, Mask, FieldFormat.Hexadecimal, Prerequisite.None, Writable);

    /// <summary>Register 14.</summary>
    public static readonly Field<uint> Reg14 = U32("reg14", 32, new("NXM_NX_REG14", FieldClass.Nxm1, 14), null, Mask, FieldFormat.Hexadecimal, Prerequisite.None, Writable);

    /// <summary>Register 15.</summary>
    public static readonly Field<uint> Reg15 = U32("reg15", 32, new("NXM_NX_REG15", FieldClass.Nxm1, 15), null, Mask, FieldFormat.Hexadecimal, Prerequisite.None, Writable);

    /// <summary>Packet mark of the kernel.</summary>
    public static readonly Field<uint> PktMark = U32("pkt_mark", 32, new("NXM_NX_PKT_MARK", FieldClass.Nxm1, 33), null, Mask, FieldFormat.Hexadecimal, Prerequisite.None, Writable);

    /// <summary>Conntrack state; see <see cref="CtStateFlags"/>.</summary>
    public static readonly Field<uint> CtState = U32("ct_state", 32, new("NXM_NX_CT_STATE", FieldClass.Nxm1, 105), null, Mask, FieldFormat.CtState, Prerequisite.None, ReadOnly);

    /// <summary>Conntrack zone.</summary>
    public static readonly Field<ushort> CtZone = U16("ct_zone", 16, new("NXM_NX_CT_ZONE", FieldClass.Nxm1, 106), null, NoMask, FieldFormat.Hexadecimal, Prerequisite.None, ReadOnly);

    /// <summary>Conntrack mark.</summary>
    public static readonly Field<uint> CtMark = U32("ct_mark", 32, new("NXM_NX_CT_MARK", FieldClass.Nxm1, 107), null, Mask, FieldFormat.Hexadecimal, Prerequisite.None, Writable);

    /// <summary>Conntrack label.</summary>
    public static readonly Field<UInt128> CtLabel = U128("ct_label", new("NXM_NX_CT_LABEL", FieldClass.Nxm1, 108), null, Mask, FieldFormat.Hexadecimal, Prerequisite.None, Writable);

    /// <summary>IPv4 source of the original direction.</summary>
    public static readonly Field<IPAddress> CtNwSrc = V4("ct_nw_src", new("NXM_NX_CT_NW_SRC", FieldClass.Nxm1, 120), null, Prerequisite.Conntrack, ReadOnly);

    /// <summary>IPv6 source of the original direction.</summary>
    public static readonly Field<IPAddress> CtIPv6Src = V6("ct_ipv6_src", new("NXM_NX_CT_IPV6_SRC", FieldClass.Nxm1, 122), null, Prerequisite.Conntrack, ReadOnly);

    /// <summary>IPv4 destination of the original direction.</summary>
    public static readonly Field<IPAddress> CtNwDst = V4("ct_nw_dst", new("NXM_NX_CT_NW_DST", FieldClass.Nxm1, 121), null, Prerequisite.Conntrack, ReadOnly);

    /// <summary>IPv6 destination of the original direction.</summary>
    public static readonly Field<IPAddress> CtIPv6Dst = V6("ct_ipv6_dst", new("NXM_NX_CT_IPV6_DST", FieldClass.Nxm1, 123), null, Prerequisite.Conntrack, ReadOnly);

    /// <summary>IP protocol of the original direction.</summary>
    public static readonly Field<byte> CtNwProto = U8("ct_nw_proto", 8, new("NXM_NX_CT_NW_PROTO", FieldClass.Nxm1, 119), null, NoMask, FieldFormat.Decimal, Prerequisite.Conntrack, ReadOnly);

    /// <summary>Source port of the original direction.</summary>
    public static readonly Field<ushort> CtTpSrc = U16("ct_tp_src", 16, new("NXM_NX_CT_TP_SRC", FieldClass.Nxm1, 124), null, Mask, FieldFormat.Decimal, Prerequisite.Conntrack, ReadOnly);

    /// <summary>Destination port of the original direction.</summary>
    public static readonly Field<ushort> CtTpDst = U16("ct_tp_dst", 16, new("NXM_NX_CT_TP_DST", FieldClass.Nxm1, 125), null, Mask, FieldFormat.Decimal, Prerequisite.Conntrack, ReadOnly);

    /// <summary>OpenFlow 1.1+ metadata.</summary>
    public static readonly Field<ulong> Metadata = U64("metadata", 64, new("OXM_OF_METADATA", FieldClass.Basic, 2), null, Mask, FieldFormat.Hexadecimal, Prerequisite.None, Writable);

    /// <summary>Ingress port, 16-bit number: what load and move use.</summary>
    public static readonly Field<ushort> InPort16 = U16("in_port", 16, new("NXM_OF_IN_PORT", FieldClass.Nxm0, 0), null, NoMask, FieldFormat.Port, Prerequisite.None, Writable, alias: true);

    /// <summary>The tag control information with the CFI bit as "a tag is present".</summary>
    public static readonly Field<ushort> VlanTci = U16("vlan_tci", 16, new("NXM_OF_VLAN_TCI", FieldClass.Nxm0, 4), null, Mask, FieldFormat.Hexadecimal, Prerequisite.Ethernet, Writable, alias: true);

    /// <summary>The DSCP at its place in the type-of-service octet.</summary>
    public static readonly Field<byte> IpTos = U8("nw_tos", 8, new("NXM_OF_IP_TOS", FieldClass.Nxm0, 5), null, NoMask, FieldFormat.Decimal, Prerequisite.IPAny, Writable, alias: true);

    /// <summary>Registers 0 (upper half) and 1.</summary>
    public static readonly Field<ulong> XReg0 = U64("xreg0", 64, new("OXM_OF_PKT_REG0", FieldClass.PacketRegs, 0), null, Mask, FieldFormat.Hexadecimal, Prerequisite.None, Writable, alias: true);

    /// <summary>Registers 2 (upper half) and 3.</summary>
    public static readonly Field<ulong> XReg1 = U64("xreg1", 64, new("OXM_OF_PKT_REG1", FieldClass.PacketRegs, 1), null, Mask, FieldFormat.Hexadecimal, Prerequisite.None, Writable, alias: true);

    /// <summary>Registers 4 (upper half) and 5.</summary>
    public static readonly Field<ulong> XReg2 = U64("xreg2", 64, new("OXM_OF_PKT_REG2", FieldClass.PacketRegs, 2), null, Mask, FieldFormat.Hexadecimal, Prerequisite.None, Writable, alias: true);

    /// <summary>Registers 6 (upper half) and 7.</summary>
    public static readonly Field<ulong> XReg3 = U64("xreg3", 64, new("OXM_OF_PKT_REG3", FieldClass.PacketRegs, 3), null, Mask, FieldFormat.Hexadecimal, Prerequisite.None, Writable, alias: true);

    /// <summary>Registers 8 (upper half) and 9.</summary>
    public static readonly Field<ulong> XReg4 = U64("xreg4", 64, new("OXM_OF_PKT_REG4", FieldClass.PacketRegs, 4), null, Mask, FieldFormat.Hexadecimal, Prerequisite.None, Writable, alias: true);

    /// <summary>Registers 10 (upper half) and 11.</summary>
    public static readonly Field<ulong> XReg5 = U64("xreg5", 64, new("OXM_OF_PKT_REG5", FieldClass.PacketRegs, 5), null, Mask, FieldFormat.Hexadecimal, Prerequisite.None, Writable, alias: true);

    /// <summary>Registers 12 (upper half) and 13.</summary>
    public static readonly Field<ulong> XReg6 = U64("xreg6", 64, new("OXM_OF_PKT_REG6", FieldClass.PacketRegs, 6), null, Mask, FieldFormat.Hexadecimal, Prerequisite.None, Writable, alias: true);

    /// <summary>Registers 14 (upper half) and 15.</summary>
    public static readonly Field<ulong> XReg7 = U64("xreg7", 64, new("OXM_OF_PKT_REG7", FieldClass.PacketRegs, 7), null, Mask, FieldFormat.Hexadecimal, Prerequisite.None, Writable, alias: true);

    /// <summary>Registers 0 (uppermost) to 3.</summary>
    public static readonly Field<UInt128> XXReg0 = U128("xxreg0", new("NXM_NX_XXREG0", FieldClass.Nxm1, 111), null, Mask, FieldFormat.Hexadecimal, Prerequisite.None, Writable, alias: true);

    /// <summary>Registers 4 (uppermost) to 7.</summary>
    public static readonly Field<UInt128> XXReg1 = U128("xxreg1", new("NXM_NX_XXREG1", FieldClass.Nxm1, 112), null, Mask, FieldFormat.Hexadecimal, Prerequisite.None, Writable, alias: true);

    /// <summary>Registers 8 (uppermost) to 11.</summary>
    public static readonly Field<UInt128> XXReg2 = U128("xxreg2", new("NXM_NX_XXREG2", FieldClass.Nxm1, 113), null, Mask, FieldFormat.Hexadecimal, Prerequisite.None, Writable, alias: true);

    /// <summary>Registers 12 (uppermost) to 15.</summary>
    public static readonly Field<UInt128> XXReg3 = U128("xxreg3", new("NXM_NX_XXREG3", FieldClass.Nxm1, 114), null, Mask, FieldFormat.Hexadecimal, Prerequisite.None, Writable, alias: true);
}
