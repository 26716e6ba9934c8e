using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>A parsed expression of the Common Expression Language, with the functions that Kubernetes adds. Immutable.</summary>
/// <remarks>Values are null, bool, long, double, string, byte[], IReadOnlyList, IReadOnlyDictionary and the address types of
/// <see cref="CelFunctions"/>. There is no type check before evaluation: a wrong type is an error when it is met.</remarks>
public sealed class CelExpression
{
    private readonly CelNode _root;

    private CelExpression(string text, CelNode root)
    {
        Text = text;
        _root = root;
    }

    public string Text { get; }

    /// <exception cref="CelException">Not an expression.</exception>
    public static CelExpression Parse(string text) => new(text, CelParser.Parse(text));

    /// <summary>The variable of that name occurs.</summary>
    public bool Uses(string name) => Uses(_root, name);

    /// <summary>The value for these variables.</summary>
    /// <exception cref="CelException">A value is missing or of the wrong type, or the work is out of bounds.</exception>
    public object? Evaluate(IReadOnlyDictionary<string, object?> variables) => new CelEvaluation(variables).Value(_root);

    /// <summary>From JSON to a value of the language. Whole numbers become int unless the schema says number.</summary>
    /// <remarks>Members whose names are keywords or have signs are reached under their escaped names too, as Kubernetes does.</remarks>
    public static object? FromJson(JsonNode? node, Schema? schema = null)
    {
        switch (node)
        {
            case JsonObject o:
                var map = new Dictionary<object, object?>(o.Count);
                foreach (var (name, value) in o)
                {
                    map[name] = FromJson(value, schema?.Member(name));
                }

                return map;
            case JsonArray list:
                return list.Select(i => FromJson(i, schema?.Items)).ToList();
            case JsonValue v when v.TryGetValue(out string? text):
                return text;
            case JsonValue v when v.TryGetValue(out bool flag):
                return flag;
            case JsonValue v when schema?.Type != "number" && v.Integer() is { } number:
                return number;
            default:
                return node is null ? null : SchemaValidator.Number(node);
        }
    }

    private static bool Uses(CelNode node, string name) => node is CelNode.Name n ? n.Text == name : node.Parts.Any(p => Uses(p, name));
}
