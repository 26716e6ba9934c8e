using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Weft.Lab.ApiServer;

/// <summary>The part of JSONPath that printer columns use: names, ['names'], indexes, [*], and filters [?(@.a=="b")].</summary>
public static partial class JsonPathQuery
{
    /// <summary>Every value at the path; nothing when a step is missing or not understood.</summary>
    public static IEnumerable<JsonNode?> Select(JsonNode tree, string path)
    {
        IEnumerable<JsonNode?> nodes = [tree];
        foreach (Match step in Step().Matches(path.Replace("\\.", "\u0001", StringComparison.Ordinal)))
        {
            var text = step.Value.Replace('\u0001', '.');
            nodes = text[0] == '.' ? nodes.SelectMany(n => Named(n, text[1..])) : nodes.SelectMany(n => Bracket(n, text[1..^1].Trim()));
        }

        return nodes;
    }

    private static IEnumerable<JsonNode?> Named(JsonNode? node, string name) => name switch
    {
        "" => [node],
        "*" => All(node),
        _ when node is JsonObject o && o.TryGetPropertyValue(name, out var value) => [value],
        _ => [],
    };

    private static IEnumerable<JsonNode?> All(JsonNode? node) => node switch
    {
        JsonArray list => list,
        JsonObject o => o.Select(p => p.Value),
        _ => [],
    };

    private static IEnumerable<JsonNode?> Bracket(JsonNode? node, string inner)
    {
        if (inner == "*")
        {
            return All(node);
        }

        if (inner.Length > 1 && inner[0] is '\'' or '"')
        {
            return Named(node, inner[1..^1]);
        }

        if (node is not JsonArray list)
        {
            return [];
        }

        if (int.TryParse(inner, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var index))
        {
            index = index < 0 ? list.Count + index : index;
            return index >= 0 && index < list.Count ? [list[index]] : [];
        }

        var filter = Filter().Match(inner);
        return filter.Success
            ? list.Where(i => Select(i ?? new JsonObject(), filter.Groups[1].Value).Any(v => (v.Text() ?? v?.ToJsonString()) == filter.Groups[3].Value) == (filter.Groups[2].Value == "=="))
            : [];
    }

    [GeneratedRegex(@"\.[^.\[\]]*|\[[^\]]*\]")]
    private static partial Regex Step();

    [GeneratedRegex("""^\?\(@([^=!]+?)\s*(==|!=)\s*['"]?([^'"]*)['"]?\)$""")]
    private static partial Regex Filter();
}
