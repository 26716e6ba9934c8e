using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Weft.Lab.ApiServer;

/// <summary>Checks a value against a schema and names every field that is wrong, in the API server's words.</summary>
public static partial class SchemaValidator
{
    private static readonly FieldError[] None = [];

    public static void Validate(Schema schema, JsonNode? node, string path, List<FieldError> errors)
    {
        if (node is null)
        {
            if (!schema.Nullable && schema.Type.Length > 0)
            {
                errors.Add(FieldError.WrongType(path, null, schema.Type));
            }

            return;
        }

        if (!CheckType(schema, node, path, errors))
        {
            return;
        }

        if (schema.Enum is not null && !schema.Enum.Any(e => JsonNode.DeepEquals(e, node)))
        {
            errors.Add(FieldError.NotSupported(path, node, schema.Enum.Select(e => e.Text() ?? e?.ToJsonString() ?? "null")));
        }

        switch (node)
        {
            case JsonObject o:
                CheckObject(schema, o, path, errors);
                break;
            case JsonArray list:
                CheckList(schema, list, path, errors);
                break;
            case JsonValue value when value.Text() is { } text:
                CheckText(schema, value, text, path, errors);
                break;
            case JsonValue value when value.TryGetValue(out bool _):
                break;
            default:
                CheckNumber(schema, node, path, errors);
                break;
        }

        CheckCombinations(schema, node, path, errors);
    }

    internal static double? Number(JsonNode? node) => node switch
    {
        JsonValue v when v.TryGetValue(out double d) => d,
        JsonValue v when v.TryGetValue(out long n) => n,
        JsonValue v when v.TryGetValue(out int n) => n,
        _ => null,
    };

    private static bool CheckType(Schema schema, JsonNode node, string path, List<FieldError> errors)
    {
        var actual = FieldError.TypeOf(node);
        var fits = schema.Type switch
        {
            _ when schema.IntOrString => actual is "integer" or "string" || (schema.Format == "quantity" && actual == "number"),
            "" => true,
            "number" => actual is "number" or "integer",
            "integer" => actual == "integer",
            var type => type == actual,
        };
        if (!fits)
        {
            errors.Add(FieldError.WrongType(path, node, schema.IntOrString ? "integer,string" : schema.Type));
        }

        return fits;
    }

    private static void CheckObject(Schema schema, JsonObject o, string path, List<FieldError> errors)
    {
        foreach (var name in schema.Required)
        {
            if (!o.TryGetPropertyValue(name, out var value) || (value is null && !schema.Properties[name].Nullable))
            {
                errors.Add(FieldError.Required(Join(path, name)));
            }
        }

        if (schema.MinProperties > o.Count)
        {
            errors.Add(FieldError.Invalid(path, o.Count, $"{path} in body should have at least {schema.MinProperties} properties"));
        }

        if (schema.MaxProperties < o.Count)
        {
            errors.Add(new FieldError(path, "FieldValueTooMany", $"Too many: {o.Count}: must have at most {schema.MaxProperties} items"));
        }

        foreach (var (name, value) in o)
        {
            if (schema.Member(name) is { } member && !(value is null && schema.Required.Contains(name)))
            {
                Validate(member, value, schema.Properties.ContainsKey(name) ? Join(path, name) : $"{path}[{name}]", errors);
            }
        }
    }

    private static void CheckList(Schema schema, JsonArray list, string path, List<FieldError> errors)
    {
        if (schema.MinItems > list.Count)
        {
            errors.Add(FieldError.Invalid(path, list.Count, $"{path} in body should have at least {schema.MinItems} items"));
        }

        if (schema.MaxItems < list.Count)
        {
            errors.Add(new FieldError(path, "FieldValueTooMany", $"Too many: {list.Count}: must have at most {schema.MaxItems} items"));
            return;
        }

        if (schema.Items is not null)
        {
            for (var i = 0; i < list.Count; i++)
            {
                Validate(schema.Items, list[i], $"{path}[{i}]", errors);
            }
        }

        if (schema.ListType is "set" or "map" || schema.UniqueItems)
        {
            var seen = new HashSet<string>(StringComparer.Ordinal);
            for (var i = 0; i < list.Count; i++)
            {
                var identity = schema.ListType == "map"
                    ? new JsonObject(schema.ListMapKeys.Select(k => KeyValuePair.Create(k, (list[i].At(k) ?? schema.Items?.Member(k)?.Default)?.DeepClone())))
                    : list[i];
                if (!seen.Add(identity?.ToJsonString() ?? "null"))
                {
                    errors.Add(FieldError.Duplicate($"{path}[{i}]", identity?.DeepClone()));
                }
            }
        }
    }

