using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>One version of one object, immutable: its JSON text, and beside it only what selectors ask for.</summary>
/// <remarks>Text costs a third of a tree, and lists and watches send it as it is.</remarks>
public sealed class StoredObject
{
    private StoredObject(JsonObject tree, byte[] json, long revision)
    {
        var metadata = tree["metadata"];
        Namespace = Intern(metadata.Text("namespace"));
        Name = metadata.Text("name") ?? "";
        Uid = metadata.Text("uid") ?? "";
        Revision = revision;
        Utf8 = json;
        Deleting = metadata.At("deletionTimestamp") is not null;
        Labels = metadata.At("labels") is JsonObject { Count: > 0 } labels
            ? [.. labels.Select(l => KeyValuePair.Create(Intern(l.Key), Intern(l.Value.Text())))]
            : [];
        Owners = [.. metadata.At("ownerReferences").Objects().Select(o => o.Text("uid") ?? "")];
        NodeName = tree.Text("spec", "nodeName") is { } node ? Intern(node) : null;
        Phase = tree.Text("status", "phase") is { } phase ? Intern(phase) : null;
    }

    public string Namespace { get; }

    public string Name { get; }

    public string Uid { get; }

    public long Revision { get; }

    public byte[] Utf8 { get; }

    /// <summary>It has a deletionTimestamp.</summary>
    public bool Deleting { get; }

    public KeyValuePair<string, string>[] Labels { get; }

    /// <summary>Uids of its ownerReferences.</summary>
    public string[] Owners { get; }

    /// <summary><c>spec.nodeName</c>, kept for the field selector that every kubelet uses.</summary>
    public string? NodeName { get; }

    /// <summary><c>status.phase</c>.</summary>
    public string? Phase { get; }

    /// <summary>Stamps the revision on the tree and freezes it.</summary>
    public static StoredObject Freeze(JsonObject tree, long revision)
    {
        tree.Child("metadata")["resourceVersion"] = revision.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return new StoredObject(tree, Json.ToBytes(tree), revision);
    }

    /// <summary>Takes text that already carries its revision.</summary>
    public static StoredObject Thaw(byte[] json, long revision) => new(Json.ParseObject(json), json, revision);

    /// <summary>A tree of its own for the caller to change.</summary>
    public JsonObject ToTree() => Json.ParseObject(Utf8);

    public string? Label(string key)
    {
        foreach (var (k, v) in Labels)
        {
            if (k == key)
            {
                return v;
            }
        }

        return null;
    }

    private static string Intern(string? text) => text is null ? "" : text.Length <= 64 ? string.Intern(text) : text;
}
