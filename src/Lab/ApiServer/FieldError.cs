using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>One field that is wrong: its path, the API's reason word, and what a person reads.</summary>
public sealed record FieldError(string Field, string Reason, string Message)
{
    public static FieldError Required(string field, string detail = "") =>
        new(field, "FieldValueRequired", "Required value" + (detail.Length > 0 ? $": {detail}" : ""));

    public static FieldError Invalid(string field, JsonNode? value, string detail) =>
        new(field, "FieldValueInvalid", $"Invalid value: {Show(value)}: {detail}");

    /// <summary>As the API server reports a wrong JSON type: the type stands in the place of the value.</summary>
    public static FieldError WrongType(string field, JsonNode? value, string expected) =>
        new(field, "FieldValueTypeInvalid", $"Invalid value: \"{TypeOf(value)}\": {field} in body must be of type {expected}: \"{TypeOf(value)}\"");

    public static FieldError NotSupported(string field, JsonNode? value, IEnumerable<string> supported) =>
        new(field, "FieldValueNotSupported", $"Unsupported value: {Show(value)}: supported values: {string.Join(", ", supported.Select(s => $"\"{s}\""))}");

    public static FieldError Duplicate(string field, JsonNode? value) =>
        new(field, "FieldValueDuplicate", $"Duplicate value: {Show(value)}");

    public static FieldError Forbidden(string field, string detail) => new(field, "FieldValueForbidden", $"Forbidden: {detail}");

    public static FieldError NotFound(string field, JsonNode? value) => new(field, "FieldValueNotFound", $"Not found: {Show(value)}");

    public override string ToString() => $"{Field}: {Message}";

    internal static string TypeOf(JsonNode? value) => value switch
    {
        null => "null",
        JsonObject => "object",
        JsonArray => "array",
        JsonValue v when v.TryGetValue(out string? _) => "string",
        JsonValue v when v.TryGetValue(out bool _) => "boolean",
        JsonValue v when v.Integer() is not null => "integer",
        _ => "number",
    };

    private static string Show(JsonNode? value) => value is null ? "null" : System.Text.Encoding.UTF8.GetString(Json.ToBytes(value));
}
