using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>CustomResourceDefinitions: names complete, schemas readable, and served from the moment they are stored.</summary>
public sealed class DefinitionStrategy(ResourceRegistry registry) : ResourceStrategy
{
    public override void PrepareCreate(JsonObject tree) => Complete(tree, null);

    public override void PrepareUpdate(JsonObject tree, JsonObject old) => Complete(tree, old);

    public override void Validate(JsonObject tree, JsonObject? old, List<FieldError> errors)
    {
        var spec = tree["spec"];
        var (group, plural, kind) = (spec.Text("group") ?? "", spec.Text("names", "plural") ?? "", spec.Text("names", "kind") ?? "");
        foreach (var (value, path) in ((string, string)[])[(group, "spec.group"), (plural, "spec.names.plural"), (kind, "spec.names.kind")])
        {
            if (value.Length == 0)
            {
                errors.Add(FieldError.Required(path));
            }
        }

        if (tree.Text("metadata", "name") != $"{plural}.{group}")
        {
            errors.Add(FieldError.Invalid("metadata.name", tree.Text("metadata", "name"), $"must be spec.names.plural+\".\"+spec.group"));
        }

        if (spec.Text("scope") is not ("Namespaced" or "Cluster"))
        {
            errors.Add(FieldError.NotSupported("spec.scope", spec.Text("scope") ?? "", ["Cluster", "Namespaced"]));
        }

        if (old is not null && old.Text("spec", "scope") != spec.Text("scope"))
        {
            errors.Add(FieldError.Invalid("spec.scope", spec.Text("scope"), "field is immutable"));
        }

        CheckVersions(spec.At("versions").Objects().ToList(), errors);
    }

    /// <summary>Who made a definition may use it with the next request.</summary>
    public override void Stored(JsonObject tree)
    {
        if (tree.At("metadata", "deletionTimestamp") is null && PodConditions.IsTrue(tree, "Established"))
        {
            registry.SetCustom(tree.Text("metadata", "name")!, Definitions.Types(tree));
        }
    }

    private static void CheckVersions(List<JsonObject> versions, List<FieldError> errors)
    {
        if (versions.Count(v => v.Flag("storage")) != 1)
        {
            errors.Add(FieldError.Invalid("spec.versions", versions.Select(v => v.Text("name") ?? "").ToJson(), "must have exactly one version marked as storage version"));
        }

        for (var i = 0; i < versions.Count; i++)
        {
            var path = $"spec.versions[{i}]";
            var schema = versions[i].At("schema", "openAPIV3Schema");
            if (string.IsNullOrEmpty(versions[i].Text("name")))
            {
                errors.Add(FieldError.Required($"{path}.name"));
            }

            if (schema is not JsonObject)
            {
                errors.Add(FieldError.Required($"{path}.schema.openAPIV3Schema", "schemas are required"));
                continue;
            }

            if (schema.Text("type") != "object")
            {
                errors.Add(FieldError.Invalid($"{path}.schema.openAPIV3Schema.type", schema.Text("type"), "must be object at the root"));
            }

            try
            {
                SchemaReader.Read(schema);
            }
            catch (FormatException e)
            {
                errors.Add(FieldError.Invalid($"{path}.schema.openAPIV3Schema", "<schema>", e.Message));
            }
        }
    }

    private void Complete(JsonObject tree, JsonObject? old)
    {
        var spec = tree.Child("spec");
        var names = spec.Child("names");
        var kind = names.Text("kind") ?? "";
        names["singular"] ??= kind.ToLowerInvariant();
        names["listKind"] ??= kind + "List";
        spec["conversion"] ??= new JsonObject { ["strategy"] = "None" };
        if (old is not null)
        {
            return;
        }

        var taken = ((string?[])[names.Text("plural"), names.Text("singular"), kind, .. names["shortNames"].Texts()])
            .FirstOrDefault(n => n is { Length: > 0 } && registry.NameTaken(spec.Text("group") ?? "", names.Text("plural") ?? "", n));
        // Its objects are deleted before it goes.
        tree.Child("metadata")["finalizers"] = tree.At("metadata", "finalizers").Texts().Append(DefinitionController.CleanupFinalizer).Distinct().ToJson();
        var now = DateTimeOffset.UtcNow;
        tree["status"] = new JsonObject();
        if (taken is null)
        {
            PodConditions.Set(tree, "NamesAccepted", "True", "NoConflicts", "no conflicts found", now);
            PodConditions.Set(tree, "Established", "True", "InitialNamesAccepted", "the initial names have been accepted", now);
        }
        else
        {
            PodConditions.Set(tree, "NamesAccepted", "False", "NameConflict", $"\"{taken}\" is already in use", now);
            PodConditions.Set(tree, "Established", "False", "NotAccepted", "not all names are accepted", now);
        }

        tree.Child("status")["acceptedNames"] = names.DeepClone();
        tree.Child("status")["storedVersions"] = spec["versions"].Objects().Where(v => v.Flag("storage")).Select(v => v.Text("name")!).ToJson();
    }
}
