using System.Globalization;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Fields;

namespace Weft.OpenFlow.Text;

/// <content>controller, sample, multipath, bundle, encap and decap.</content>
internal sealed partial class FlowTextParser
{
    /// <summary>What OpenFlow 1.3 itself can say is an output; only the rest needs the extension.</summary>
    private static FlowAction ParseController(string value)
    {
        if (value.Length == 0 || char.IsAsciiDigit(value[0]))
        {
            return new Output(Ports.Controller, value.Length == 0 ? ushort.MaxValue : NumberText.U16(value, "controller"));
        }

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

        return controller is { Reason: 1, ControllerId: 0, Pause: false, MeterId: 0 } && controller.UserData.IsEmpty ? new Output(Ports.Controller, controller.MaxLength) : controller;
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
