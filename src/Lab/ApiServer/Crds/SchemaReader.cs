using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Weft.Lab.ApiServer;

/// <summary>Reads the <c>openAPIV3Schema</c> of a definition.</summary>
public static class SchemaReader
{
    private static readonly TimeSpan LongestMatch = TimeSpan.FromSeconds(1);

    /// <summary>The schema of whole objects: metadata is always the API's own.</summary>
    public static Schema ReadRoot(JsonNode? json)
    {
        var root = Read(json ?? new JsonObject { ["type"] = "object", ["x-kubernetes-preserve-unknown-fields"] = true });
        root.Type = "object";
        root.Properties["apiVersion"] = new Schema { Type = "string" };
        root.Properties["kind"] = new Schema { Type = "string" };
        root.Properties["metadata"] = BuiltInSchemas.Metadata;
        return root;
    }

    /// <exception cref="FormatException">A pattern or a rule cannot be read; the message says which.</exception>
    public static Schema Read(JsonNode? json)
    {
        var schema = new Schema
        {
            Type = json.Text("type") ?? "",
            Description = json.Text("description"),
            Format = json.Text("format"),
            Default = json.At("default")?.DeepClone(),
            Nullable = json.Flag("nullable"),
            IntOrString = json.Flag("x-kubernetes-int-or-string"),
            PreserveUnknown = json.Flag("x-kubernetes-preserve-unknown-fields"),
            EmbeddedResource = json.Flag("x-kubernetes-embedded-resource"),
            ListType = json.Text("x-kubernetes-list-type"),
            AtomicMap = json.Text("x-kubernetes-map-type") == "atomic",
            Enum = json.At("enum") is JsonArray values ? [.. values.Select(v => v?.DeepClone())] : null,
            UniqueItems = json.Flag("uniqueItems"),
            Minimum = SchemaValidator.Number(json.At("minimum")),
            Maximum = SchemaValidator.Number(json.At("maximum")),
            ExclusiveMinimum = json.Flag("exclusiveMinimum"),
            ExclusiveMaximum = json.Flag("exclusiveMaximum"),
            MultipleOf = SchemaValidator.Number(json.At("multipleOf")),
            MinLength = json.Integer("minLength"),
            MaxLength = json.Integer("maxLength"),
            MinItems = json.Integer("minItems"),
            MaxItems = json.Integer("maxItems"),
            MinProperties = json.Integer("minProperties"),
            MaxProperties = json.Integer("maxProperties"),
            Pattern = Pattern(json.Text("pattern")),
        };
        schema.ListMapKeys.AddRange(json.At("x-kubernetes-list-map-keys").Texts());
        schema.Required.AddRange(json.At("required").Texts());
        if (json.At("properties") is JsonObject properties)
        {
            foreach (var (name, value) in properties)
            {
                schema.Properties[name] = Read(value);
            }
        }

        schema.Items = json.At("items") is JsonObject items ? Read(items) : null;
        schema.AdditionalProperties = json.At("additionalProperties") switch
        {
            JsonObject o => Read(o),
            JsonValue v when v.TryGetValue(out bool open) && open => new Schema { PreserveUnknown = true },
            _ => null,
        };
        schema.AllOf.AddRange(json.At("allOf").Objects().Select(Read));
        schema.AnyOf.AddRange(json.At("anyOf").Objects().Select(Read));
        schema.OneOf.AddRange(json.At("oneOf").Objects().Select(Read));
        schema.Rules.AddRange(json.At("x-kubernetes-validations").Objects().Select(CelRule.Read));
        schema.Not = json.At("not") is JsonObject not ? Read(not) : null;
        return schema;
    }

    private static Regex? Pattern(string? pattern)
    {
        try
        {
            return pattern is null ? null : new Regex(pattern, RegexOptions.CultureInvariant, LongestMatch);
        }
        catch (ArgumentException e)
        {
            throw new FormatException($"pattern \"{pattern}\": {e.Message}");
        }
    }
}
