using System.Runtime.InteropServices;
using Weft.Kubernetes;

namespace Weft.Controller.Network;

/// <summary>Makes equal strings, label sets and selectors one instance, so that they compare by reference and cost memory once.</summary>
/// <remarks>Nothing is forgotten: a cluster has few distinct labels, and each costs little. Not thread-safe.</remarks>
internal sealed class Interner
{
    private readonly Dictionary<string, string> _strings = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Key, string Value)[], LabelSet> _labels = new(LabelsComparer.Instance);
    private readonly Dictionary<string, Selector> _selectors = new(StringComparer.Ordinal);

    public string String(string text)
    {
        ref var slot = ref CollectionsMarshal.GetValueRefOrAddDefault(_strings, text, out _);
        return slot ??= text;
    }

    public LabelSet Labels(Dictionary<string, string>? labels)
    {
        var pairs = labels is null ? [] : new (string Key, string Value)[labels.Count];
        var at = 0;
        foreach (var (key, value) in labels ?? [])
        {
            pairs[at++] = (String(key), String(value));
        }

        if (pairs.Length > 1)
        {
            Array.Sort(pairs, static (a, b) => string.CompareOrdinal(a.Key, b.Key));
        }

        ref var slot = ref CollectionsMarshal.GetValueRefOrAddDefault(_labels, pairs, out _);
        return slot ??= new LabelSet(pairs);
    }

    /// <summary>The canonical form of a selector.</summary>
    /// <exception cref="InvalidObjectException">An operator is unknown, or has the wrong number of values.</exception>
    public Selector Selector(V1LabelSelector? selector, string field)
    {
        var requirements = new List<LabelRequirement>();
        foreach (var (key, value) in selector?.MatchLabels ?? [])
        {
            requirements.Add(new LabelRequirement(String(key), LabelOperator.In, [String(value)]));
        }

        foreach (var expression in selector?.MatchExpressions ?? [])
        {
            requirements.Add(Requirement(expression, field));
        }

        requirements.Sort(static (a, b) => string.CompareOrdinal(TextOf(a), TextOf(b)));
        var text = requirements.Count == 0 ? "*" : string.Join(",", requirements.Select(TextOf).Distinct());
        ref var slot = ref CollectionsMarshal.GetValueRefOrAddDefault(_selectors, text, out _);
        return slot ??= new Selector(text, requirements.DistinctBy(TextOf).ToArray());
    }

    private LabelRequirement Requirement(V1LabelSelectorRequirement expression, string field)
    {
        var at = $"{field}.matchExpressions[{expression.Key}]";
        var values = (expression.Values ?? []).Distinct().Order(StringComparer.Ordinal).Select(String).ToArray();
        var kind = expression.OperatorProperty switch
        {
            "In" => LabelOperator.In,
            "NotIn" => LabelOperator.NotIn,
            "Exists" => LabelOperator.Exists,
            "DoesNotExist" => LabelOperator.DoesNotExist,
            var other => throw new InvalidObjectException($"{at}.operator is '{other}': it must be In, NotIn, Exists or DoesNotExist"),
        };
        if (kind is LabelOperator.In or LabelOperator.NotIn != values.Length > 0)
        {
            throw new InvalidObjectException($"{at}.values: In and NotIn need values, Exists and DoesNotExist must have none");
        }

        return new LabelRequirement(String(expression.Key), kind, values);
    }

    private static string TextOf(LabelRequirement r) => r.Operator switch
    {
        LabelOperator.In when r.Values.Length == 1 => $"{r.Key}={r.Values[0]}",
        LabelOperator.In => $"{r.Key} in ({string.Join(",", r.Values)})",
        LabelOperator.NotIn => $"{r.Key} notin ({string.Join(",", r.Values)})",
        LabelOperator.Exists => r.Key,
        _ => $"!{r.Key}",
    };

    private sealed class LabelsComparer : IEqualityComparer<(string Key, string Value)[]>
    {
        public static readonly LabelsComparer Instance = new();

        public bool Equals((string Key, string Value)[]? x, (string Key, string Value)[]? y)
        {
            if (x!.Length != y!.Length)
            {
                return false;
            }

            for (var i = 0; i < x.Length; i++)
            {
                if (!ReferenceEquals(x[i].Key, y[i].Key) || !ReferenceEquals(x[i].Value, y[i].Value))
                {
                    return false;
                }
            }

            return true;
        }

        public int GetHashCode((string Key, string Value)[] labels)
        {
            var hash = default(HashCode);
            foreach (var (key, value) in labels)
            {
                hash.Add(System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(key));
                hash.Add(System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(value));
            }

            return hash.ToHashCode();
        }
    }
}

/// <summary>A Kubernetes object cannot be used; the message names the field and the remedy.</summary>
public sealed class InvalidObjectException(string message) : Exception(message);
