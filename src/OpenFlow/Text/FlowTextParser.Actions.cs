using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Instructions;

namespace Weft.OpenFlow.Text;

/// <content>Actions and instructions (ovs-actions(7)).</content>
internal sealed partial class FlowTextParser
{
    /// <summary>What stands behind "actions=".</summary>
    public FlowInstructions Instructions(string text)
    {
        try
        {
            return FlowInstructions.Of([.. Steps(text, instructions: true)]);
        }
        catch (ArgumentException e)
        {
            throw new OpenFlowTextException(e.Message);
        }
    }

    /// <summary>Actions without instructions: a group's bucket, a packet-out, ct(exec(...)).</summary>
    public ActionList Actions(string text)
    {
        try
        {
            return ActionList.Of([.. Steps(text, instructions: false).Cast<FlowAction>()]);
        }
        catch (ArgumentException e)
        {
            throw new OpenFlowTextException(e.Message);
        }
    }

    private List<FlowStep> Steps(string text, bool instructions)
    {
        var steps = new List<FlowStep>();
        var drop = false;
        var last = -1;
        var pairs = KeyValue.Cut(text).ToList();
        foreach (var (key, value) in pairs)
        {
            if (key == "drop")
            {
                drop = true;
                if (pairs.Count > 1)
                {
                    throw new OpenFlowTextException("\"drop\" must not be accompanied by any other action");
                }
            }
            else if (Instruction(key, value) is { } instruction)
            {
                if (!instructions)
                {
                    throw new OpenFlowTextException($"{key} is an instruction and cannot stand among these actions");
                }

                if (instruction is not WriteActions { Actions.IsEmpty: true })
                {
                    // Writing nothing is doing nothing.
                    steps.Add(instruction);
                }

                CheckOrder(ref last, instruction.Order, key);
            }
            else
            {
                AddAction(steps, key, value);
                CheckOrder(ref last, 1, key);
            }
        }

        return drop ? [] : steps;
    }

    /// <summary>A switch runs instructions in their own order; a text in another would not say what happens.</summary>
    private static void CheckOrder(ref int last, int order, string key)
    {
        const int Applied = 1;
        if (order < last || (order == last && order != Applied))
        {
            throw new OpenFlowTextException($"{key}: instructions come once each and in the order meter, actions, clear_actions, write_actions, write_metadata, goto_table");
        }

        last = order;
    }

    private Instruction? Instruction(string key, string value) => key switch
    {
        "goto_table" => new GotoTable(Table(value)),
        "meter" => new Meter(NumberText.U32(value, key)),
        "clear_actions" => new ClearActions(),
        "write_actions" => new WriteActions(new FlowTextParser(names).Actions(value)),
        "apply_actions" => throw new OpenFlowTextException("apply_actions is what actions are without it: leave it out"),
        "write_metadata" => Masked(value) is var (v, m) ? new WriteMetadata(v & m, m) : null,
        _ => null,
    };

    private static (ulong Value, ulong Mask) Masked(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        return slash < 0
            ? (NumberText.U64(text, "metadata"), ulong.MaxValue)
            : (NumberText.U64(text[..slash], "metadata"), NumberText.U64(text[(slash + 1)..], "metadata mask"));
    }

    private void AddAction(List<FlowStep> steps, string key, string value)
    {
        try
        {
            switch (key.ToLowerInvariant())
            {
                case "mod_vlan_vid" or "set_vlan_vid":
                    AddPushVlan(steps, key);
                    steps.Add(Fields.Fields.VlanVid.Set((ushort)(0x1000 | NumberText.U16(value, key))));
                    break;
                case "mod_vlan_pcp" or "set_vlan_pcp":
                    AddPushVlan(steps, key);
                    steps.Add(Fields.Fields.VlanPcp.Set(NumberText.U8(value, key)));
                    break;
                case "enqueue":
                    var parts = value.Split(':', ',');
                    steps.Add(new SetQueue(NumberText.U32(parts[^1], key)));
                    steps.Add(new Output(Port(parts[0]), 0xffff));
                    steps.Add(new PopQueue());
                    break;
                default:
                    steps.Add(Action(key, value));
                    break;
            }
        }
        catch (ArgumentException e)
        {
            throw new OpenFlowTextException($"{key}: {e.Message}");
        }
    }

