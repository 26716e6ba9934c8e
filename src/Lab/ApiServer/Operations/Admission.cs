using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>What happens to an object between the request and the store: completion, pruning, defaults, validation.</summary>
public sealed class Admission(IReadOnlyDictionary<string, ResourceStrategy> strategies)
{
    private static readonly HashSet<string> WithoutGeneration = new(StringComparer.Ordinal)
    {
        "pods", "services", "nodes", "namespaces", "endpoints", "events", "configmaps", "secrets", "serviceaccounts",
        "leases.coordination.k8s.io", "roles.rbac.authorization.k8s.io", "rolebindings.rbac.authorization.k8s.io",
        "clusterroles.rbac.authorization.k8s.io", "clusterrolebindings.rbac.authorization.k8s.io", "apiservices.apiregistration.k8s.io",
    };

    public static bool HasGeneration(ResourceType type) => !WithoutGeneration.Contains(type.StorageKey);

    /// <summary>Nodes and definitions keep a status that comes with them; others start without.</summary>
    public static bool ResetsStatusOnCreate(ResourceType type) => type.Plural is not ("nodes" or "customresourcedefinitions" or "apiservices");

    /// <summary>Fills in kind, version and namespace, or refuses those of something else.</summary>
    public void Complete(ResourceType type, string ns, JsonObject tree)
    {
        var kind = tree.Text("kind") ?? type.Kind;
        var version = tree.Text("apiVersion") ?? type.ApiVersion;
        if (kind != type.Kind || version != type.ApiVersion)
        {
            throw ApiException.BadRequest(
                $"the API version in the data ({version}) and kind ({kind}) do not match the expected API version ({type.ApiVersion}) and kind ({type.Kind})");
        }

        tree["kind"] = type.Kind;
        tree["apiVersion"] = type.ApiVersion;
        if (tree["metadata"] is not (null or JsonObject))
        {
            throw ApiException.BadRequest($"{type.Kind} in version \"{type.Version}\" cannot be handled as a {type.Kind}: metadata is not an object");
        }

        var metadata = tree.Child("metadata");
        foreach (var name in (string[])["labels", "annotations", "finalizers", "ownerReferences"])
        {
            // Empty means absent, and is stored so.
            if (metadata[name] is JsonObject { Count: 0 } or JsonArray { Count: 0 })
            {
                metadata.Remove(name);
            }
        }

        if (!type.Namespaced)
        {
            metadata.Remove("namespace");
            return;
        }

        if (metadata.Text("namespace") is { Length: > 0 } given && given != ns)
        {
            throw ApiException.BadRequest($"the namespace of the provided object does not match the namespace sent on the request ({given} and {ns})");
        }

        metadata["namespace"] = ns;
    }

    /// <summary>On an update: everything that the subresource does not own stays as it was.</summary>
    public static JsonObject KeepOtherPart(ResourceType type, JsonObject updated, JsonObject old, string? subresource)
    {
        if (subresource == "status")
        {
            var kept = (JsonObject)old.DeepClone();
            kept.Remove("status");
            if (updated.Remove("status", out var status))
            {
                kept["status"] = status;
            }

            // Built-in types let a status writer change labels and annotations too (kubelets mark pods that way).
            if (type.Custom is null && updated["metadata"] is JsonObject metadata)
            {
                foreach (var name in (string[])["labels", "annotations"])
                {
                    if (metadata.Remove(name, out var map))
                    {
                        kept.Child("metadata")[name] = map;
                    }
                }
            }

            Copy(updated["metadata"], kept.Child("metadata"), "managedFields");
            return kept;
        }

        if (type.HasStatus && subresource is null)
        {
            Copy(old, updated, "status");
        }

        return updated;
    }

    /// <summary>Fields of metadata that only the server writes.</summary>
    public static void KeepSystemFields(JsonObject updated, JsonObject old)
    {
        var metadata = updated.Child("metadata");
        var before = old["metadata"];
        foreach (var name in (string[])["uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds", "namespace", "name", "generateName"])
        {
            Copy(before, metadata, name);
        }

        metadata.Remove("selfLink");
        if (metadata.At("deletionTimestamp") is not null)
        {
            // Nothing may start to hold an object that is already going.
            var held = before.At("finalizers").Texts().ToHashSet(StringComparer.Ordinal);
            var finalizers = metadata.At("finalizers").Texts().Where(held.Contains).ToList();
            if (finalizers.Count > 0)
            {
                metadata["finalizers"] = finalizers.ToJson();
            }
            else
            {
                metadata.Remove("finalizers");
            }
        }
    }

    /// <summary>Prunes, defaults, and refuses what is invalid.</summary>
    public void Admit(ResourceType type, JsonObject tree, JsonObject? old, WriteOptions options, string? subresource)
    {
        if (type.Schema is not null)
        {
            PruneUnknown(type, tree, options);
            SchemaWalk.ApplyDefaults(type.Schema, tree);
        }

        var strategy = strategies.GetValueOrDefault(type.StorageKey);
        var errors = new List<FieldError>();
        ObjectNames.Check(type, tree, errors);
        if (type.Schema is not null)
        {
            // Completion by strategies trusts the shape, so the shape is checked first.
            SchemaValidator.Validate(type.Schema, tree, "", errors);
        }

        if (errors.Count == 0 && strategy is not null)
        {
            if (old is null)
            {
                strategy.PrepareCreate(tree);
            }
            else if (subresource is null)
            {
                strategy.PrepareUpdate(tree, old);
            }

            strategy.Validate(tree, old, errors);
        }

        if (errors.Count == 0 && type.Custom is not null)
        {
            CelValidator.Validate(type.Schema!, tree, old, "", errors);
        }

        if (errors.Count > 0)
        {
            throw ApiException.Invalid(type, tree.Text("metadata", "name") ?? "", errors);
        }
    }

    /// <summary>Tells the resource's strategy that the tree is in the store now.</summary>
    public void Stored(ResourceType type, JsonObject tree) => strategies.GetValueOrDefault(type.StorageKey)?.Stored(tree);

    public static void BumpGeneration(ResourceType type, JsonObject updated, JsonObject old)
    {
        if (!HasGeneration(type))
        {
            return;
        }

        var changed = updated.Select(p => p.Key).Union(old.Select(p => p.Key))
            .Any(name => name is not ("metadata" or "apiVersion" or "kind") && !(name == "status" && type.HasStatus)
                && !JsonNode.DeepEquals(updated[name], old[name]));
        if (changed)
        {
            updated.Child("metadata")["generation"] = (old.Integer("metadata", "generation") ?? 0) + 1;
        }
    }

    private static void PruneUnknown(ResourceType type, JsonObject tree, WriteOptions options)
    {
        var unknown = new List<string>();
        SchemaWalk.Prune(type.Schema!, tree, "", unknown);
        if (unknown.Count == 0)
        {
            return;
        }

        if (options.FieldValidation == FieldValidation.Strict)
        {
            throw ApiException.BadRequest($"{type.Kind} in version \"{type.Version}\" cannot be handled as a {type.Kind}: strict decoding error: " +
                string.Join(", ", unknown.Select(u => $"unknown field \"{u}\"")));
        }

        if (options.FieldValidation == FieldValidation.Warn)
        {
            options.Warnings.AddRange(unknown.Select(u => $"unknown field \"{u}\""));
        }
    }

    private static void Copy(JsonNode? from, JsonObject to, string name)
    {
        if (from.At(name) is { } value)
        {
            to[name] = value.DeepClone();
        }
        else
        {
            to.Remove(name);
        }
    }
}
