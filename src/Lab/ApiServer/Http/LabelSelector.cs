using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>A label selector, from a query ("a=b,c in (d,e),!f") or from an object's field.</summary>
public sealed class LabelSelector
{
    private readonly List<Requirement> _requirements = [];

    private LabelSelector()
    {
    }

    /// <summary>Selects everything.</summary>
    public bool IsEmpty => _requirements.Count == 0;

    /// <exception cref="ApiException">The text is no selector.</exception>
    public static LabelSelector Parse(string? text)
    {
        var selector = new LabelSelector();
        foreach (var part in SplitOutsideParentheses(text ?? ""))
        {
            selector._requirements.Add(ParseRequirement(part, text!));
        }

        return selector;
    }

    /// <summary>Reads <c>matchLabels</c> and <c>matchExpressions</c>; null selects nothing.</summary>
    public static LabelSelector? From(JsonNode? selector)
    {
        if (selector is null)
        {
            return null;
        }

        var result = new LabelSelector();
        foreach (var (key, value) in selector.At("matchLabels").TextMap())
        {
            result._requirements.Add(new Requirement(key, "In", [value]));
        }

        foreach (var expression in selector.At("matchExpressions").Objects())
        {
            result._requirements.Add(new Requirement(expression.Text("key") ?? "", expression.Text("operator") ?? "In", [.. expression.At("values").Texts()]));
        }

        return result;
    }

    /// <summary>The plain map form of Services: every label equal; an empty or missing map selects nothing.</summary>
    public static LabelSelector? FromMap(JsonNode? map)
    {
        if (map is not JsonObject { Count: > 0 })
        {
            return null;
        }

        var result = new LabelSelector();
        result._requirements.AddRange(map.TextMap().Select(p => new Requirement(p.Key, "In", [p.Value])));
        return result;
    }

    public bool Matches(StoredObject item)
    {
        foreach (var requirement in _requirements)
        {
            if (!requirement.Matches(item.Label(requirement.Key)))
            {
                return false;
            }
        }

        return true;
    }

    private static Requirement ParseRequirement(string part, string whole)
    {
        var open = part.IndexOf('(', StringComparison.Ordinal);
        if (open > 0)
        {
            var words = part[..open].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words is [var key, "in" or "notin"] && part.EndsWith(')'))
            {
                return new Requirement(key, words[1] == "in" ? "In" : "NotIn", part[(open + 1)..^1].Split(',', StringSplitOptions.TrimEntries));
            }
        }
        else if (part[0] == '!')
        {
            return new Requirement(part[1..].Trim(), "DoesNotExist", []);
        }
        else if (part.IndexOf('=', StringComparison.Ordinal) is > 0 and var equals)
        {
            var negative = part[equals - 1] == '!';
            var key = part[..(negative ? equals - 1 : equals)].Trim();
            return new Requirement(key, negative ? "NotIn" : "In", [part[(equals + 1)..].TrimStart('=').Trim()]);
        }
        else if (!part.Contains(' '))
        {
            return new Requirement(part, "Exists", []);
        }

        throw ApiException.BadRequest($"unable to parse requirement: labelSelector \"{whole}\": cannot read \"{part}\"");
    }

    private static IEnumerable<string> SplitOutsideParentheses(string text)
    {
        var depth = 0;
        var start = 0;
        for (var i = 0; i <= text.Length; i++)
        {
            if (i == text.Length || (text[i] == ',' && depth == 0))
            {
                var part = text[start..i].Trim();
                start = i + 1;
                if (part.Length > 0)
                {
                    yield return part;
                }
            }
            else
            {
                depth += text[i] switch { '(' => 1, ')' => -1, _ => 0 };
            }
        }
    }

    private sealed record Requirement(string Key, string Operator, string[] Values)
    {
        public bool Matches(string? value) => Operator switch
        {
            "In" => value is not null && Values.Contains(value, StringComparer.Ordinal),
            "NotIn" => value is null || !Values.Contains(value, StringComparer.Ordinal),
            "Exists" => value is not null,
            "DoesNotExist" => value is null,
            _ => false,
        };
    }
}
