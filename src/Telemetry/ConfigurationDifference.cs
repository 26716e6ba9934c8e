using System.Text.Json.Nodes;

namespace Weft.Telemetry;

/// <summary>Names the fields in which two configurations differ.</summary>
public static class ConfigurationDifference
{
    /// <summary>The fields' names, sorted.</summary>
    /// <param name="before">An object.</param>
    /// <param name="after">An object of the same type.</param>
    /// <param name="except">A field that does not count.</param>
    public static List<string> Between(JsonNode before, JsonNode after, string except) =>
        [.. before.AsObject().Concat(after.AsObject()).Select(f => f.Key).Distinct()
            .Where(k => k != except && !JsonNode.DeepEquals(before[k], after[k])).Order(StringComparer.Ordinal)];
}
