using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>From CustomResourceDefinitions to served resources.</summary>
public static class Definitions
{
    public const string StorageKey = "customresourcedefinitions.apiextensions.k8s.io";

    /// <summary>Serves what is stored, at start.</summary>
    public static void LoadAll(ObjectStore store, ResourceRegistry registry)
    {
        foreach (var item in store.Snapshot(StorageKey).Items)
        {
            registry.SetCustom(item.Name, item.Deleting ? [] : Types(item.ToTree()));
        }
    }

    /// <summary>The resources of a valid definition, one per served version.</summary>
    public static ImmutableArray<ResourceType> Types(JsonObject definition)
    {
        var spec = definition["spec"];
        var names = spec.At("names");
        var group = spec.Text("group")!;
        var plural = names.Text("plural")!;
        var stored = spec.At("versions").Objects().First(v => v.Flag("storage")).Text("name")!;
        return [.. spec.At("versions").Objects().Where(v => v.Flag("served")).Select(version => new ResourceType
        {
            Group = group,
            Version = version.Text("name")!,
            Kind = names.Text("kind")!,
            Plural = plural,
            Singular = names.Text("singular") ?? names.Text("kind")!.ToLowerInvariant(),
            ShortNames = [.. names.At("shortNames").Texts()],
            Categories = [.. names.At("categories").Texts()],
            Namespaced = spec.Text("scope") == "Namespaced",
            Subresources = [.. (version.At("subresources") as JsonObject ?? []).Select(s => s.Key)],
            StorageKey = $"{plural}.{group}",
            StorageVersion = stored,
            Schema = SchemaReader.ReadRoot(version.At("schema", "openAPIV3Schema")),
            Custom = new CustomResource(definition.Text("metadata", "name")!, Columns(version), Scale(version)),
        })];
    }

    private static ImmutableArray<PrinterColumn> Columns(JsonObject version)
    {
        var columns = version["additionalPrinterColumns"].Objects().Select(c => new PrinterColumn(
            c.Text("name") ?? "", c.Text("type") ?? "string", c.Text("format") ?? "", c.Text("description") ?? "", (int)(c.Integer("priority") ?? 0), c.Text("jsonPath") ?? "")).ToImmutableArray();
        return columns.Length > 0 ? columns : [new PrinterColumn("Age", "date", "", "", 0, ".metadata.creationTimestamp")];
    }

    private static ScalePaths? Scale(JsonObject version) => version.At("subresources", "scale") is { } scale
        ? new ScalePaths(scale.Text("specReplicasPath") ?? ".spec.replicas", scale.Text("statusReplicasPath") ?? ".status.replicas", scale.Text("labelSelectorPath")) : null;
}
