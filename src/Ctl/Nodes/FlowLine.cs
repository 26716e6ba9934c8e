using System.Globalization;
using System.Text.RegularExpressions;
using Weft.Agent.Plan.Pipeline;

namespace Weft.Ctl.Nodes;

/// <summary>A flow as <c>ovs-ofctl dump-flows</c> prints it.</summary>
/// <param name="Table">Its table's number.</param>
/// <param name="Priority">Its priority.</param>
/// <param name="Cookie">Its cookie.</param>
/// <param name="Packets">Packets that met it.</param>
/// <param name="Match">What it matches, in the words of ovs-ofctl; empty for everything.</param>
/// <param name="Actions">What it does.</param>
/// <param name="Text">The line, without counters.</param>
public sealed partial record FlowLine(byte Table, int Priority, ulong Cookie, long Packets, string Match, string Actions, string Text)
{
    /// <summary>Reads a dump; lines that are no flows are left out.</summary>
    public static IReadOnlyList<FlowLine> ReadAll(string dump) =>
        [.. dump.Split('\n').Select(Read).OfType<FlowLine>()];

    /// <summary>A table by the name or number that ovs-ofctl prints.</summary>
    public static byte? TableOf(string text) =>
        byte.TryParse(text, out var number) ? number : Tables.All.FirstOrDefault(t => t.Name == text.Trim('"'))?.Id;

    private static FlowLine? Read(string line)
    {
        var found = Pattern().Match(line);
        if (!found.Success || TableOf(found.Groups["table"].Value) is not { } table)
        {
            return null;
        }

        var match = found.Groups["match"].Value.Trim(',', ' ');
        var priority = PriorityPattern().Match(match);
        var rest = priority.Success ? match.Remove(priority.Index, priority.Length).Trim(',', ' ') : match;
        return new FlowLine(
            table,
            priority.Success ? int.Parse(priority.Groups[1].Value, CultureInfo.InvariantCulture) : 32768,
            ulong.Parse(found.Groups["cookie"].Value, NumberStyles.HexNumber, CultureInfo.InvariantCulture),
            long.Parse(found.Groups["packets"].Value, CultureInfo.InvariantCulture),
            rest,
            found.Groups["actions"].Value.Trim(),
            $"cookie=0x{found.Groups["cookie"].Value},table={found.Groups["table"].Value}{(match.Length > 0 ? "," + match : "")} actions={found.Groups["actions"].Value.Trim()}");
    }

    [GeneratedRegex(@"cookie=0x(?<cookie>[0-9a-f]+), duration=\S+ table=(?<table>[^,]+), n_packets=(?<packets>\d+), n_bytes=\d+,?(?: (?:idle_timeout|hard_timeout|idle_age|hard_age|send_flow_rem|reset_counts|check_overlap)[^ ]*)* ?(?<match>\S*) actions=(?<actions>.*)$")]
    private static partial Regex Pattern();

    [GeneratedRegex(@"(?:^|,)priority=(\d+)")]
    private static partial Regex PriorityPattern();
}
