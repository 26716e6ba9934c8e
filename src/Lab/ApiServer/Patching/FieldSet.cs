using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>A set of fields of one object, in the form of <c>fieldsV1</c>: members "f:name", list items "k:{...}" by key or "v:..." by value.</summary>
/// <remarks>A node with children is also a member itself when it has the child "."; a node without children is a leaf.</remarks>
public sealed class FieldSet
{
    private readonly SortedDictionary<string, FieldSet> _children = new(StringComparer.Ordinal);

    /// <summary>The value itself belongs to the set (not only fields below it).</summary>
    public bool Member { get; private set; }

    public bool IsEmpty => !Member && _children.Count == 0;

    /// <summary>All fields of an object except its identity and what only the server writes.</summary>
    public static FieldSet Of(Schema? schema, JsonObject tree)
    {
        var set = new FieldSet();
        foreach (var (name, value) in tree)
        {
            if (name is "apiVersion" or "kind")
            {
                continue;
            }

            if (name == "metadata" && value is JsonObject metadata)
            {
                var own = new JsonObject(metadata.Where(m => m.Key is "labels" or "annotations" or "finalizers" or "ownerReferences")
                    .Select(m => KeyValuePair.Create(m.Key, m.Value?.DeepClone())));
                if (own.Count > 0)
                {
                    set.Add(BuiltInSchemas.Metadata, own, "f:metadata");
                }

                continue;
            }

            set.Add(schema?.Member(name), value, $"f:{name}");
        }

        return set;
    }

    public static FieldSet FromJson(JsonNode? fields)
    {
        var set = new FieldSet();
        if (fields is not JsonObject o)
        {
            return set;
        }

        foreach (var (key, value) in o)
        {
            if (key == ".")
            {
                set.Member = true;
            }
            else
            {
                var child = FromJson(value);
                child.Member |= value is not JsonObject { Count: > 0 };
                set._children[key] = child;
            }
        }

        return set;
    }

    public JsonObject ToJson()
    {
        var o = new JsonObject();
        if (Member && _children.Count > 0)
        {
            o["."] = new JsonObject();
        }

        foreach (var (key, child) in _children)
        {
            o[key] = child.ToJson();
        }

        return o;
    }

    public FieldSet Union(FieldSet other) => Combine(other, (a, b) => a || b);

    public FieldSet Intersect(FieldSet other) => Combine(other, (a, b) => a && b);

    public FieldSet Except(FieldSet other) => Combine(other, (a, b) => a && !b);

    /// <summary>The paths of all members, outermost first.</summary>
    public IEnumerable<string[]> Paths() => Paths([]);

    /// <summary>A path as people read it: <c>.spec.ports[port=80].name</c>.</summary>
    public static string Show(IEnumerable<string> path) => string.Concat(path.Select(step => step[..2] switch
    {
        "f:" => "." + step[2..],
        "k:" => "[" + string.Join(",", ((JsonObject)JsonNode.Parse(step[2..])!).Select(k => $"{k.Key}={k.Value?.ToJsonString()}")) + "]",
        _ => "[=" + step[2..] + "]",
    }));

    /// <summary>The value at a path; false when there is none.</summary>
    public static bool TryGet(JsonNode? node, IEnumerable<string> path, out JsonNode? value)
    {
        value = node;
        foreach (var step in path)
        {
            switch (step[..2])
            {
                case "f:" when value is JsonObject o && o.TryGetPropertyValue(step[2..], out value):
                    break;
                case "k:" when value is JsonArray list && Find(list, step) is { } found:
                    value = found;
                    break;
                case "v:" when value is JsonArray list && list.FirstOrDefault(i => i?.ToJsonString() == step[2..]) is { } found:
                    value = found;
                    break;
                default:
                    value = null;
                    return false;
            }
        }

        return true;
    }

    /// <summary>Takes the value at a path out of an object; nothing happens when it is not there.</summary>
    public static void Remove(JsonObject tree, string[] path)
    {
        if (!TryGet(tree, path[..^1], out var parent))
        {
            return;
        }

        switch (path[^1][..2], parent)
        {
            case ("f:", JsonObject o):
                o.Remove(path[^1][2..]);
                break;
            case ("k:", JsonArray list) when Find(list, path[^1]) is { } found:
                list.Remove(found);
                break;
            case ("v:", JsonArray list) when list.FirstOrDefault(i => i?.ToJsonString() == path[^1][2..]) is { } found:
                list.Remove(found);
                break;
        }
    }

    /// <summary>The step that names a list item by its keys.</summary>
    public static string KeyStep(Schema list, JsonNode? item) => "k:" + new JsonObject(list.ListMapKeys.Order(StringComparer.Ordinal)
        .Select(k => KeyValuePair.Create(k, (item.At(k) ?? list.Items?.Member(k)?.Default)?.DeepClone()))
        .Where(k => k.Value is not null)).ToJsonString(Compact);

    private static readonly System.Text.Json.JsonSerializerOptions Compact = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static JsonNode? Find(JsonArray list, string step)
    {
        var keys = (JsonObject)JsonNode.Parse(step[2..])!;

        // A key that is not in the item has its default, which the set always carries.
        return list.FirstOrDefault(i => keys.All(k => i.At(k.Key) is not { } value ? k.Key == "protocol" : JsonNode.DeepEquals(value, k.Value)));
    }

    /// <summary>Values that are merged (objects, lists with keys, sets) are not owned themselves unless they are empty; what is in them is.</summary>
    private void Add(Schema? schema, JsonNode? value, string step)
    {
        var child = new FieldSet { Member = step.StartsWith("k:", StringComparison.Ordinal) };
        switch (value)
        {
            case JsonObject { Count: > 0 } o when schema is not { AtomicMap: true }:
                foreach (var (name, member) in o)
                {
                    child.Add(schema?.Member(name), member, $"f:{name}");
                }

                break;
            case JsonArray { Count: > 0 } list when schema is { ListType: "map" }:
                foreach (var item in list)
                {
                    child.Add(schema.Items, item, KeyStep(schema, item));
                }

                break;
            case JsonArray { Count: > 0 } list when schema is { ListType: "set" }:
                foreach (var item in list)
                {
                    child._children["v:" + item?.ToJsonString()] = new FieldSet { Member = true };
                }

                break;
            default:
                child.Member = true;
                break;
        }

        _children[step] = child;
    }

    private FieldSet Combine(FieldSet? other, Func<bool, bool, bool> keep)
    {
        var result = new FieldSet { Member = keep(Member, other?.Member ?? false) };
        foreach (var key in _children.Keys.Union(other?._children.Keys ?? Enumerable.Empty<string>()))
        {
            var mine = _children.GetValueOrDefault(key) ?? Empty;
            var combined = mine.Combine(other?._children.GetValueOrDefault(key), keep);
            if (!combined.IsEmpty)
            {
                result._children[key] = combined;
            }
        }

        return result;
    }

    private static readonly FieldSet Empty = new();

    private IEnumerable<string[]> Paths(string[] prefix)
    {
        foreach (var (key, child) in _children)
        {
            string[] path = [.. prefix, key];
            if (child.Member)
            {
                yield return path;
            }

            foreach (var deeper in child.Paths(path))
            {
                yield return deeper;
            }
        }
    }
}
