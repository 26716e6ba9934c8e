using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>What controllers of pods have in common: pods from templates, who owns what, and when a pod counts.</summary>
internal static class PodTemplates
{
    private const string SafeLetters = "bcdfghjklmnpqrstvwxz2456789";

    /// <summary>A short name for a template's content; equal templates have equal names.</summary>
    public static string Hash(JsonNode? template, int collisions = 0)
    {
        var copy = template?.DeepClone() ?? new JsonObject();
        (copy.At("metadata", "labels") as JsonObject)?.Remove("pod-template-hash");
        var bytes = SHA256.HashData([.. Json.ToBytes(copy), (byte)collisions]);
        return string.Concat(bytes.Take(10).Select(b => SafeLetters[b % SafeLetters.Length]));
    }

    public static JsonObject NewPod(JsonObject owner, JsonNode? template, string? name)
    {
        var pod = new JsonObject { ["metadata"] = template.At("metadata")?.DeepClone() ?? new JsonObject(), ["spec"] = template.At("spec")?.DeepClone() };
        var metadata = pod.Child("metadata");
        metadata.Remove("creationTimestamp");
        if (name is not null)
        {
            metadata["name"] = name;
        }
        else
        {
            metadata["generateName"] = owner.Text("metadata", "name") + "-";
        }

        metadata["ownerReferences"] = new JsonArray(Reference(owner));
        return pod;
    }

    public static JsonObject Reference(JsonObject owner) => new()
    {
        ["apiVersion"] = owner.Text("apiVersion"),
        ["kind"] = owner.Text("kind"),
        ["name"] = owner.Text("metadata", "name"),
        ["uid"] = owner.Text("metadata", "uid"),
        ["controller"] = true,
        ["blockOwnerDeletion"] = true,
    };

    /// <summary>Objects of a namespace that this one owns.</summary>
    public static List<StoredObject> Owned(ObjectStore store, string storageKey, StoredObject owner) =>
        [.. store.Snapshot(storageKey, owner.Namespace).Items.Where(i => i.Owners.Contains(owner.Uid))];

    /// <summary>Neither ended nor being deleted.</summary>
    public static bool IsActive(StoredObject pod) => !pod.Deleting && pod.Phase is not ("Succeeded" or "Failed");

    public static bool IsReady(StoredObject pod) => IsActive(pod) && PodConditions.IsTrue(pod.ToTree(), "Ready");

    /// <summary>A number, or a share of <paramref name="total"/>.</summary>
    public static int Share(JsonNode? value, int total, bool up)
    {
        if (value.Integer() is { } number)
        {
            return (int)number;
        }

        var percent = int.TryParse(value.Text()?.TrimEnd('%'), System.Globalization.CultureInfo.InvariantCulture, out var p) ? p : 0;
        return up ? ((total * percent) + 99) / 100 : total * percent / 100;
    }
}
