using System.Text.RegularExpressions;
using Weft.Agent.Plan.Pipeline;

namespace Weft.Ctl.Nodes;

/// <summary>Says in words what a flow's actions do.</summary>
public static partial class FlowWords
{
    /// <summary>One line for actions in the syntax of ovs-ofctl.</summary>
    public static string Explain(string actions)
    {
        var words = new List<string>();
        foreach (var action in Split(actions))
        {
            var word = Word(action);
            if (word.Length > 0)
            {
                words.Add(word);
            }
        }

        return words.Count == 0 ? "drop" : string.Join(", ", words);
    }

    private static string Word(string action) => action switch
    {
        "drop" => "drop",
        "no match" => "no match",
        "dec_ttl" => "dec_ttl",
        "IN_PORT" => "send back",
        _ when action.StartsWith("CONTROLLER:", StringComparison.Ordinal) => "drop and tell the agent",
        _ when GotoPattern().Match(action) is { Success: true } to => $"-> {Table(to.Groups[1].Value)}",
        _ when CtPattern().Match(action) is { Success: true } ct => CtWord(action, ct.Groups[1].Value),
        _ when action.StartsWith("load:0x8000->NXM_NX_REG1", StringComparison.Ordinal) => "by the tunnel",
        _ when action.StartsWith("load:0x8001->NXM_NX_REG1", StringComparison.Ordinal) => "by the gateway",
        _ when TunnelPattern().Match(action) is { Success: true } tunnel => $"to node {tunnel.Groups[1].Value}",
        _ when action.StartsWith("group:", StringComparison.Ordinal) => "choose an endpoint",
        _ when action.StartsWith("output:", StringComparison.Ordinal) => "send",
        _ when action.StartsWith("conjunction(", StringComparison.Ordinal) => "part of a rule",
        _ when action.StartsWith("load:", StringComparison.Ordinal) || action.StartsWith("set_field:", StringComparison.Ordinal) || action.StartsWith("move:", StringComparison.Ordinal) => "",
        _ when action.StartsWith("bucket", StringComparison.Ordinal) => "",
        _ => action,
    };

    private static string CtWord(string action, string inside)
    {
        var next = TablePattern().Match(inside) is { Success: true } to ? $" -> {Table(to.Groups[1].Value)}" : "";
        var nat = NatPattern().Match(action) is { Success: true } address ? $" to {address.Groups[1].Value}" : "";
        return (action.Contains("commit", StringComparison.Ordinal) ? "commit the connection" : "look the connection up") + nat + next;
    }

    private static string Table(string text) => FlowLine.TableOf(text) is { } number && Tables.All.FirstOrDefault(t => t.Id == number) is { } table ? table.Name : text;

    /// <summary>Cuts at commas outside of brackets.</summary>
    private static IEnumerable<string> Split(string actions)
    {
        var (depth, start) = (0, 0);
        for (var i = 0; i <= actions.Length; i++)
        {
            if (i == actions.Length || (actions[i] == ',' && depth == 0))
            {
                if (i > start)
                {
                    yield return actions[start..i].Trim();
                }

                start = i + 1;
            }
            else
            {
                depth += actions[i] is '(' or '[' ? 1 : actions[i] is ')' or ']' ? -1 : 0;
            }
        }
    }

    [GeneratedRegex(@"^(?:goto_table:|resubmit\(,)([A-Za-z0-9]+)\)?$")]
    private static partial Regex GotoPattern();

    [GeneratedRegex(@"^ct\((.*)\)$")]
    private static partial Regex CtPattern();

    [GeneratedRegex(@"table=([A-Za-z0-9]+)")]
    private static partial Regex TablePattern();

    [GeneratedRegex(@"nat\((?:dst|src)=([^)]+)\)")]
    private static partial Regex NatPattern();

    [GeneratedRegex(@"^set_field:([0-9a-f.:]+)->tun_(?:ipv6_)?dst$")]
    private static partial Regex TunnelPattern();
}
