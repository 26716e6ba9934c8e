using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>Who owns which field of an object: <c>metadata.managedFields</c>.</summary>
/// <remarks>Kept from the first server-side apply on. What was there before belongs to "before-first-apply", as it did in the API server
/// before it tracked every write; that saves a third of the memory of objects that nobody applies.</remarks>
public sealed class ManagedFields
{
    private const string BeforeFirstApply = "before-first-apply";

    private readonly List<Entry> _entries = [];

    public static bool AreTracked(JsonObject tree) => tree.At("metadata", "managedFields") is JsonArray { Count: > 0 };

    public IReadOnlyList<Entry> Entries => _entries;

    public static ManagedFields Read(JsonObject tree)
    {
        var fields = new ManagedFields();
        foreach (var entry in tree.At("metadata", "managedFields").Objects())
        {
            fields._entries.Add(new Entry(entry.Text("manager") ?? "", entry.Text("operation") ?? "Update", entry.Text("subresource") ?? "",
                entry.Text("time") ?? "", FieldSet.FromJson(entry["fieldsV1"])));
        }

        return fields;
    }

    /// <summary>Everything that is there belongs to whoever wrote it before.</summary>
    public static ManagedFields ForUntracked(ResourceType type, JsonObject tree, DateTimeOffset now)
    {
        var fields = new ManagedFields();
        fields._entries.Add(new Entry(BeforeFirstApply, "Update", "", Json.Time(now), FieldSet.Of(type.Schema, tree)));
        return fields;
    }

    /// <summary>After a plain write: what changed belongs to the writer now, what is gone to nobody. Returns <paramref name="updated"/>.</summary>
    public static JsonObject Track(ResourceType type, JsonObject old, JsonObject updated, string manager, DateTimeOffset now, string? subresource)
    {
        if (!AreTracked(old))
        {
            updated["metadata"]?.AsObject().Remove("managedFields");
            return updated;
        }

        var fields = Read(old);
        var before = FieldSet.Of(type.Schema, old);
        var after = FieldSet.Of(type.Schema, updated);
        var changed = Changed(after, old, updated);
        fields.Take(changed, manager, "Update", subresource ?? "", now, take: true);
        fields.Drop(before.Except(after));
        fields.Write(type, updated);
        return updated;
    }

    /// <summary>The fields of <paramref name="set"/> whose value differs between two objects.</summary>
    public static FieldSet Changed(FieldSet set, JsonObject one, JsonObject other)
    {
        var same = new FieldSet();
        foreach (var path in set.Paths())
        {
            var equal = FieldSet.TryGet(one, path, out var a) && FieldSet.TryGet(other, path, out var b)
                && (JsonNode.DeepEquals(a, b) || (a is JsonObject && b is JsonObject && HasDeeper(set, path)) || (path[^1].StartsWith("k:", StringComparison.Ordinal) && a is JsonObject && b is JsonObject));
            if (equal)
            {
                same = same.Union(Single(path));
            }
        }

        return set.Except(same);
    }

    /// <summary>Gives fields to a manager: replaces its entry for an apply, adds to it for an update.</summary>
    /// <param name="take">Other managers lose these fields.</param>
    public void Take(FieldSet set, string manager, string operation, string subresource, DateTimeOffset now, bool take)
    {
        if (take)
        {
            for (var i = 0; i < _entries.Count; i++)
            {
                _entries[i] = _entries[i] with { Fields = _entries[i].Fields.Except(set) };
            }
        }

        var index = _entries.FindIndex(e => e.Manager == manager && e.Operation == operation && e.Subresource == subresource);
        if (index < 0)
        {
            _entries.Add(new Entry(manager, operation, subresource, Json.Time(now), set));
        }
        else
        {
            var merged = operation == "Apply" ? set : _entries[index].Fields.Union(set);
            var isSame = JsonNode.DeepEquals(merged.ToJson(), _entries[index].Fields.ToJson());
            _entries[index] = _entries[index] with { Fields = merged, Time = isSame ? _entries[index].Time : Json.Time(now) };
        }

        _entries.RemoveAll(e => e.Fields.IsEmpty);
    }

    public void Drop(FieldSet gone)
    {
        for (var i = 0; i < _entries.Count; i++)
        {
            _entries[i] = _entries[i] with { Fields = _entries[i].Fields.Except(gone) };
        }

        _entries.RemoveAll(e => e.Fields.IsEmpty);
    }

    public void Write(ResourceType type, JsonObject tree) =>
        tree.Child("metadata")["managedFields"] = _entries.Select(e => (JsonNode?)e.ToJson(type.ApiVersion)).ToJson();

    private static bool HasDeeper(FieldSet set, string[] path) =>
        set.Paths().Any(p => p.Length > path.Length && p.AsSpan(0, path.Length).SequenceEqual(path));

    private static FieldSet Single(string[] path)
    {
        JsonObject node = [];
        for (var i = path.Length - 1; i >= 0; i--)
        {
            node = new JsonObject { [path[i]] = node };
        }

        return FieldSet.FromJson(node);
    }

    /// <summary>One entry of the list.</summary>
    public sealed record Entry(string Manager, string Operation, string Subresource, string Time, FieldSet Fields)
    {
        public JsonObject ToJson(string apiVersion)
        {
            var entry = new JsonObject
            {
                ["manager"] = Manager,
                ["operation"] = Operation,
                ["apiVersion"] = apiVersion,
                ["time"] = Time,
                ["fieldsType"] = "FieldsV1",
                ["fieldsV1"] = Fields.ToJson(),
            };
            if (Subresource.Length > 0)
            {
                entry["subresource"] = Subresource;
            }

            return entry;
        }
    }
}
