using System.Buffers.Binary;
using System.Net;
using Weft.OpenFlow.Fields;
using F = Weft.OpenFlow.Fields.Fields;

namespace Weft.OpenFlow.Text;

/// <summary>The headers of a packet as Open vSwitch prints them behind a packet-in or packet-out (ofp_packet_to_string).</summary>
internal ref struct PacketText(FlowTextWriter text, ReadOnlySpan<byte> packet)
{
    private const int MaxTags = 2;
    private const int MaxLabels = 3;
    private readonly FlowTextWriter _text = text;
    private readonly ReadOnlySpan<byte> _packet = packet;
    private readonly List<ushort> _tags = [];
    private ReadOnlySpan<byte> _addresses;
    private ReadOnlySpan<byte> _rest;
    private ReadOnlySpan<byte> _l3;
    private ReadOnlySpan<byte> _l4;
    private ushort _type;
    private byte _proto;
    private byte _tos;
    private byte _ttl;
    private byte _fragment;
    private uint _label;

    public static void Write(FlowTextWriter text, ReadOnlySpan<byte> packet)
    {
        var printer = new PacketText(text, packet);
        printer.ReadEthernet();
        printer.Print();
    }

    private static ushort U16(ReadOnlySpan<byte> data, int at) => data.Length >= at + 2 ? BinaryPrimitives.ReadUInt16BigEndian(data[at..]) : (ushort)0;

    private readonly bool IsIP => _type is 0x0800 or 0x86dd;

    private readonly bool IsArp => _type is 0x0806 or 0x8035;

    private void ReadEthernet()
    {
        if (_packet.Length < 14)
        {
            return;
        }

        _addresses = _packet[..12];

        _rest = _packet[12..];
        while (_tags.Count < MaxTags && U16(_rest, 0) is 0x8100 or 0x88a8 && _rest.Length >= 4)
        {
            _tags.Add((ushort)(U16(_rest, 2) | 0x1000));
            _rest = _rest[4..];
        }

        _type = U16(_rest, 0);
        _rest = _rest[Math.Min(2, _rest.Length)..];
        if (_type < 0x600)
        {
            // IEEE 802.3: a length. Subnetwork access protocol headers carry a type, others have none.
            var snap = _rest.Length >= 8 && _rest[..6].SequenceEqual((ReadOnlySpan<byte>)[0xaa, 0xaa, 3, 0, 0, 0]) && U16(_rest, 6) >= 0x600;
            _type = snap ? U16(_rest, 6) : (ushort)0x5ff;
            _rest = snap ? _rest[8..] : _rest;
        }

        if (_type == 0x0800)
        {
            ReadIPv4();
        }
        else if (_type == 0x86dd)
        {
            ReadIPv6();
        }
        else if (IsArp && _rest.Length >= 28 && _rest[..6].SequenceEqual((ReadOnlySpan<byte>)[0, 1, 8, 0, 6, 4]))
        {
            _l3 = _rest;
        }
    }

    private void ReadIPv4()
    {
        if (_rest.Length < 20)
        {
            return;
        }

        var (header, total) = ((_rest[0] & 15) * 4, U16(_rest, 2));
        if (header < 20 || header > total || total > _rest.Length)
        {
            return;
        }

        _l3 = _rest;
        (_tos, _ttl, _proto) = (_rest[1], _rest[8], _rest[9]);
        var offset = U16(_rest, 6);
        _fragment = (byte)((offset & 0x3fff) == 0 ? 0 : (offset & 0x1fff) == 0 ? 1 : 3);
        _l4 = _rest[header..total];
    }

    private void ReadIPv6()
    {
        if (_rest.Length < 40 || U16(_rest, 4) > _rest.Length - 40)
        {
            return;
        }

        _l3 = _rest;
        var data = _rest.Slice(40, U16(_rest, 4));
        var proto = _rest[6];
        byte fragment = 0;
        while (proto is 0 or 43 or 44 or 51 or 60)
        {
            var length = data.Length < 8 ? 0 : proto switch { 44 => 8, 51 => (data[1] + 2) * 4, _ => (data[1] + 1) * 8 };
            if (length == 0 || length > data.Length)
            {
                return;
            }

            if (proto == 44)
            {
                fragment = (byte)((U16(data, 2) & 0xfff9) == 0 ? 0 : (U16(data, 2) & 0xfff8) == 0 ? 1 : 3);
                if (fragment == 3)
                {
                    break;
                }
            }

            proto = data[0];
            data = data[length..];
        }

        var word = BinaryPrimitives.ReadUInt32BigEndian(_rest);
        (_tos, _ttl, _proto, _fragment, _label) = ((byte)(word >> 20), _rest[7], proto, fragment, word & 0xfffff);
        _l4 = data;
    }

    private readonly void Print()
    {
        var six = _type == 0x86dd;
        var name = _proto switch { 1 when !six => "icmp", 58 when six => "icmp6", 6 => "tcp", 17 => "udp", 132 => "sctp", _ => null };
        var word = _type switch
        {
            0x0800 => name ?? "ip",
            0x86dd => name is null ? "ipv6" : name == "icmp6" ? name : name + "6",
            0x0806 => "arp",
            0x8035 => "rarp",
            0x8847 => "mpls",
            0x8848 => "mplsm",
            _ => null,
        };
        _text.Optional(word is not null, word + ",");
        PrintTags();
        _text.Put($"dl_src={Mac(_addresses, 6)},dl_dst={Mac(_addresses, 0)}");
        _text.Optional(word is null, $",dl_type=0x{_type:x4}");
        if (IsIP)
        {
            PrintAddresses(six);
            _text.Optional(name is null, $",nw_proto={_proto}");
            _text.Put($",nw_tos={_tos & 0xfc},nw_ecn={_tos & 3},nw_ttl={_ttl},nw_frag={FlowTextWriter.FragmentName(_fragment, 3)}");
            PrintTransport(six);
        }
        else if (IsArp)
        {
            PrintArp();
        }
        else if (_type is 0x8847 or 0x8848)
        {
            PrintLabels();
        }

        PrintChecksum(name);
        _text.Put("\n");
    }

    private readonly void PrintTags()
    {
        for (var i = 0; i <= _tags.Count && i < MaxTags; i++)
        {
            var suffix = i == 0 ? "" : $"{i}";
            _text.Put(i < _tags.Count
                ? $"dl_vlan{suffix}={_tags[i] & 0xfff},dl_vlan_pcp{suffix}={_tags[i] >> 13},"
                : $"vlan_tci{suffix}=0x0000,");
        }
    }

    private readonly void PrintAddresses(bool six)
    {
        if (six)
        {
            PrintAddress(",ipv6_src=", _l3, 8, 16);
            PrintAddress(",ipv6_dst=", _l3, 24, 16);
            _text.Put($",ipv6_label=0x{_label:x5}");
        }
        else
        {
            PrintAddress(",nw_src=", _l3, 12, 4);
            PrintAddress(",nw_dst=", _l3, 16, 4);
        }
    }

    private readonly void PrintAddress(string name, ReadOnlySpan<byte> data, int at, int length)
    {
        _text.Put(name);
        Span<byte> octets = stackalloc byte[length];
        if (data.Length >= at + length)
        {
            data.Slice(at, length).CopyTo(octets);
        }

        _text.Address(new IPAddress(octets));
    }

    private readonly void PrintArp()
    {
        // A request type over 255 does not fit into the field; the switch leaves it 0.
        PrintAddress(",arp_spa=", _l3, 14, 4);
        PrintAddress(",arp_tpa=", _l3, 24, 4);
        _text.Put($",arp_op={(U16(_l3, 6) <= 255 ? U16(_l3, 6) : 0)},arp_sha={Mac(_l3, 8)},arp_tha={Mac(_l3, 18)}");
    }

    private readonly void PrintLabels()
    {
        for (var i = 0; i < MaxLabels; i++)
        {
            var entry = _rest.Length >= 4 * (i + 1) ? BinaryPrimitives.ReadUInt32BigEndian(_rest[(4 * i)..]) : 0;
            _text.Put(i == 0
                ? $",mpls_label={entry >> 12},mpls_tc={entry >> 9 & 7},mpls_ttl={entry & 0xff},mpls_bos={entry >> 8 & 1}"
                : $",mpls_lse{i}={entry}");
            if ((entry & 0x100) != 0)
            {
                break;
            }
        }
    }

    private readonly void PrintTransport(bool six)
    {
        if ((_fragment & 2) != 0)
        {
            return;
        }

        var ports = _l4.Length >= (_proto switch { 6 => 20, 17 => 8, 132 => 12, _ => int.MaxValue }) ? _l4 : default;
        switch (_proto)
        {
            case 6 or 17 or 132:
                if (_proto == 6 && (U16(ports, 12) >> 12) * 4 is var header && (header < 20 || header > ports.Length))
                {
                    // A header that ends elsewhere than the packet says nothing.
                    _text.Put(",tp_src=0,tp_dst=0,tcp_flags=0");
                    break;
                }

                _text.Put($",tp_src={U16(ports, 0)},tp_dst={U16(ports, 2)}");
                if (_proto == 6)
                {
                    _text.Put(",tcp_flags=");
                    _text.Flags(F.TcpFlags, (uint)U16(ports, 12) & 0xfff, (uint)F.TcpFlags.FullMask);
                }

                break;
            case 1 when !six:
            case 58 when six:
                var (type, code) = _l4.Length >= 8 ? (_l4[0], _l4[1]) : ((byte)0, (byte)0);
                _text.Put($",icmp_type={type},icmp_code={code}");
                if (six && type is 135 or 136 && code == 0)
                {
                    PrintNeighbor();
                }

                break;
            case 1 or 58:
                _text.Put(",tp_src=0,tp_dst=0");
                break;
            case 2:
                var igmp = _l4.Length >= 8 && !six ? _l4 : default;
                _text.Put(six ? ",tp_src=0,tp_dst=0" : $",tp_src={(igmp.IsEmpty ? 0 : igmp[0])},tp_dst={(igmp.IsEmpty ? 0 : igmp[1])}");
                break;
        }
    }

    private readonly void PrintNeighbor()
    {
        PrintAddress(",nd_target=", _l4, 8, 16);
        var (source, target) = ("00:00:00:00:00:00", "00:00:00:00:00:00");
        for (var options = _l4.Length >= 24 ? _l4[24..] : default; options.Length >= 8 && options[1] != 0 && options[1] * 8 <= options.Length; options = options[(options[1] * 8)..])
        {
            source = options[0] == 1 && options[1] == 1 ? Mac(options, 2) : source;
            target = options[0] == 2 && options[1] == 1 ? Mac(options, 2) : target;
        }

        _text.Put($",nd_sll={source},nd_tll={target}");
    }

    private readonly void PrintChecksum(string? name)
    {
        var (label, at, least) = name switch { "tcp" => ("tcp", 16, 20), "udp" => ("udp", 6, 8), "icmp" => ("icmp", 2, 8), "icmp6" => ("icmp6", 2, 4), _ => ("", 0, int.MaxValue) };
        _text.Optional(_l4.Length >= least, $" {label}_csum:{U16(_l4, at):x}");
        _text.Optional(name == "sctp" && _l4.Length >= 12, $" sctp_csum:{(name == "sctp" && _l4.Length >= 12 ? BinaryPrimitives.ReadUInt32BigEndian(_l4[8..]) : 0):x}");
    }

    /// <summary>An address inside a header; zeros when the packet is too short to have one.</summary>
    private static string Mac(ReadOnlySpan<byte> data, int at) =>
        new MacAddress(data.Length >= at + 6 ? (ulong)Wire.WireReader.ReadNumber(data.Slice(at, 6)) : 0).ToString();
}