    private void AddPushVlan(List<FlowStep> steps, string key)
    {
        if (key.StartsWith("mod", StringComparison.Ordinal) && !_hasVlan)
        {
            steps.Add(ChangeHeader.PushVlan);
            _hasVlan = true;
        }
    }

    private FlowAction Action(string key, string value)
    {
        switch (key)
        {
            case "output": return Output(value);
            case "group": return new ToGroup(NumberText.U32(value, key));
            case "set_queue": return new SetQueue(NumberText.U32(value, key));
            case "pop_queue": return new PopQueue();
            case "resubmit": return ParseResubmit(value);
            case "ct": return ParseConntrack(value);
            case "nat": return ParseNat(value);
            case "ct_clear": return SimpleAction.CtClear;
            case "exit": return SimpleAction.Exit;
            case "dec_nsh_ttl": return new SimpleAction(SimpleOperation.DecNshTtl);
            case "debug_recirc": return new SimpleAction(SimpleOperation.DebugRecirc);
            case "debug_slow": return new SimpleAction(SimpleOperation.DebugSlow);
            case "learn": return ParseLearn(value);
            case "conjunction": return ParseConjunction(value);
            case "load": return ParseLoad(value);
            case "move": return Arrow(value, (from, to) => new RegMove(Range(from), Range(to)));
            case "set_field": return ParseSetField(value);
            case "push": return new Actions.Stack(Range(value), true);
            case "pop": return new Actions.Stack(Range(value), false);
            case "note": return new Note(Hex(value));
            case "controller" or "CONTROLLER": return ParseController(value);
            case "multipath": return ParseMultipath(value);
            case "bundle": return ParseBundle(value, false);
            case "bundle_load": return ParseBundle(value, true);
            case "clone": return new Clone(new FlowTextParser(names).Actions(value));
            case "sample": return ParseSample(value);
            case "fin_timeout": return ParseFinTimeout(value);
            case "check_pkt_larger": return Arrow(value.Replace(")->", "->", StringComparison.Ordinal), (n, to) => new CheckPacketLarger(NumberText.U16(n, key), Range(to)));
            case "delete_field": return new DeleteField(ActionField(value));
            case "encap": return ParseEncap(value);
            case "decap": return ParseDecap(value);
            case "dec_ttl": return value.Length == 0 ? ChangeHeader.DecTtl : new DecTtlWithIds([.. value.Split(',').Select(i => NumberText.U16(i, key))]);
            default: return HeaderAction(key, value) ?? PortName(key, value);
        }
    }

    private FlowAction? HeaderAction(string key, string value)
    {
        switch (key)
        {
            case "push_vlan":
                _hasVlan = true;
                return new ChangeHeader(HeaderOperation.PushVlan, NumberText.U16(value, key));
            case "pop_vlan" or "strip_vlan":
                _hasVlan = false;
                return ChangeHeader.PopVlan;
            case "push_mpls": return new ChangeHeader(HeaderOperation.PushMpls, NumberText.U16(value, key));
            case "pop_mpls": return new ChangeHeader(HeaderOperation.PopMpls, NumberText.U16(value, key));
            case "dec_mpls_ttl": return new ChangeHeader(HeaderOperation.DecMplsTtl);
            case "set_mpls_ttl": return new ChangeHeader(HeaderOperation.SetMplsTtl, NumberText.U8(value, key));
            case "mod_nw_ttl": return new ChangeHeader(HeaderOperation.SetIpTtl, NumberText.U8(value, key));
            case "set_mpls_label": return Fields.Fields.MplsLabel.Set(NumberText.U32(value, key));
            case "set_mpls_tc": return Fields.Fields.MplsTc.Set(NumberText.U8(value, key));
            case "mod_dl_src": return Fields.Fields.EthSrc.Set(MacAddress.Parse(value));
            case "mod_dl_dst": return Fields.Fields.EthDst.Set(MacAddress.Parse(value));
            case "mod_nw_src": return new SetField(Fields.Fields.IPv4Src, Single(Fields.Fields.IPv4Src, value));
            case "mod_nw_dst": return new SetField(Fields.Fields.IPv4Dst, Single(Fields.Fields.IPv4Dst, value));
            case "mod_nw_tos": return Fields.Fields.IpDscp.Set((byte)(NumberText.U8(value, key) >> 2));
            case "mod_nw_ecn": return Fields.Fields.IpEcn.Set(NumberText.U8(value, key));
            case "mod_tp_src": return new SetField(Transport("tp_src"), NumberText.U16(value, key));
            case "mod_tp_dst": return new SetField(Transport("tp_dst"), NumberText.U16(value, key));
            case "set_tunnel" or "set_tunnel64": return Fields.Fields.TunId.Set(NumberText.U64(value, key));
            default: return null;
        }
    }

