using System.Text.RegularExpressions;
using Weft.Lab.Cluster;

namespace Weft.Ctl.Tests;

/// <summary>The reference pages say what the programs say.</summary>
public sealed partial class ReferenceTests
{
    private static readonly string Root = new LabPrograms().Root;

    private static IEnumerable<string> Commands => HeadingPattern().Matches(Read("docs/reference/cli.md")).Select(m => m.Groups[1].Value.Trim());

    [TestCaseSource(nameof(Commands))]
    public async Task The_page_of_commands_shows_their_help(string command)
    {
        var help = await Weftctl.RunAsync([.. command.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--help"]);
        var text = string.Join('\n', help.Output.TrimEnd().Split('\n').Select(l => l.TrimEnd()));
        Assert.That(Read("docs/reference/cli.md"), Does.Contain($"## weftctl {command}".TrimEnd() + $"\n\n```\n{text}\n```"));
    }

    [TestCase("src/Agent/AgentOptions.cs", "weft-agent")]
    [TestCase("src/Controller/ControllerOptions.cs", "weft-controller")]
    public void The_page_of_the_configuration_names_every_field(string source, string heading)
    {
        var part = Read("docs/reference/config.md").Split($"## {heading}\n")[1].Split("\n## ")[0];
        var fields = FieldPattern().Matches(Read(source)).Select(m => char.ToLowerInvariant(m.Groups[1].Value[0]) + m.Groups[1].Value[1..]);
        Assert.That(RowPattern().Matches(part).Select(m => m.Groups[1].Value), Is.EqualTo(fields));
    }

    [Test]
    public void Every_value_of_the_chart_has_a_comment_and_a_row_with_it()
    {
        var rows = Read("docs/reference/values.md");
        var (path, comment, wrong) = (new List<string>(), "", new List<string>());
        foreach (var line in Read("deploy/helm/weft/values.yaml").Split('\n'))
        {
            if (CommentPattern().Match(line) is { Success: true } said)
            {
                comment += (comment.Length > 0 ? " " : "") + said.Groups[1].Value;
            }
            else if (line.Length == 0)
            {
                comment = "";
            }
            else if (ValuePattern().Match(line) is { Success: true } value)
            {
                path = [.. path.Take(value.Groups[1].Length / 2), value.Groups[2].Value];
                var isGroup = value.Groups[3].Value.Length == 0 && path.Count == 1;
                if (!isGroup && path.Count <= 2 && (comment.Length == 0 || !rows.Contains($"| `{string.Join('.', path)}` | ", StringComparison.Ordinal) || !rows.Contains($"| {comment} |", StringComparison.Ordinal)))
                {
                    wrong.Add(string.Join('.', path));
                }

                comment = "";
            }
        }

        Assert.That(wrong, Is.Empty, "without a comment, or docs/reference/values.md has another one");
    }

    private static string Read(string file) => File.ReadAllText(Path.Combine(Root, file));

    [GeneratedRegex("^## weftctl(.*)$", RegexOptions.Multiline)]
    private static partial Regex HeadingPattern();

    [GeneratedRegex(@"public [\w<>, \[\]?]+? (\w+) \{ get; set; \}")]
    private static partial Regex FieldPattern();

    [GeneratedRegex("^\\| `(\\w+)` ", RegexOptions.Multiline)]
    private static partial Regex RowPattern();

    [GeneratedRegex(@"^\s*# ?(.*)$")]
    private static partial Regex CommentPattern();

    [GeneratedRegex("^( *)([A-Za-z0-9]+):(.*)$")]
    private static partial Regex ValuePattern();
}
