using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Fields;

/// <summary>Collects conditions in any order and spelling, and writes them in the canonical form.</summary>
internal readonly struct MatchBuilder
{
    [ThreadStatic]
    private static List<FieldMatch>? _spare;

    [ThreadStatic]
    private static WireWriter? _writer;

    private readonly List<FieldMatch> _conditions;

    public MatchBuilder()
    {
        _conditions = _spare ?? [];
        _spare = null;
        _conditions.Clear();
    }

    /// <summary>OXM entries that the library does not know, kept behind the known ones.</summary>
    public List<byte[]> Unknown { get; } = [];

    public void Add(FieldMatch condition)
    {
        var (field, value, mask) = (condition.Field, condition.Value, condition.Mask);
        if (mask == 0 && condition.Option is null)
        {
            return;
        }

        if (!field.IsAlias)
        {
            Merge(condition);
            return;
        }

        if (field == Fields.InPort16)
        {
            Merge(Fields.InPort.IsBits(Ports.FromOpenFlow10((ushort)value)));
        }
        else if (field == Fields.IpTos)
        {
            Merge(Fields.IpDscp.IsBits(value >> 2));
        }
        else if (field == Fields.VlanTci)
        {
            AddTci((ushort)value, (ushort)mask);
        }
        else
        {
            AddRegisters(field, value, mask);
        }
    }

    public Match Build(bool addPrerequisites)
    {
        if (addPrerequisites)
        {
            AddPrerequisites();
        }

        // Insertion sort: matches are short and nearly sorted.
        for (var i = 1; i < _conditions.Count; i++)
        {
            var c = _conditions[i];
            var j = i - 1;
            for (; j >= 0 && _conditions[j].Field.Order > c.Field.Order; j--)
            {
                _conditions[j + 1] = _conditions[j];
            }

            _conditions[j + 1] = c;
        }

        var writer = _writer ??= new WireWriter();
        writer.Clear();
        foreach (var condition in _conditions)
        {
            OxmCodec.Write(writer, condition);
        }

        foreach (var unknown in Unknown)
        {
            writer.Bytes(unknown);
        }

        _spare = _conditions;
        return new Match(writer.ToArray());
    }

    private void AddTci(ushort value, ushort mask)
    {
        const ushort VidAndPresent = 0x1fff;
        var vid = (ushort)(value & VidAndPresent);
        if ((mask & VidAndPresent) != 0)
        {
            Merge(new FieldMatch(Fields.VlanVid, vid, (UInt128)(mask & VidAndPresent)));
        }

        // Open vSwitch writes the priority only beside a VLAN id that is not zero (nx_put_raw).
        if ((mask & 0xe000) != 0 && vid != 0)
        {
            Merge(Fields.VlanPcp.IsBits((UInt128)(value >> 13)));
        }
    }

    private void AddRegisters(Field field, UInt128 value, UInt128 mask)
    {
        var words = field.Bits / 32;
        var first = words == 2 ? (field.Order - Fields.XReg0.Order) * 2 : (field.Order - Fields.XXReg0.Order) * 4;
        for (var i = 0; i < words; i++)
        {
            var shift = 32 * (words - 1 - i);
            var wordMask = (uint)(mask >> shift);
            if (wordMask != 0)
            {
                Merge(new FieldMatch(Fields.Reg(first + i), (uint)(value >> shift) & wordMask, wordMask));
            }
        }
    }

    private void Merge(FieldMatch condition)
    {
        if (condition.Field == Fields.PacketType && condition.Value == 0 && condition.IsExact)
        {
            return; // Ethernet: what every OpenFlow 1.3 match means anyway.
        }

        const uint KnownStates = 0xff;
        if (condition.Field == Fields.CtState && condition.Mask > KnownStates)
        {
            // Eight flags exist; Open vSwitch keeps no others.
            condition = new FieldMatch(condition.Field, condition.Value & KnownStates, condition.Mask & KnownStates);
        }

        if (condition.Field == Fields.CtNwProto && condition.Value == 0)
        {
            return; // Open vSwitch does not keep it either (nx_put_raw).
        }

        for (var i = 0; i < _conditions.Count; i++)
        {
            var other = _conditions[i];
            if (other.Field != condition.Field)
            {
                continue;
            }

            if (other.Option is not null || condition.Option is not null)
            {
                if (other.Option is not null && other.Option.Equals(condition.Option))
                {
                    return;
                }

                throw new ArgumentException($"two conditions on {condition.Field.Name}, one of them on more than 128 bits or on its presence: give one");
            }

            if (((other.Value ^ condition.Value) & other.Mask & condition.Mask) != 0)
            {
                throw new ArgumentException($"two conditions on {condition.Field.Name} contradict each other: {other} and {condition}");
            }

            _conditions[i] = new FieldMatch(condition.Field, other.Value | condition.Value, other.Mask | condition.Mask, Math.Max(other.WireBytes, condition.WireBytes));
            return;
        }

        _conditions.Add(condition);
    }

    private void AddPrerequisites()
    {
        for (var i = 0; i < _conditions.Count; i++)
        {
            var field = _conditions[i].Field;
            switch (field.Prerequisite)
            {
                case Prerequisite.IPv4: NeedEth(field, 0x0800); break;
                case Prerequisite.IPv6: NeedEth(field, 0x86dd); break;
                case Prerequisite.Arp: NeedEth(field, 0x0806, 0x8035); break;
                case Prerequisite.Mpls: NeedEth(field, 0x8847, 0x8848); break;
                case Prerequisite.Nsh: NeedEth(field, 0x894f); break;
                case Prerequisite.IPAny: NeedIP(field); break;
                case Prerequisite.Tcp: NeedIP(field); NeedProto(field, 6); break;
                case Prerequisite.Udp: NeedIP(field); NeedProto(field, 17); break;
                case Prerequisite.Sctp: NeedIP(field); NeedProto(field, 132); break;
                case Prerequisite.Icmpv4: NeedEth(field, 0x0800); NeedProto(field, 1); break;
                case Prerequisite.Icmpv6: NeedIcmpv6(field); break;
                case Prerequisite.Nd: NeedIcmpv6(field); NeedNd(field, null); break;
                case Prerequisite.NdSolicit: NeedIcmpv6(field); NeedNd(field, 135); break;
                case Prerequisite.NdAdvert: NeedIcmpv6(field); NeedNd(field, 136); break;
                case Prerequisite.Conntrack: NeedConntrack(field); break;
                case Prerequisite.VlanVid when Value(Fields.VlanVid) is null:
                    _conditions.Add(Fields.VlanVid.Masked(0x1000, 0x1000));
                    break;
            }
        }
    }

    /// <summary>The original tuple exists only for packets that belong to a valid connection (is_ct_valid in OVS's flow.h).</summary>
    private void NeedConntrack(Field field)
    {
        const CtStateFlags Implying = CtStateFlags.New | CtStateFlags.Established | CtStateFlags.Related | CtStateFlags.Reply | CtStateFlags.SourceNat | CtStateFlags.DestinationNat;
        foreach (var c in _conditions)
        {
            if (c.Field == Fields.CtState)
            {
                var (value, mask) = ((CtStateFlags)(uint)c.Value, (CtStateFlags)(uint)c.Mask);
                if ((value & Implying) != 0 || ((value & CtStateFlags.Tracked) != 0 && (mask & ~value & CtStateFlags.Invalid) != 0))
                {
                    NeedIP(field);
                    return;
                }
            }
        }

        throw new ArgumentException($"{field.Name} needs a ct_state that says the packet belongs to a connection: +trk-inv, or one of +new, +est, +rel, +rpl, +snat, +dnat");
    }

    private void NeedIcmpv6(Field field)
    {
        NeedEth(field, 0x86dd);
        NeedProto(field, 58);
    }

    private void NeedIP(Field field)
    {
        if (Value(Fields.EthType) is not { } type)
        {
            throw new ArgumentException($"{field.Name} needs eth_type 0x0800 (IPv4) or 0x86dd (IPv6): add Fields.EthType.Is(...)");
        }

        if (type != 0x0800 && type != 0x86dd)
        {
            throw new ArgumentException($"{field.Name} needs eth_type 0x0800 or 0x86dd, the match says 0x{(ushort)type:x4}");
        }
    }

    private void NeedEth(Field field, ushort type, ushort other = 0)
    {
        var has = Value(Fields.EthType);
        if (has is null)
        {
            _conditions.Add(Fields.EthType.Is(type));
        }
        else if (has != type && (other == 0 || has != other))
        {
            throw new ArgumentException($"{field.Name} needs eth_type 0x{type:x4}, the match says 0x{(ushort)has:x4}");
        }
    }

    private void NeedProto(Field field, byte proto)
    {
        var has = Value(Fields.IpProto);
        if (has is null)
        {
            _conditions.Add(Fields.IpProto.Is(proto));
        }
        else if (has != proto)
        {
            throw new ArgumentException($"{field.Name} needs nw_proto {proto}, the match says {has}");
        }
    }

    private void NeedNd(Field field, byte? type)
    {
        var has = Value(Fields.Icmpv6Type);
        if (has is null && type is { } only)
        {
            _conditions.Add(Fields.Icmpv6Type.Is(only));
        }
        else if (has is null || (type is not null ? has != type : has != 135 && has != 136))
        {
            throw new ArgumentException($"{field.Name} needs icmpv6_type {type?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "135 or 136"}: add Fields.Icmpv6Type.Is(...)");
        }
    }

    private UInt128? Value(Field field)
    {
        const uint EtherTypes = 1;
        if (field == Fields.EthType && _conditions.Find(c => c.Field == Fields.PacketType) is { Field: not null } packet && (uint)packet.Value >> 16 == EtherTypes)
        {
            // The packet begins with what an Ethernet type would announce.
            return packet.Value & 0xffff;
        }

        foreach (var c in _conditions)
        {
            if (c.Field == field)
            {
                return c.Value;
            }
        }

        return null;
    }
}
