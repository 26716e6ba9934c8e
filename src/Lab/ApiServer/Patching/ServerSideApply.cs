using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>Server-side apply: a manager states the fields that it wants; what it stated before and does not any more goes away
/// when nobody else owns it; a different value in a field of another manager is a conflict unless forced.</summary>
public static class ServerSideApply
{
    /// <summary>A new object from an applied one.</summary>
    public static JsonObject Create(ResourceType type, JsonObject applied, WriteOptions options, DateTimeOffset now, string? subresource)
    {
        var tree = (JsonObject)applied.DeepClone();
        tree.Child("metadata").Remove("managedFields");
        var fields = new ManagedFields();
        fields.Take(FieldSet.Of(type.Schema, tree), options.FieldManager, "Apply", subresource ?? "", now, take: false);
        fields.Write(type, tree);
        return tree;
    }

    /// <summary>The live object with what is applied.</summary>
    /// <exception cref="ApiException">409 with one cause per field that another manager owns.</exception>
    public static JsonObject Merge(
        ResourceType type, JsonObject live, JsonObject applied, WriteOptions options, DateTimeOffset now, string? subresource)
    {
        if (applied.At("metadata", "managedFields") is JsonArray { Count: > 0 })
        {
            throw ApiException.BadRequest("metadata.managedFields must be nil");
        }

        var fields = ManagedFields.AreTracked(live) ? ManagedFields.Read(live) : ManagedFields.ForUntracked(type, live, now);
        var wanted = FieldSet.Of(type.Schema, applied);
        var manager = options.FieldManager;
        var different = ManagedFields.Changed(wanted, live, applied);
        CheckConflicts(fields, different, options, subresource ?? "");

        var merged = (JsonObject)live.DeepClone();
        MergeObject(type.Schema, merged, applied);
        var previous = fields.Entries.FirstOrDefault(e => e.Manager == manager && e.Operation == "Apply" && e.Subresource == (subresource ?? ""))?.Fields ?? new FieldSet();
        var others = fields.Entries.Where(e => !(e.Manager == manager && e.Operation == "Apply"))
            .Aggregate(new FieldSet(), (sum, e) => sum.Union(e.Fields));
        var dropped = previous.Except(wanted).Except(others);
        foreach (var path in dropped.Paths())
        {
            // Outermost first. An item in which somebody else still owns something stays, and with it the keys that name it.
            var isKey = path.Length > 1 && path[^2].StartsWith("k:", StringComparison.Ordinal) && path[^2].Contains($"\"{path[^1][2..]}\":", StringComparison.Ordinal);
            if (!isKey && !others.Paths().Any(p => p.Length > path.Length && p.AsSpan(0, path.Length).SequenceEqual(path)))
            {
                FieldSet.Remove(merged, path);
            }
        }

        fields.Take(different, manager, "Apply", subresource ?? "", now, take: true);
        fields.Take(wanted, manager, "Apply", subresource ?? "", now, take: false);
        fields.Write(type, merged);
        if (applied.Text("metadata", "resourceVersion") is null)
        {
            merged.Child("metadata").Remove("resourceVersion");
        }

        return merged;
    }

    private static void CheckConflicts(ManagedFields fields, FieldSet different, WriteOptions options, string subresource)
    {
        if (options.Force)
        {
            return;
        }

        var causes = new JsonArray();
        var texts = new List<string>();
        foreach (var entry in fields.Entries.Where(e => !(e.Manager == options.FieldManager && e.Operation == "Apply" && e.Subresource == subresource)))
        {
            var name = $"\"{entry.Manager}\"" + (entry.Subresource.Length > 0 ? $" with subresource \"{entry.Subresource}\"" : "");
            var paths = different.Intersect(entry.Fields).Paths().Select(FieldSet.Show).ToList();
            foreach (var path in paths)
            {
                causes.Add(new JsonObject { ["reason"] = "FieldManagerConflict", ["message"] = $"conflict with {name}", ["field"] = path });
            }

            if (paths.Count > 0)
            {
                texts.Add($"conflict{(paths.Count > 1 ? "s" : "")} with {name}: {string.Join(", ", paths)}");
            }
        }

        if (causes.Count > 0)
        {
            throw new ApiException(409, "Conflict", $"Apply failed with {causes.Count} conflict{(causes.Count > 1 ? "s" : "")}: {string.Join("; ", texts)}",
                new JsonObject { ["causes"] = causes });
        }
    }

    private static void MergeObject(Schema? schema, JsonObject live, JsonObject applied)
    {
        foreach (var (name, value) in applied)
        {
            var member = schema?.Member(name);
            switch (value)
            {
                case JsonObject o when live[name] is JsonObject target && member is not { AtomicMap: true }:
                    MergeObject(member, target, o);
                    break;
                case JsonArray list when live[name] is JsonArray target && member is { ListType: "map" }:
                    MergeList(member, target, list, i => FieldSet.KeyStep(member, i));
                    break;
                case JsonArray list when live[name] is JsonArray target && member is { ListType: "set" }:
                    MergeList(member, target, list, i => i?.ToJsonString() ?? "null");
                    break;
                default:
                    live[name] = value?.DeepClone();
                    break;
            }
        }
    }

    private static void MergeList(Schema schema, JsonArray live, JsonArray applied, Func<JsonNode?, string> identity)
    {
        foreach (var item in applied)
        {
            var found = live.FirstOrDefault(l => identity(l) == identity(item));
            if (found is JsonObject target && item is JsonObject o)
            {
                MergeObject(schema.Items, target, o);
            }
            else if (found is null)
            {
                live.Add(item?.DeepClone());
            }
        }
    }
}
