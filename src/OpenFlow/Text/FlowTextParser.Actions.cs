using System.Collections.Immutable;
using System.Globalization;
using System.Net;
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
                steps.Add(instructions ? instruction : throw new OpenFlowTextException($"{key} is an instruction and cannot stand among these actions"));
            }
            else
            {
                AddAction(steps, key, value);
            }
        }

        return drop ? [] : steps;
    }

    private Instruction? Instruction(string key, string value) => key switch
    {
        "goto_table" => new GotoTable(Table(value)),
        "meter" => new Meter(NumberText.U32(value, key)),
        "clear_actions" => new ClearActions(),
        "write_actions" => new WriteActions(new FlowTextParser(names).Actions(value)),
        "apply_actions" => new ApplyActions(new FlowTextParser(names).Actions(value)),
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
            case "controller": return ParseController(value);
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
            case "CONTROLLER": return new Output(Ports.Controller, value.Length == 0 ? (ushort)0xffff : NumberText.U16(value, key));
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

    private RegLoad ParseLoad(string value) => Arrow(value, (number, target) =>
    {
        var range = Range(target);
        return new RegLoad(range, (ulong)range.Read(Single(new BitRange(range.Field, 0, range.Count), number) << range.Offset));
    });

    private static UInt128 Single(BitRange range, string number)
    {
        var value = NumberText.Parse(number, "load");
        return (value & ~range.ValueMask) == 0 ? value : throw new OpenFlowTextException($"load: {number} does not fit into {range.Count} bits");
    }

    private SetField ParseSetField(string value) => Arrow(value, (number, target) =>
    {
        var field = ActionField(target);
        var condition = Value(field, number);
        return new SetField(field, condition.Value, condition.Mask);
    });

    private static T Arrow<T>(string value, Func<string, string, T> make)
    {
        var arrow = value.IndexOf("->", StringComparison.Ordinal);
        return arrow > 0 ? make(value[..arrow].Trim(), value[(arrow + 2)..].Trim()) : throw new OpenFlowTextException($"{value}: missing ->");
    }

    private static Conjunction ParseConjunction(string value)
    {
        var parts = value.Split(',', '/');
        if (parts.Length != 3)
        {
            throw new OpenFlowTextException($"conjunction({value}): conjunction(id,k/n) is right");
        }

        var (clause, clauses) = (NumberText.U8(parts[1].Trim(), "clause"), NumberText.U8(parts[2].Trim(), "clauses"));
        return clauses is >= 2 and <= 64 && clause >= 1 && clause <= clauses
            ? new Conjunction(NumberText.U32(parts[0].Trim(), "id"), clause, clauses)
            : throw new OpenFlowTextException($"conjunction({value}): 2 to 64 clauses, counted from 1");
    }

    private ToController ParseController(string value)
    {
        var controller = new ToController();
        foreach (var (key, v) in KeyValue.Cut(value))
        {
            controller = key switch
            {
                "max_len" => controller with { MaxLength = NumberText.U16(v, key) },
                "id" => controller with { ControllerId = NumberText.U16(v, key) },
                "reason" => controller with { Reason = Messages.PacketInReasons.Find(v) ?? throw new OpenFlowTextException($"controller: unknown reason {v}") },
                "userdata" => controller with { UserData = Hex(v) },
                "pause" => controller with { Pause = true },
                "meter_id" => controller with { MeterId = NumberText.U32(v, key) },
                _ => throw new OpenFlowTextException($"controller: unknown key {key}"),
            };
        }

        return controller;
    }

    private Conntrack ParseConntrack(string value)
    {
        var ct = new Conntrack();
        foreach (var (key, v) in KeyValue.Cut(value))
        {
            switch (key)
            {
                case "commit": ct = ct with { Commit = true }; break;
                case "force": ct = ct with { Force = true }; break;
                case "table": ct = ct with { Table = Table(v) }; break;
                case "zone" when v.Length > 0 && char.IsAsciiDigit(v[0]): ct = ct with { Zone = NumberText.U16(v, key) }; break;
                case "zone": ct = ct with { ZoneSource = Range(v) }; break;
                case "nat": ct = ct with { Nat = ParseNat(v) }; break;
                case "exec": ct = ct with { Exec = new FlowTextParser(names).Actions(v) }; break;
                case "alg": ct = ct with { Alg = v switch { "ftp" => 21, "tftp" => 69, _ => NumberText.U16(v, key) } }; break;
                default: throw new OpenFlowTextException($"ct: unknown argument {key}");
            }
        }

        return ct;
    }

    private static Nat ParseNat(string value)
    {
        var nat = new Nat();
        foreach (var (key, v) in KeyValue.Cut(value))
        {
            switch (key)
            {
                case "src" or "dst":
                    nat = nat with { Kind = key == "src" ? NatKind.Source : NatKind.Destination };
                    nat = v.Length > 0 ? NatRange(nat, v) : nat;
                    break;
                case "persistent": nat = nat with { Persistent = true }; break;
                case "hash": nat = nat with { Hash = true }; break;
                case "random": nat = nat with { Random = true }; break;
                default: throw new OpenFlowTextException($"nat: unknown argument {key}");
            }
        }

        return nat;
    }

    /// <summary>10.0.0.1, 10.0.0.1-10.0.0.9, 10.0.0.1:80-90, fd00::1, [fd00::1]-[fd00::9]:80.</summary>
    private static Nat NatRange(Nat nat, string text)
    {
        var bracketed = text.Contains('[', StringComparison.Ordinal);
        var v6 = bracketed || text.Count(c => c == ':') > 1;
        var portAt = bracketed ? text.LastIndexOf("]:", StringComparison.Ordinal) + 1 : v6 ? -1 : text.IndexOf(':', StringComparison.Ordinal);
        var addresses = (portAt > 0 ? text[..portAt] : text).Split('-');
        var ports = portAt > 0 ? text[(portAt + 1)..].Split('-') : [];
        if (addresses.Length > 2 || ports.Length > 2)
        {
            throw new OpenFlowTextException($"nat: {text}: a range has two ends");
        }

        return nat with
        {
            Address = NatAddress(addresses[0]),
            LastAddress = addresses.Length > 1 ? NatAddress(addresses[1]) : null,
            Port = ports.Length > 0 ? NumberText.U16(ports[0], "nat port") : (ushort)0,
            LastPort = ports.Length > 1 ? NumberText.U16(ports[1], "nat port") : (ushort)0,
        };
    }

    private static IPAddress NatAddress(string text) => IPAddress.TryParse(text.Trim('[', ']'), out var address)
        ? address
        : throw new OpenFlowTextException($"nat: \"{text}\" is not an IP address");

    private Learn ParseLearn(string value)
    {
        var learn = new Learn { Table = 1 };
        var specs = ImmutableArray.CreateBuilder<LearnSpec>();
        foreach (var (key, v) in KeyValue.Cut(value))
        {
            switch (key)
            {
                case "table": learn = learn with { Table = Table(v) }; break;
                case "priority": learn = learn with { Priority = NumberText.U16(v, key) }; break;
                case "idle_timeout": learn = learn with { IdleTimeout = NumberText.U16(v, key) }; break;
                case "hard_timeout": learn = learn with { HardTimeout = NumberText.U16(v, key) }; break;
                case "fin_idle_timeout": learn = learn with { FinIdleTimeout = NumberText.U16(v, key) }; break;
                case "fin_hard_timeout": learn = learn with { FinHardTimeout = NumberText.U16(v, key) }; break;
                case "cookie": learn = learn with { Cookie = NumberText.U64(v, key) }; break;
                case "send_flow_rem": learn = learn with { SendFlowRemoved = true }; break;
                case "delete_learned": learn = learn with { DeleteLearned = true }; break;
                case "limit": learn = learn with { Limit = NumberText.U32(v, key) }; break;
                case "result_dst": learn = learn with { ResultTarget = Range(v) }; break;
                default: specs.Add(Spec(key, v)); break;
            }
        }

        return learn with { Specs = specs.ToImmutable() };
    }

    private LearnSpec Spec(string key, string value)
    {
        if (key == "output")
        {
            return LearnSpec.Output(Range(value));
        }

        if (key == "load")
        {
            return Arrow(value, (from, to) => from.Contains('[', StringComparison.Ordinal)
                ? LearnSpec.Load(Range(from), Range(to))
                : LearnSpec.Load(NumberText.Parse(from, "load"), Range(to)));
        }

        var target = LearnTarget(key);
        if (value.Length == 0)
        {
            return LearnSpec.Match(target);
        }

        return value.Contains('[', StringComparison.Ordinal) ? LearnSpec.Match(target, Range(value))
            : LearnSpec.Match(target, target.IsWhole ? Value(target.Field, value).Value : NumberText.Parse(value, key));
    }

    private static BitRange LearnTarget(string key) => Range(key);

    private static FinTimeout ParseFinTimeout(string value)
    {
        ushort idle = 0;
        ushort hard = 0;
        foreach (var (key, v) in KeyValue.Cut(value))
        {
            _ = key switch
            {
                "idle_timeout" => idle = NumberText.U16(v, key),
                "hard_timeout" => hard = NumberText.U16(v, key),
                _ => throw new OpenFlowTextException($"fin_timeout: unknown key {key}"),
            };
        }

        return new FinTimeout(idle, hard);
    }

    private Sample ParseSample(string value)
    {
        var sample = new Sample(0, 0, 0, 0);
        foreach (var (key, v) in KeyValue.Cut(value))
        {
            sample = key switch
            {
                "probability" => sample with { Probability = NumberText.U16(v, key) },
                "collector_set_id" => sample with { CollectorSetId = NumberText.U32(v, key) },
                "obs_domain_id" => sample with { ObservationDomainId = NumberText.U32(v, key) },
                "obs_point_id" => sample with { ObservationPointId = NumberText.U32(v, key) },
                "sampling_port" => sample with { SamplingPort = Port(v) },
                "ingress" => sample with { Direction = 1 },
                "egress" => sample with { Direction = 2 },
                _ => throw new OpenFlowTextException($"sample: unknown key {key}"),
            };
        }

        return sample.Probability != 0 ? sample : throw new OpenFlowTextException("sample: non-zero probability must be specified");
    }

    private static Multipath ParseMultipath(string value)
    {
        var p = value.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries);
        if (p.Length != 6)
        {
            throw new OpenFlowTextException($"multipath({value}): fields, basis, algorithm, links, argument and target are needed");
        }

        var links = int.Parse(p[3], NumberStyles.None, CultureInfo.InvariantCulture);
        return links is >= 1 and <= 65536
            ? new Multipath((HashFields)Index(HashNames.Fields, p[0]), NumberText.U16(p[1], "basis"), (ushort)Index(HashNames.Multipath, p[2]), links, NumberText.U32(p[4], "argument"), Range(p[5]))
            : throw new OpenFlowTextException($"multipath: {links} links, 1 to 65536 are possible");
    }

    private PortBundle ParseBundle(string value, bool load)
    {
        var at = value.IndexOf("members:", StringComparison.Ordinal);
        var skip = "members:".Length;
        if (at < 0)
        {
            at = value.IndexOf("slaves:", StringComparison.Ordinal);
            skip = "slaves:".Length;
        }

        var p = (at < 0 ? value : value[..at]).Split([',', ' '], StringSplitOptions.RemoveEmptyEntries);
        if (at < 0 || p.Length != (load ? 5 : 4) || p[3] is not ("ofport" or "NXM_OF_IN_PORT"))
        {
            throw new OpenFlowTextException($"bundle({value}): fields, basis, algorithm, ofport, perhaps a target, and members:... are needed");
        }

        var members = value[(at + skip)..].Split([',', ' '], StringSplitOptions.RemoveEmptyEntries).Select(Port);
        return new PortBundle((HashFields)Index(HashNames.Fields, p[0]), NumberText.U16(p[1], "basis"), (ushort)Index(HashNames.Bundle, p[2]), [.. members], load ? Range(p[4]) : null);
    }

    private static int Index(string[] known, string word)
    {
        var index = Array.FindIndex(known, n => string.Equals(n, word, StringComparison.OrdinalIgnoreCase));
        return index >= 0 ? index : throw new OpenFlowTextException($"{word}: {string.Join(", ", known)} are known");
    }

    private static Encap ParseEncap(string value)
    {
        var open = value.IndexOf('(', StringComparison.Ordinal);
        var name = open < 0 ? value : value[..open];
        var type = EncapProperties.TypeOf(name.Trim()) ?? throw new OpenFlowTextException($"encap: unknown header {name}; ethernet, nsh, mpls and mpls_mc are known");
        var properties = open < 0 ? [] : EncapProperties.Parse(value[(open + 1)..value.LastIndexOf(')')]);
        return new Encap(type, 0, [.. properties]);
    }

    private static Decap ParseDecap(string value)
    {
        if (value.Length == 0)
        {
            return new Decap();
        }

        uint ns = 0;
        uint type = 0;
        foreach (var (key, v) in KeyValue.Cut(value))
        {
            if (key != "packet_type")
            {
                throw new OpenFlowTextException($"decap: unknown key {key}");
            }

            foreach (var (k, n) in KeyValue.Cut(v))
            {
                _ = k == "ns" ? ns = NumberText.U16(n, k) : type = NumberText.U16(n, k);
            }
        }

        return new Decap((ns << 16) | type);
    }

    private static byte[] Hex(string text)
    {
        try
        {
            return Convert.FromHexString(text.Replace(".", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal));
        }
        catch (FormatException)
        {
            throw new OpenFlowTextException($"{text}: hexadecimal bytes, separated by dots or not, are needed");
        }
    }
}
