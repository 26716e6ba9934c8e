using Weft.OpenFlow.Fields;
using F = Weft.OpenFlow.Fields.Fields;

namespace Weft.OpenFlow.Text;

/// <summary>One match on its way to text. The order of fields is the one of match_format in OVS's match.c, not the wire's.</summary>
internal sealed class MatchPrinter
{
    private readonly FlowTextWriter _text;
    private readonly Match _match;
    private readonly ushort? _ethType;
    private readonly byte? _proto;

    public MatchPrinter(FlowTextWriter text, Match match)
    {
        _text = text;
        _match = match;
        if (match.TryGet(F.EthType, out var type))
        {
            _ethType = (ushort)type.Value;
        }
        else if (match.TryGet(F.PacketType, out var packetType) && (uint)packetType.Value >> 16 == 1)
        {
            _ethType = (ushort)packetType.Value;
        }

        _proto = match.TryGet(F.IpProto, out var proto) ? (byte)proto.Value : null;
    }

    public void Write()
    {
        Plain(F.PktMark, "pkt_mark");
        Plain(F.RecircId, "recirc_id");
        Plain(F.DpHash, "dp_hash");
        Put(F.ConjId, "conj_id", c => _text.Put($"{c.Value}"));
        Put(F.ActsetOutput, "actset_output", c => _text.Port((uint)c.Value));
        Put(F.CtState, "ct_state", c => WriteCtState(c));
        Put(F.CtZone, "ct_zone", c => _text.Put($"{c.Value}"));
        Plain(F.CtMark, "ct_mark");
        Put(F.CtLabel, "ct_label", HexWide);
        Address(F.CtNwSrc, "ct_nw_src");
        Address(F.CtIPv6Src, "ct_ipv6_src");
        Address(F.CtNwDst, "ct_nw_dst");
        Address(F.CtIPv6Dst, "ct_ipv6_dst");
        Number(F.CtNwProto, "ct_nw_proto");
        if (_match.TryGet(F.CtNwProto, out _))
        {
            Number(F.CtTpSrc, "ct_tp_src");
            Number(F.CtTpDst, "ct_tp_dst");
        }

        if (_match.TryGet(F.PacketType, out var packetType))
        {
            _text.Put($"packet_type=({(uint)packetType.Value >> 16},");
            _text.Hex((uint)packetType.Value & 0xffff);
            _text.Put("),");
        }

        WriteProtocol(out var typeShown, out var protoShown);
        for (var i = 0; i < 16; i++)
        {
            Plain(F.Reg(i), F.Reg(i).Name);
        }

        WriteTunnel();
        Plain(F.Metadata, "metadata");
        Put(F.InPort, "in_port", c => _text.Port((uint)c.Value));
        WriteVlan();
        Ethernet(F.EthSrc, "dl_src");
        Ethernet(F.EthDst, "dl_dst");
        if (!typeShown)
        {
            Put(F.EthType, "dl_type", c => _text.Put($"0x{(ushort)c.Value:x4}"));
        }

        WriteNetwork(protoShown);
        WriteTransport();
    }

    private void WriteCtState(FieldMatch c)
    {
        // The eight bits that exist. All of them are printed as plain flags.
        const uint Known = 0xff;
        var mask = (uint)c.Mask & Known;
        _text.Flags(F.CtState, (uint)c.Value & Known, mask == Known ? (uint)F.CtState.FullMask : mask);
    }

    private void WriteProtocol(out bool typeShown, out bool protoShown)
    {
        protoShown = false;
        typeShown = _match.TryGet(F.EthType, out _);
        if (!typeShown)
        {
            return;
        }

        switch (_ethType)
        {
            case 0x0800:
            case 0x86dd:
                var six = _ethType == 0x86dd;
                var name = _proto switch { 1 when !six => "icmp", 58 when six => "icmp6", 6 => "tcp", 17 => "udp", 132 => "sctp", _ => null };
                protoShown = name is not null;
                _text.Put((name is null ? six ? "ipv6" : "ip" : six && name != "icmp6" ? name + "6" : name) + ",");
                break;
            case 0x0806: _text.Put("arp,"); break;
            case 0x8035: _text.Put("rarp,"); break;
            case 0x8847: _text.Put("mpls,"); break;
            case 0x8848: _text.Put("mplsm,"); break;
            default: typeShown = false; break;
        }
    }

