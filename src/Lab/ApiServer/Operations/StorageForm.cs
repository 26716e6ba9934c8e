using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>Between the version that a client speaks and the one that is stored. Versions of a custom resource differ only in name;
/// the two Event APIs differ in field names.</summary>
public static class StorageForm
{
    private static readonly (string Core, string Events)[] EventFields =
    [
        ("involvedObject", "regarding"), ("message", "note"), ("source", "deprecatedSource"), ("firstTimestamp", "deprecatedFirstTimestamp"),
        ("lastTimestamp", "deprecatedLastTimestamp"), ("count", "deprecatedCount"), ("reportingComponent", "reportingController"),
    ];

    /// <summary>The type's objects are stored under another group or version.</summary>
    public static bool IsConverted(ResourceType type) => type.Version != type.StorageVersion || type.Group == "events.k8s.io";

    /// <summary>Stored form to the type's version; changes and returns the tree.</summary>
    public static JsonObject Present(ResourceType type, JsonObject tree)
    {
        if (IsConverted(type))
        {
            tree["apiVersion"] = type.ApiVersion;
            if (type.Group == "events.k8s.io")
            {
                Rename(tree, e => (e.Core, e.Events));
            }
        }

        return tree;
    }

    /// <summary>The type's version to the stored form; changes and returns the tree.</summary>
    public static JsonObject Store(ResourceType type, JsonObject tree)
    {
        if (IsConverted(type))
        {
            tree["apiVersion"] = type.Group == "events.k8s.io" ? "v1" : $"{type.Group}/{type.StorageVersion}";
            if (type.Group == "events.k8s.io")
            {
                Rename(tree, e => (e.Events, e.Core));
            }
        }

        return tree;
    }

    /// <summary>The text to send for an object in the type's version.</summary>
    public static ReadOnlyMemory<byte> Text(ResourceType type, StoredObject item) =>
        IsConverted(type) ? Json.ToBytes(Present(type, item.ToTree())) : item.Utf8;

    private static void Rename(JsonObject tree, Func<(string Core, string Events), (string From, string To)> direction)
    {
        foreach (var pair in EventFields)
        {
            var (from, to) = direction(pair);
            if (tree.Remove(from, out var value))
            {
                tree[to] = value;
            }
        }
    }
}
