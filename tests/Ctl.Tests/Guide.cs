using System.Text;
using System.Text.RegularExpressions;

namespace Weft.Ctl.Tests;

/// <summary>A page with commands and what they print: fenced blocks in which lines with <c>$ </c> are commands.</summary>
internal sealed partial class Guide(string path)
{
    private readonly string[] _lines = File.ReadAllLines(path);

    /// <summary>The page, with each command's output replaced by what <paramref name="run"/> gives for it.</summary>
    public async Task<string> RunAsync(Func<string, Task<string>> run)
    {
        var text = new StringBuilder();
        var (inside, skipping) = (false, false);
        foreach (var line in _lines)
        {
            if (line.StartsWith("```", StringComparison.Ordinal))
            {
                (inside, skipping) = (!inside, false);
            }

            if (inside && line.StartsWith("$ ", StringComparison.Ordinal))
            {
                text.Append(line).Append('\n');
                var output = (await run(line[2..])).Split('\n').Select(l => l.TrimEnd()).ToList();
                while (output.Count > 0 && output[^1].Length == 0)
                {
                    output.RemoveAt(output.Count - 1);
                }

                output.ForEach(l => text.Append(l).Append('\n'));
                skipping = true;
            }
            else if (!skipping)
            {
                text.Append(line).Append('\n');
            }
        }

        return text.ToString();
    }

    /// <summary>A text without what differs from run to run: addresses, numbers, how wide columns are.</summary>
    public static string Normalise(string text)
    {
        text = AddressPattern().Replace(text, "A");
        text = HexPattern().Replace(text, "H");
        text = NumberPattern().Replace(text, "N");
        return string.Join('\n', text.Split('\n').Where(l => !BuildPattern().IsMatch(l)).Select(l => SpacePattern().Replace(l, " ").Trim()));
    }

    [GeneratedRegex(@"\b\d+\.\d+\.\d+\.\d+(?:/\d+)?|\b(?:[0-9a-f]{1,4}:){2,7}[0-9a-f:]*(?:/\d+)?|\b[0-9a-f]{2}(?::[0-9a-f]{2}){5}\b")]
    private static partial Regex AddressPattern();

    [GeneratedRegex(@"0x[0-9a-f]+|\b(?=[0-9a-f]*[0-9])[0-9a-f]{8,}\b|\bw[0-9a-f]{10}\b|\bvm-[0-9a-f]+\b|led by \S+")]
    private static partial Regex HexPattern();

    [GeneratedRegex(@"\d+")]
    private static partial Regex NumberPattern();

    // What is built depends on what was built before; which empty tables a packet passes is the pipeline's own affair.
    [GeneratedRegex(@"^(?:(?:Building|Compiling|Installing)\b|node\d+\s+\w+\s+pipeline\b)")]
    private static partial Regex BuildPattern();

    [GeneratedRegex(@"[ \t─]+")]
    private static partial Regex SpacePattern();
}
