using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>Reading and writing of schema-light JSON trees.</summary>
public static class Json
{
    public static readonly JsonWriterOptions WriterOptions = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    };

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 256 };

    /// <exception cref="JsonException">Not JSON, not an object, or a name occurs twice in one object.</exception>
    public static JsonObject ParseObject(ReadOnlySpan<byte> utf8) =>
        JsonNode.Parse(utf8, documentOptions: Strict) as JsonObject ?? throw new JsonException("expected a JSON object");

    /// <exception cref="JsonException">Not JSON, or a name occurs twice in one object.</exception>
    public static JsonNode? ParseNode(ReadOnlySpan<byte> utf8) => JsonNode.Parse(utf8, documentOptions: Strict);

    public static byte[] ToBytes(JsonNode? node)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var writer = new Utf8JsonWriter(buffer, WriterOptions))
        {
            Write(writer, node);
        }

        return buffer.WrittenSpan.ToArray();
    }

    public static void Write(Utf8JsonWriter writer, JsonNode? node)
    {
        if (node is null)
        {
            writer.WriteNullValue();
        }
        else
        {
            node.WriteTo(writer);
        }
    }

    /// <summary>The node at a path of names; null when any step is missing or no object.</summary>
    public static JsonNode? At(this JsonNode? node, params ReadOnlySpan<string> path)
    {
        foreach (var name in path)
        {
            node = node is JsonObject o && o.TryGetPropertyValue(name, out var child) ? child : null;
        }

        return node;
    }

    public static string? Text(this JsonNode? node, params ReadOnlySpan<string> path) =>
        node.At(path) is JsonValue v && v.TryGetValue(out string? s) ? s : null;

    /// <summary>A whole number, whatever CLR type holds it; null when it is something else.</summary>
    public static long? Integer(this JsonNode? node, params ReadOnlySpan<string> path) => node.At(path) switch
    {
        JsonValue v when v.TryGetValue(out long n) => n,
        JsonValue v when v.TryGetValue(out int n) => n,
        JsonValue v when v.TryGetValue(out double d) && Math.Floor(d) == d && Math.Abs(d) < 9e15 => (long)d,
        _ => null,
    };

    public static bool Flag(this JsonNode? node, params ReadOnlySpan<string> path) =>
        node.At(path) is JsonValue v && v.TryGetValue(out bool b) && b;

    /// <summary>The objects of a list; other items and a missing list give nothing.</summary>
    public static IEnumerable<JsonObject> Objects(this JsonNode? node) =>
        node is JsonArray list ? list.OfType<JsonObject>() : [];

    /// <summary>The strings of a list; other items and a missing list give nothing.</summary>
    public static IEnumerable<string> Texts(this JsonNode? node) =>
        node is JsonArray list ? list.Select(i => i.Text()).OfType<string>() : [];

    /// <summary>The member object of that name, made when missing or of another type.</summary>
    public static JsonObject Child(this JsonObject parent, string name)
    {
        if (parent[name] is JsonObject child)
        {
            return child;
        }

        child = [];
        parent[name] = child;
        return child;
    }

    /// <summary>The member list of that name, made when missing or of another type.</summary>
    public static JsonArray List(this JsonObject parent, string name)
    {
        if (parent[name] is JsonArray list)
        {
            return list;
        }

        list = [];
        parent[name] = list;
        return list;
    }

    public static JsonArray ToJson(this IEnumerable<string> items) => new([.. items.Select(i => (JsonNode?)i)]);

    public static JsonArray ToJson(this IEnumerable<JsonNode?> items) => new([.. items]);

    public static Dictionary<string, string> TextMap(this JsonNode? node)
    {
        var map = new Dictionary<string, string>(StringComparer.Ordinal);
        if (node is JsonObject o)
        {
            foreach (var (key, value) in o)
            {
                map[key] = value.Text() ?? "";
            }
        }

        return map;
    }

    /// <summary>The time form of Kubernetes: RFC 3339, UTC, whole seconds.</summary>
    public static string Time(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>The finer time form of leases and events: RFC 3339, UTC, microseconds.</summary>
    public static string MicroTime(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", System.Globalization.CultureInfo.InvariantCulture);
}
