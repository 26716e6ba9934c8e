using System.Globalization;
using System.Text.RegularExpressions;
using Weft.Ctl.Nodes;

namespace Weft.Ctl.Tracing;

/// <summary>What <c>ovs-appctl ofproto/trace</c> (ovs-vswitchd(8)) says of a packet in one switch.</summary>
/// <remarks>
/// The trace gives each recirculated packet the tunnel fields that it had before. Open vSwitch then takes it for one that came from that tunnel and
/// says "Not tunneling to our own address" where the real packet leaves: the check compares with the fields at the start of a translation
/// (<c>orig_tunnel_ipv6_dst</c> in ofproto-dpif-xlate.c), which real packets do not have yet. So the port of the last output counts, not that remark.
/// </remarks>
public sealed partial class SwitchTrace
{
    private SwitchTrace(IReadOnlyList<TraceStep> steps, IReadOnlyDictionary<string, string> packet, long? output, bool toController, string text) =>
        (Steps, Packet, Output, ToController, Text) = (steps, packet, output, toController, text);

    /// <summary>The flows it met, in order.</summary>
    public IReadOnlyList<TraceStep> Steps { get; }

    /// <summary>The packet as it left or was dropped: fields in the words of ovs-fields(7); a protocol stands alone, with an empty value.</summary>
    public IReadOnlyDictionary<string, string> Packet { get; }

    /// <summary>The port that it left by, or null when it was dropped.</summary>
    public long? Output { get; }

    /// <summary>The switch gave it to the agent, which answers (refusals).</summary>
    public bool ToController { get; }

    /// <summary>The whole text.</summary>
    public string Text { get; }

    /// <summary>Reads a trace.</summary>
    /// <param name="text">What ovs-appctl printed.</param>
    /// <param name="node">Whose switch it is.</param>
    public static SwitchTrace Read(string text, NodeView node)
    {
        var steps = new List<TraceStep>();
        IReadOnlyDictionary<string, string> packet = new Dictionary<string, string>();
        long? output = null;
        var toController = false;
        var inside = true;
        foreach (var line in text.Split('\n'))
        {
            if (line.StartsWith("bridge(\"", StringComparison.Ordinal))
            {
                // A patch or tunnel port leads into other bridges: what happens there is not ours.
                inside = line.StartsWith($"bridge(\"{node.Bridge}\"", StringComparison.Ordinal);
            }
            else if (line.StartsWith("Flow:", StringComparison.Ordinal) || line.StartsWith("Final flow:", StringComparison.Ordinal))
            {
                packet = line.Contains("unchanged", StringComparison.Ordinal) ? packet : Fields(line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..]);
            }
            else if (inside && StepPattern().Match(line) is { Success: true } step)
            {
                steps.Add(Step(step, node));
            }
            else if (inside && steps.Count > 0 && line.StartsWith("    ", StringComparison.Ordinal))
            {
                var action = line.Trim();
                output = OutputOf(action, packet) ?? output;
                toController |= action.StartsWith("controller(", StringComparison.OrdinalIgnoreCase) || action.StartsWith("CONTROLLER", StringComparison.Ordinal);
                steps[^1] = steps[^1] with { Actions = Join(steps[^1].Actions, action) };
            }
        }

        return new SwitchTrace(steps, packet, output, toController, text);
    }

    private static TraceStep Step(Match step, NodeView node)
    {
        var cookie = step.Groups["cookie"].Success ? ulong.Parse(step.Groups["cookie"].Value, NumberStyles.HexNumber, CultureInfo.InvariantCulture) : 0;
        return new TraceStep(
            node.Name,
            byte.Parse(step.Groups["table"].Value, CultureInfo.InvariantCulture),
            step.Groups["match"].Value.TrimEnd(',', ' '),
            step.Groups["priority"].Success ? int.Parse(step.Groups["priority"].Value, CultureInfo.InvariantCulture) : 0,
            cookie,
            cookie == 0 ? "nothing" : node.Owners.Of(cookie),
            step.Groups["none"].Success ? "no match, drop" : "");
    }

    private static long? OutputOf(string action, IReadOnlyDictionary<string, string> packet)
    {
        if (OutputPattern().Match(action) is { Success: true } found)
        {
            return long.Parse(found.Groups[1].Value, CultureInfo.InvariantCulture);
        }

        return action == "IN_PORT" && long.TryParse(packet.GetValueOrDefault("in_port"), out var port) ? port : null;
    }

    // Remarks of the trace ("-> …", ">> …") are no actions.
    private static string Join(string actions, string action) =>
        action.StartsWith("->", StringComparison.Ordinal) || action.StartsWith(">>", StringComparison.Ordinal) || action is "nat" or "thaw"
            || action.StartsWith("Resuming from", StringComparison.Ordinal)
            // After ct() the trace says "drop" of the copy that goes no further.
            || (action == "drop" && actions.Contains("ct(", StringComparison.Ordinal)) ? actions
        : actions.Length == 0 ? action : actions + "," + action;

    private static Dictionary<string, string> Fields(string text)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var part in text.Trim().Split(','))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            fields[equals < 0 ? part : part[..equals]] = equals < 0 ? "" : part[(equals + 1)..];
        }

        return fields;
    }

    [GeneratedRegex(@"^ *(?<table>\d+)\. (?:(?<none>No match)|(?<match>.*?)priority (?<priority>\d+)(?:, cookie 0x(?<cookie>[0-9a-f]+))?)")]
    private static partial Regex StepPattern();

    [GeneratedRegex(@"^(?:output:|-> output port is )(\d+)$")]
    private static partial Regex OutputPattern();
}