    private void WriteTunnel()
    {
        Plain(F.TunId, "tun_id");
        Address(F.TunSrc, "tun_src");
        Address(F.TunDst, "tun_dst");
        Address(F.TunIPv6Src, "tun_ipv6_src");
        Address(F.TunIPv6Dst, "tun_ipv6_dst");
        Number(F.TunGbpId, "tun_gbp_id");
        Put(F.TunGbpFlags, "tun_gbp_flags", c => _text.Hex((ulong)c.Value));
        // Open vSwitch prints these, but for the index, when they are not zero, whatever the mask (format_flow_tunnel in its match.c).
        NotZero(F.TunErspanVer, "tun_erspan_ver", c => _text.Put($"{c.Value}"));
        var version = _match.TryGet(F.TunErspanVer, out var ver) ? (int)ver.Value : 0;
        if (version == 1)
        {
            Put(F.TunErspanIdx, "tun_erspan_idx", c => _text.Hex((ulong)c.Value));
        }
        else if (version == 2)
        {
            NotZero(F.TunErspanDir, "tun_erspan_dir", c => _text.Put($"{c.Value}"));
            NotZero(F.TunErspanHwid, "tun_erspan_hwid", c => _text.Hex((ulong)c.Value));
        }

        NotZero(F.TunGtpuFlags, "gtpu_flags", c => _text.Hex((ulong)c.Value));
        NotZero(F.TunGtpuMsgtype, "gtpu_msgtype", c => _text.Put($"{c.Value}"));
        Put(F.TunFlags, "tun_flags", c => _text.Put(c.Value != 0 ? "+oam" : "-oam"));
        for (var i = 0; i < 64; i++)
        {
            if (_match.TryGet(F.TunMetadata(i), out var option) && option.Option is { IsExact: false, Value.IsEmpty: true })
            {
                _text.Put($"{option.Field.Name},");
                continue;
            }

            Put(F.TunMetadata(i), F.TunMetadata(i).Name, TunnelOption);
        }
    }

    /// <summary>OpenFlow 1.2+ VLAN fields, told as the tag control information that OVS keeps.</summary>
    private void WriteVlan()
    {
        var hasVid = _match.TryGet(F.VlanVid, out var vid);
        var hasPcp = _match.TryGet(F.VlanPcp, out var pcp);
        if (!hasVid)
        {
            return;
        }

        var mask = (ushort)((ushort)vid.Mask | (hasPcp ? 0xe000 : 0));
        var tci = (ushort)((ushort)vid.Value | (hasPcp ? (int)pcp.Value << 13 : 0));
        var vidMask = mask & 0x0fff;
        if ((mask & 0x1000) != 0 && (tci & 0x1000) != 0 && vidMask is 0 or 0x0fff && (vidMask != 0 || hasPcp))
        {
            _text.Optional(vidMask != 0, $"dl_vlan={tci & 0xfff},");
            _text.Optional(hasPcp, $"dl_vlan_pcp={tci >> 13},");
        }
        else
        {
            _text.Put(mask == 0xffff ? $"vlan_tci=0x{tci:x4}," : $"vlan_tci=0x{tci:x4}/0x{mask:x4},");
        }
    }

    private void WriteNetwork(bool protoShown)
    {
        var arp = _ethType is 0x0806 or 0x8035;
        if (_ethType == 0x86dd)
        {
            Address(F.IPv6Src, "ipv6_src");
            Address(F.IPv6Dst, "ipv6_dst");
            Put(F.IPv6Label, "ipv6_label", c => _text.Put(c.Mask == F.IPv6Label.FullMask
                ? $"0x{(uint)c.Value:x5}"
                : $"0x{(uint)c.Value:x5}/0x{(uint)c.Mask:x5}"));
        }
        else if (arp)
        {
            Address(F.ArpSpa, "arp_spa");
            Address(F.ArpTpa, "arp_tpa");
        }
        else if (_ethType == 0x894f)
        {
            WriteNsh();
        }
        else
        {
            Address(F.IPv4Src, "nw_src");
            Address(F.IPv4Dst, "nw_dst");
        }

        if (arp)
        {
            Number(F.ArpOp, "arp_op");
            Ethernet(F.ArpSha, "arp_sha");
            Ethernet(F.ArpTha, "arp_tha");
        }
        else if (!protoShown)
        {
            Number(F.IpProto, "nw_proto");
        }

        Put(F.IpDscp, "nw_tos", c => _text.Put($"{(int)c.Value << 2}"));
        Number(F.IpEcn, "nw_ecn");
        Number(F.IpTtl, "nw_ttl");
        Number(F.MplsLabel, "mpls_label");
        Number(F.MplsTc, "mpls_tc");
        Number(F.MplsTtl, "mpls_ttl");
        Number(F.MplsBos, "mpls_bos");
        Put(F.IpFrag, "nw_frag", c => _text.Put(FlowTextWriter.FragmentName((byte)c.Value, (byte)c.Mask)));
    }

