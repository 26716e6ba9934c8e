using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Instructions;

namespace Weft.OpenFlow.Text;

/// <summary>Reads ovs-ofctl syntax. One parser reads one text; the parts are in the other files of this class.</summary>
internal sealed partial class FlowTextParser(NameMap? names)
{
    private ushort _ethType;
    private byte _proto;
    private bool _hasVlan;

    public static IEnumerable<(string Key, string Value)> KeyValues(string text) => KeyValue.Cut(text);

    /// <summary>A flow to add: needs actions.</summary>
    public Flow Flow(string text) => FlowMod(text, Messages.FlowCommand.Add).Flow;

    /// <summary>A flow mod in the syntax of the command's ovs-ofctl subcommand.</summary>
    public Messages.FlowMod FlowMod(string text, Messages.FlowCommand command)
    {
        var (head, actions) = SplitActions(text);
        var deletes = command is Messages.FlowCommand.Delete or Messages.FlowCommand.DeleteStrict;
        if (actions is null && !deletes)
        {
            throw new OpenFlowTextException($"{text}: must specify an action (actions=...)");
        }

        var state = new FlowHead { Table = deletes ? (byte)255 : (byte)0 };
        var match = Match(head, state);
        if (command == Messages.FlowCommand.Add && state.CookieMask != 0)
        {
            throw new OpenFlowTextException("cookie: a flow that is added has a cookie; a mask is for changes and deletions");
        }

        var instructions = actions is null ? default : Instructions(actions);
        var flow = new Flow(state.Table, state.Priority, match, instructions)
        {
            Cookie = state.Cookie,
            IdleTimeout = state.Idle,
            HardTimeout = state.Hard,
            Flags = state.Flags,
        };
        return new Messages.FlowMod(command, flow) { OutPort = state.OutPort, OutGroup = state.OutGroup, CookieMask = state.CookieMask, CookieFilter = state.CookieFilter };
    }

    /// <summary>A match alone.</summary>
    public Match Match(string text) => Match(text, new FlowHead());

    private static (string Head, string? Actions) SplitActions(string text)
    {
        var at = text.IndexOf("action", StringComparison.Ordinal);
        while (at >= 0)
        {
            var end = at + "action".Length;
            end += end < text.Length && text[end] == 's' ? 1 : 0;
            if (end < text.Length && text[end] == '=')
            {
                return (text[..at], text[(end + 1)..].Trim());
            }

            at = text.IndexOf("action", end, StringComparison.Ordinal);
        }

        return (text, null);
    }

    private Match Match(string text, FlowHead head)
    {
        var builder = new MatchBuilder();
        var pairs = KeyValue.Cut(text).ToList();
        foreach (var (key, value) in pairs)
        {
            if (value.Length == 0 && Protocols.Find(key) is { } protocol)
            {
                Add(builder, Fields.Fields.EthType.Is(protocol.EthType));
                _ethType = protocol.EthType;
                if (protocol.Proto is { } proto)
                {
                    Add(builder, Fields.Fields.IpProto.Is(proto));
                    _proto = proto;
                }
            }
            else if (key is "dl_type" or "eth_type")
            {
                _ethType = NumberText.U16(value, key);
            }
            else if (key is "nw_proto" or "ip_proto" && _ethType is not (0x0806 or 0x8035))
            {
                _proto = NumberText.U8(value, key);
            }
        }

        foreach (var (key, value) in pairs)
        {
            if (!head.Take(key, value, this) && !(value.Length == 0 && Protocols.Find(key) is not null))
            {
                AddField(builder, key, value);
            }
        }

        try
        {
            var match = builder.Build(addPrerequisites: true);
            _hasVlan = match.TryGet(Fields.Fields.VlanVid, out var vid) && ((ushort)vid.Value & 0x1000) != 0;
            return match;
        }
        catch (ArgumentException e)
        {
            throw new OpenFlowTextException(e.Message);
        }
    }

    private static void Add(MatchBuilder builder, FieldMatch condition)
    {
        try
        {
            builder.Add(condition);
        }
        catch (ArgumentException e)
        {
            throw new OpenFlowTextException(e.Message);
        }
    }

