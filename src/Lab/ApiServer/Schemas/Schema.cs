using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Weft.Lab.ApiServer;

/// <summary>What a value may be: the structural schema of Kubernetes, for built-in types and CustomResourceDefinitions alike.
/// Complete once built; types may contain themselves.</summary>
public sealed class Schema
{
    /// <summary>"object", "array", "string", "integer", "number", "boolean", or empty for any.</summary>
    public string Type { get; set; } = "";

    public string? Description { get; set; }

    public Dictionary<string, Schema> Properties { get; } = new(StringComparer.Ordinal);

    public Schema? Items { get; set; }

    public Schema? AdditionalProperties { get; set; }

    public List<string> Required { get; } = [];

    public List<JsonNode?>? Enum { get; set; }

    public JsonNode? Default { get; set; }

    public string? Format { get; set; }

    public Regex? Pattern { get; set; }

    public double? Minimum { get; set; }

    public double? Maximum { get; set; }

    public bool ExclusiveMinimum { get; set; }

    public bool ExclusiveMaximum { get; set; }

    public double? MultipleOf { get; set; }

    public long? MinLength { get; set; }

    public long? MaxLength { get; set; }

    public long? MinItems { get; set; }

    public long? MaxItems { get; set; }

    public bool UniqueItems { get; set; }

    public long? MinProperties { get; set; }

    public long? MaxProperties { get; set; }

    public bool Nullable { get; set; }

    public bool IntOrString { get; set; }

    public bool PreserveUnknown { get; set; }

    public bool EmbeddedResource { get; set; }

    /// <summary>"atomic" (also when null), "set" or "map": what owners of list items share.</summary>
    public string? ListType { get; set; }

    /// <summary>The fields that tell items of a "map" list apart; the first is also the key of strategic merge patch.</summary>
    public List<string> ListMapKeys { get; } = [];

    /// <summary>An object that is owned and replaced as one.</summary>
    public bool AtomicMap { get; set; }

    public List<Schema> AllOf { get; } = [];

    public List<Schema> AnyOf { get; } = [];

    public List<Schema> OneOf { get; } = [];

    public Schema? Not { get; set; }

    /// <summary>x-kubernetes-validations.</summary>
    public List<CelRule> Rules { get; } = [];

    /// <summary>The schema of a member; null when nothing is known of it.</summary>
    public Schema? Member(string name) => Properties.TryGetValue(name, out var known) ? known : AdditionalProperties;

    /// <summary>A member of that name is not in the schema and will not be kept.</summary>
    public bool Prunes(string name) =>
        Type == "object" && !PreserveUnknown && AdditionalProperties is null && !Properties.ContainsKey(name);
}