    private void WriteNsh()
    {
        Byte(F.NshFlags, "nsh_flags");
        Byte(F.NshTtl, "nsh_ttl");
        Byte(F.NshMdtype, "nsh_mdtype");
        Byte(F.NshNp, "nsh_np");
        Put(F.NshSpi, "nsh_spi", c => _text.Put($"0x{(uint)c.Value:x}"));
        Byte(F.NshSi, "nsh_si");
        if (_match.TryGet(F.NshMdtype, out var type) && type.Value == 1)
        {
            foreach (var field in (Field[])[F.NshC1, F.NshC2, F.NshC3, F.NshC4])
            {
                Put(field, field.Name, c => _text.Put(c.IsExact ? $"0x{(uint)c.Value:x}" : $"0x{(uint)c.Value:x}/0x{(uint)c.Mask:x}"));
            }
        }
    }

    private void WriteTransport()
    {
        Number(F.IcmpType, "icmp_type");
        Number(F.IcmpCode, "icmp_code");
        Number(F.Icmpv6Type, "icmp_type");
        Number(F.Icmpv6Code, "icmp_code");
        Address(F.NdTarget, "nd_target");
        Ethernet(F.NdSll, "nd_sll");
        Ethernet(F.NdTll, "nd_tll");
        Put(F.NdReserved, "nd_reserved", c => _text.Put($"{(uint)c.Value}"));
        Number(F.NdOptionsType, "nd_options_type");
        foreach (var (source, target) in (ReadOnlySpan<(Field, Field)>)[(F.TcpSrc, F.TcpDst), (F.UdpSrc, F.UdpDst), (F.SctpSrc, F.SctpDst)])
        {
            Number(source, "tp_src");
            Number(target, "tp_dst");
        }

        if (_match.TryGet(F.TcpFlags, out var flags))
        {
            // The one place where OVS forgets the comma; nothing follows.
            _text.Put("tcp_flags=");
            _text.Flags(F.TcpFlags, (uint)flags.Value, (uint)flags.Mask);
        }
    }

    private void NotZero(Field field, string name, Action<FieldMatch> value)
    {
        if (_match.TryGet(field, out var c) && c.Value != 0)
        {
            Put(field, name, value);
        }
    }

    private void Put(Field field, string name, Action<FieldMatch> write)
    {
        if (_match.TryGet(field, out var c))
        {
            _text.Put(name + "=");
            write(c);
            _text.Put(",");
        }
    }

    /// <summary>%#x/%#x: registers, marks, metadata.</summary>
    private void Plain(Field field, string name) => Put(field, name, c =>
    {
        _text.Hex((ulong)c.Value);
        if (!c.IsExact)
        {
            _text.Put("/");
            _text.Hex((ulong)c.Mask);
        }
    });

    private void Number(Field field, string name) => Put(field, name, c => _text.Put(c.IsExact ? $"{c.Value}" : $"0x{c.Value:x}/0x{c.Mask:x}"));

    private void Byte(Field field, string name) => Put(field, name, c => _text.Put(c.IsExact ? $"{c.Value}" : $"0x{(byte)c.Value:x2}/0x{(byte)c.Mask:x2}"));

    private void Address(Field field, string name) => Put(field, name, c => _text.AddressWithMask(field, c.Value, c.Mask));

    private void Ethernet(Field field, string name) => Put(field, name, c => _text.Value(field, c.Value, c.Mask));

    private void HexWide(FieldMatch c)
    {
        _text.Hex(c.Value);
        _text.Optional(!c.IsExact, $"/0x{c.Mask:x}");
    }

    /// <summary>An option is as long as its mask: ones from some byte on to the end are no mask.</summary>
    private void TunnelOption(FieldMatch c)
    {
        if (c.Option is { } option)
        {
            _text.Option(option);
            return;
        }

        _text.Hex(c.Value);
        var bytes = (135 - (int)UInt128.LeadingZeroCount(c.Mask)) / 8;
        var full = bytes == 16 ? UInt128.MaxValue : (UInt128.One << (8 * bytes)) - 1;
        _text.Optional(c.Mask != full, $"/0x{c.Mask:x}");
    }
}
