using System.Text.Json.Nodes;

namespace Weft.Controller.Api;

/// <summary>One object of the read-only API.</summary>
/// <param name="Namespace">Null for cluster-wide kinds.</param>
/// <param name="Name">Unique in its namespace.</param>
/// <param name="Spec">What is computed.</param>
/// <param name="Status">What agents say about it.</param>
/// <param name="Cells">The values of the kind's columns, without the name.</param>
internal sealed record TopologyObject(string? Namespace, string Name, JsonNode Spec, JsonObject? Status, JsonArray Cells)
{
    /// <summary>The object as JSON.</summary>
    public JsonObject ToJson(TopologyKind kind)
    {
        var json = new JsonObject
        {
            ["apiVersion"] = TopologyKind.ApiVersion,
            ["kind"] = kind.Kind,
            ["metadata"] = Metadata,
            ["spec"] = Spec.DeepClone(),
        };
        if (Status is not null)
        {
            json["status"] = Status.DeepClone();
        }

        return json;
    }

    /// <summary>Its <c>metadata</c>.</summary>
    public JsonObject Metadata => Namespace is null
        ? new JsonObject { ["name"] = Name }
        : new JsonObject { ["name"] = Name, ["namespace"] = Namespace };

    /// <summary>Whether a field selector may name the field.</summary>
    public static bool Knows(string field) => field is "metadata.name" or "metadata.namespace" || field.StartsWith("spec.", StringComparison.Ordinal);

    /// <summary>Whether a field (<see cref="Knows"/>) has a value, for field selectors such as <c>spec.node=node1</c>.</summary>
    public bool Has(string field, string value) => field switch
    {
        "metadata.name" => Name == value,
        "metadata.namespace" => (Namespace ?? "") == value,
        _ => Spec[field["spec.".Length..]]?.ToString() == value,
    };
}