    private Field Transport(string name) => _proto is 6 or 17 or 132
        ? MatchField(name)
        : throw new OpenFlowTextException($"mod_{name} needs tcp, udp or sctp in the match");

    private Output PortName(string key, string value)
    {
        if (value.Length > 0)
        {
            throw new OpenFlowTextException($"unknown action {key}");
        }

        try
        {
            var port = Port(key);
            return new Output(port, port == Ports.Controller ? (ushort)0xffff : (ushort)0);
        }
        catch (OpenFlowTextException)
        {
            throw new OpenFlowTextException($"unknown action {key}");
        }
    }

    private FlowAction Output(string value)
    {
        if (value.StartsWith("port=", StringComparison.Ordinal) || value.StartsWith("max_len=", StringComparison.Ordinal))
        {
            uint port = 0;
            uint max = 0;
            foreach (var (key, v) in KeyValue.Cut(value))
            {
                _ = key switch
                {
                    "port" => port = Port(v),
                    "max_len" => max = NumberText.U32(v, key),
                    _ => throw new OpenFlowTextException($"output: unknown key {key}"),
                };
            }

            return new OutputTruncated(port, max);
        }

        if (value.Contains('[', StringComparison.Ordinal))
        {
            return new OutputReg(Range(value));
        }

        var number = Port(value);
        return new Output(number, number == Ports.Controller ? (ushort)0xffff : (ushort)0);
    }

    private Resubmit ParseResubmit(string value)
    {
        var parts = value.Split(',');
        var port = parts[0].Length == 0 ? Ports.InPort : Port(parts[0]);
        byte? table = parts.Length > 1 && parts[1].Length > 0 ? Table(parts[1]) : null;
        var ct = parts.Length > 2 && parts[2] == "ct";
        if (parts.Length > 3 || (parts.Length > 2 && !ct) || (port == Ports.InPort && table is null))
        {
            throw new OpenFlowTextException($"resubmit({value}): a port, a table or both are needed, then perhaps ct");
        }

        return new Resubmit(table == 255 ? null : table, port, ct);
    }

    private FlowAction ParseLoad(string value) => Arrow<FlowAction>(value, (number, target) =>
    {
        var range = Range(target);
        var bits = Single(range, number);
        return range.Count <= 64 || range.Field.IsVariable && bits <= ulong.MaxValue ? new RegLoad(range, (ulong)bits)
            : range.Field.IsVariable ? throw new OpenFlowTextException($"load: {number} has more than 64 bits: write the option with set_field")
            : new SetField(range.Field, bits << range.Offset, range.Mask) { IsLoad = true };
    });

    private static UInt128 Single(BitRange range, string number)
    {
        var value = NumberText.Parse(number, "load");
        return (value & ~range.ValueMask) == 0 ? value : throw new OpenFlowTextException($"load: {number} does not fit into {range.Count} bits");
    }

    private SetField ParseSetField(string value) => Arrow(value, (number, target) =>
    {
        var field = ActionField(target);
        if (field.IsVariable && number.Length > 0 && Option(number) is { } option)
        {
            return new SetField(field, option);
        }

        var condition = Value(field, number);
        return new SetField(field, condition.Value, condition.Mask);
    });

    private static T Arrow<T>(string value, Func<string, string, T> make)
    {
        var arrow = value.IndexOf("->", StringComparison.Ordinal);
        return arrow > 0 ? make(value[..arrow].Trim(), value[(arrow + 2)..].Trim()) : throw new OpenFlowTextException($"{value}: missing ->");
    }
}