    private static void CheckText(Schema schema, JsonValue value, string text, string path, List<FieldError> errors)
    {
        if (schema.MinLength > text.Length)
        {
            errors.Add(FieldError.Invalid(path, value, $"{path} in body should be at least {schema.MinLength} chars long"));
        }

        if (schema.MaxLength < text.Length)
        {
            errors.Add(new FieldError(path, "FieldValueTooLong", $"Too long: may not be more than {schema.MaxLength} bytes"));
        }

        if (schema.Pattern is not null && !schema.Pattern.IsMatch(text))
        {
            errors.Add(FieldError.Invalid(path, value, $"{path} in body should match '{schema.Pattern}'"));
        }

        if (schema.Format is not null && !FormatFits(schema.Format, text))
        {
            errors.Add(schema.Format == "quantity"
                ? FieldError.Invalid(path, value, "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
                : FieldError.Invalid(path, value, $"{path} in body must be of type {schema.Format}: {value.ToJsonString()}"));
        }
    }

    private static bool FormatFits(string format, string text) => format switch
    {
        "date-time" => DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, out _),
        "date" => DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _),
        "quantity" => Quantity().IsMatch(text),
        "ip" => System.Net.IPAddress.TryParse(text, out _),
        "ipv4" => System.Net.IPAddress.TryParse(text, out var a) && a.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork,
        "ipv6" => System.Net.IPAddress.TryParse(text, out var a) && a.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6,
        "cidr" => Cidr(text),
        "uuid" => Guid.TryParse(text, out _),
        "uri" => Uri.TryCreate(text, UriKind.RelativeOrAbsolute, out _),
        "mac" => System.Net.NetworkInformation.PhysicalAddress.TryParse(text.Replace(':', '-'), out _),
        "byte" => Convert.TryFromBase64String(text, new byte[text.Length], out _),
        _ => true,
    };

    private static bool Cidr(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        return slash > 0 && System.Net.IPAddress.TryParse(text.AsSpan(0, slash), out var address)
            && int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var length)
            && length <= address.GetAddressBytes().Length * 8;
    }

    private static void CheckNumber(Schema schema, JsonNode node, string path, List<FieldError> errors)
    {
        if (Number(node) is not { } number)
        {
            return;
        }

        if (schema.Minimum is { } minimum && (schema.ExclusiveMinimum ? number <= minimum : number < minimum))
        {
            errors.Add(FieldError.Invalid(path, node, schema.ExclusiveMinimum
                ? $"{path} in body should be greater than {Text(minimum)}" : $"{path} in body should be greater than or equal to {Text(minimum)}"));
        }

        if (schema.Maximum is { } maximum && (schema.ExclusiveMaximum ? number >= maximum : number > maximum))
        {
            errors.Add(FieldError.Invalid(path, node, schema.ExclusiveMaximum
                ? $"{path} in body should be less than {Text(maximum)}" : $"{path} in body should be less than or equal to {Text(maximum)}"));
        }

        if (schema.MultipleOf is { } step && number % step != 0)
        {
            errors.Add(FieldError.Invalid(path, node, $"{path} in body should be a multiple of {Text(step)}"));
        }
    }

    private static void CheckCombinations(Schema schema, JsonNode node, string path, List<FieldError> errors)
    {
        foreach (var part in schema.AllOf)
        {
            Validate(part, node, path, errors);
        }

        if (schema.AnyOf.Count > 0 && !schema.AnyOf.Any(s => ErrorsOf(s, node, path).Count == 0))
        {
            errors.Add(FieldError.Invalid(path, node.DeepClone(), $"{path} in body must validate at least one schema (anyOf)"));
        }

        if (schema.OneOf.Count > 0 && schema.OneOf.Count(s => ErrorsOf(s, node, path).Count == 0) != 1)
        {
            errors.Add(FieldError.Invalid(path, node.DeepClone(), $"{path} in body must validate one and only one schema (oneOf)"));
        }

        if (schema.Not is not null && ErrorsOf(schema.Not, node, path).Count == 0)
        {
            errors.Add(FieldError.Invalid(path, node.DeepClone(), $"{path} in body must not validate the schema (not)"));
        }
    }

    private static IReadOnlyList<FieldError> ErrorsOf(Schema schema, JsonNode node, string path)
    {
        var errors = new List<FieldError>();
        Validate(schema, node, path, errors);
        return errors.Count == 0 ? None : errors;
    }

    private static string Text(double number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";

    [GeneratedRegex(@"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)(([KMGTPE]i)|[numkMGTPE]|([eE][+-]?[0-9]+))?$")]
    private static partial Regex Quantity();
}
