using System.Globalization;
using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>JSON patch, RFC 6902, with pointers of RFC 6901.</summary>
public static class JsonPatch
{
    /// <summary>All operations or none: works on a copy.</summary>
    /// <exception cref="ApiException">An operation is malformed (400) or cannot be done here (422).</exception>
    public static JsonObject Apply(JsonObject target, JsonArray operations)
    {
        JsonNode root = target.DeepClone();
        foreach (var operation in operations)
        {
            var name = operation.Text("op");
            var path = Steps(operation.Text("path") ?? throw ApiException.BadRequest("json patch: an operation has no path"));
            switch (name)
            {
                case "add":
                    root = Add(root, path, Value(operation));
                    break;
                case "remove":
                    Remove(root, path);
                    break;
                case "replace":
                    Get(root, path);
                    root = path.Length == 0 ? Value(operation)! : Set(root, path, Value(operation));
                    break;
                case "move":
                    var from = Steps(operation.Text("from") ?? "");
                    var moved = Get(root, from)?.DeepClone();
                    Remove(root, from);
                    root = Add(root, path, moved);
                    break;
                case "copy":
                    root = Add(root, path, Get(root, Steps(operation.Text("from") ?? ""))?.DeepClone());
                    break;
                case "test":
                    if (!JsonNode.DeepEquals(Get(root, path), operation.At("value")))
                    {
                        throw Impossible($"testing path {operation.Text("path")} failed");
                    }

                    break;
                default:
                    throw ApiException.BadRequest($"json patch: unknown operation \"{name}\"");
            }
        }

        return root as JsonObject ?? throw Impossible("the result is not an object");
    }

    private static JsonNode? Value(JsonNode? operation) => operation is JsonObject o && o.ContainsKey("value")
        ? o["value"]?.DeepClone() : throw ApiException.BadRequest("json patch: an operation has no value");

    private static string[] Steps(string pointer) => pointer.Length == 0 ? []
        : pointer[0] == '/' ? [.. pointer[1..].Split('/').Select(s => s.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal))]
        : throw ApiException.BadRequest($"json patch: \"{pointer}\" is not a pointer");

    private static JsonNode? Get(JsonNode? node, ReadOnlySpan<string> path)
    {
        foreach (var step in path)
        {
            node = node switch
            {
                JsonObject o when o.TryGetPropertyValue(step, out var child) => child,
                JsonArray list => list[Index(step, list.Count - 1)],
                _ => throw Impossible($"path element \"{step}\" is missing"),
            };
        }

        return node;
    }

    private static JsonNode Add(JsonNode root, string[] path, JsonNode? value)
    {
        if (path.Length == 0)
        {
            return value ?? throw Impossible("the result is not an object");
        }

        if (Get(root, path.AsSpan(..^1)) is JsonArray list)
        {
            list.Insert(path[^1] == "-" ? list.Count : Index(path[^1], list.Count), value);
            return root;
        }

        return Set(root, path, value);
    }

    private static JsonNode Set(JsonNode root, string[] path, JsonNode? value)
    {
        switch (Get(root, path.AsSpan(..^1)))
        {
            case JsonObject o:
                o[path[^1]] = value;
                break;
            case JsonArray list:
                list[Index(path[^1], list.Count - 1)] = value;
                break;
            default:
                throw Impossible($"the parent of \"{path[^1]}\" is missing");
        }

        return root;
    }

    private static void Remove(JsonNode root, string[] path)
    {
        Get(root, path);
        if (path.Length == 0)
        {
            throw Impossible("the whole object cannot be removed");
        }

        switch (Get(root, path.AsSpan(..^1)))
        {
            case JsonObject o:
                o.Remove(path[^1]);
                break;
            case JsonArray list:
                list.RemoveAt(Index(path[^1], list.Count - 1));
                break;
        }
    }

    private static int Index(string step, int last) =>
        int.TryParse(step, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index <= last ? index
            : throw Impossible($"index \"{step}\" is out of bounds");

    private static ApiException Impossible(string why) =>
        new(422, "Invalid", $"the server rejected our request due to an error in our request: json patch: {why}", []);
}