    private void AddField(MatchBuilder builder, string key, string value)
    {
        if (value.Length == 0 && Fields.Fields.Find(key) is not { IsVariable: true })
        {
            throw new OpenFlowTextException($"{key}: missing value, or unknown word");
        }

        switch (key)
        {
            case "dl_vlan":
                var vid = NumberText.U16(value, key);
                if (vid is > 0xfff and not 0xffff)
                {
                    throw new OpenFlowTextException($"dl_vlan={value}: VLANs are 0 to 4095, and 0xffff for packets without one");
                }

                Add(builder, vid == 0xffff ? Fields.Fields.VlanVid.Is(0) : Fields.Fields.VlanVid.Is((ushort)(0x1000 | (vid & 0xfff))));
                return;
            case "dl_vlan_pcp":
                Add(builder, Fields.Fields.VlanVid.Masked(0x1000, 0x1000));
                Add(builder, Fields.Fields.VlanPcp.Is(NumberText.U8(value, key)));
                return;
            case "vlan_vid":
                Add(builder, Condition(Fields.Fields.VlanVid, value));
                return;
            case "gtpu_flags":
                Add(builder, Condition(Fields.Fields.TunGtpuFlags, value));
                return;
            case "gtpu_msgtype":
                Add(builder, Condition(Fields.Fields.TunGtpuMsgtype, value));
                return;
        }

        var condition = Condition(MatchField(key), value);
        if (condition.Field == Fields.Fields.IpTos && (condition.Value & 3) != 0)
        {
            throw new OpenFlowTextException($"{key}={value}: the lowest two bits are nw_ecn's");
        }

        Add(builder, condition);
    }

    /// <summary>The field of a name, where the protocol decides what the name means.</summary>
    private Field MatchField(string key)
    {
        if (key is "tp_src" or "tp_dst" && _ethType is 0x0800 or 0x86dd && _proto is not (1 or 6 or 17 or 58 or 132))
        {
            throw new OpenFlowTextException($"{key} needs tcp, udp, sctp or icmp");
        }

        var arp = _ethType is 0x0806 or 0x8035;
        var v6 = _ethType == 0x86dd;
        return (key switch
        {
            "nw_src" when arp => Fields.Fields.ArpSpa,
            "nw_dst" when arp => Fields.Fields.ArpTpa,
            "nw_proto" when arp => Fields.Fields.ArpOp,
            "icmp_type" when v6 => Fields.Fields.Icmpv6Type,
            "icmp_code" when v6 => Fields.Fields.Icmpv6Code,
            "tp_src" => _proto switch { 17 => Fields.Fields.UdpSrc, 132 => Fields.Fields.SctpSrc, 1 => Fields.Fields.IcmpType, 58 => Fields.Fields.Icmpv6Type, _ => Fields.Fields.TcpSrc },
            "tp_dst" => _proto switch { 17 => Fields.Fields.UdpDst, 132 => Fields.Fields.SctpDst, 1 => Fields.Fields.IcmpCode, 58 => Fields.Fields.Icmpv6Code, _ => Fields.Fields.TcpDst },
            _ => Fields.Fields.Find(key),
        }) ?? throw new OpenFlowTextException($"unknown keyword {key}");
    }

    /// <summary>What stands before the match.</summary>
    private sealed class FlowHead
    {
        public byte Table;
        public ushort Priority = Entries.Flow.DefaultPriority;
        public ulong Cookie;
        public ulong CookieMask;
        public ulong CookieFilter;
        public ushort Idle;
        public ushort Hard;
        public FlowFlags Flags;
        public uint OutPort = Ports.Any;
        public uint OutGroup = uint.MaxValue;

        public bool Take(string key, string value, FlowTextParser parser)
        {
            switch (key)
            {
                case "table": Table = parser.Table(value); return true;
                case "priority": Priority = NumberText.U16(value, key); return true;
                case "idle_timeout": Idle = NumberText.U16(value, key); return true;
                case "hard_timeout": Hard = NumberText.U16(value, key); return true;
                case "out_port": OutPort = parser.Port(value); return true;
                case "out_group": OutGroup = NumberText.U32(value, key); return true;
                case "cookie": TakeCookie(value); return true;
                case "send_flow_rem": Flags |= FlowFlags.SendFlowRemoved; return true;
                case "check_overlap": Flags |= FlowFlags.CheckOverlap; return true;
                case "reset_counts": Flags |= FlowFlags.ResetCounts; return true;
                case "no_packet_counts": Flags |= FlowFlags.NoPacketCounts; return true;
                case "no_byte_counts": Flags |= FlowFlags.NoByteCounts; return true;
                case "duration" or "n_packets" or "n_bytes" or "idle_age" or "hard_age": return true;
                default: return false;
            }
        }

        private void TakeCookie(string value)
        {
            var slash = value.IndexOf('/', StringComparison.Ordinal);
            if (slash < 0)
            {
                Cookie = NumberText.U64(value, "cookie");
                return;
            }

            CookieFilter = NumberText.U64(value[..slash], "cookie");
            CookieMask = value[(slash + 1)..] == "-1" ? ulong.MaxValue : NumberText.U64(value[(slash + 1)..], "cookie mask");
        }
    }
}
