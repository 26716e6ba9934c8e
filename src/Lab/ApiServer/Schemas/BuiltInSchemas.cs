using System.Globalization;
using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>Reads <c>builtin.types</c>, the one source for validation, patch keys and OpenAPI of built-in types.</summary>
/// <remarks>A line is <c>Name: field; field</c> (indented lines continue it); "kind group/Name: ..." is an object with metadata.
/// A field is <c>name type flags</c>. Types: string (when left out), int, number, bool, any, object, map, quantity, time, intstr, cidr, ip,
/// a name of the file, a|b for an enumeration, []T and {}T. Flags: ! required, =V default, A..B range, merge=K,K for lists with keys,
/// set for lists of unlike scalars, atomic.</remarks>
public static class BuiltInSchemas
{
    private static readonly Dictionary<string, Schema> Types = new(StringComparer.Ordinal);
    private static readonly Dictionary<(string Group, string Kind), Schema> Kinds = Read();

    /// <summary>The schema of a kind, or null when the file does not describe it: then any object goes.</summary>
    public static Schema? For(string group, string kind) => Kinds.GetValueOrDefault((group, kind));

    /// <summary>The schema of ObjectMeta, shared with custom resources.</summary>
    public static Schema Metadata => Types["ObjectMeta"];

    private static Dictionary<(string, string), Schema> Read()
    {
        var kinds = new Dictionary<(string, string), Schema>();
        foreach (var line in TypeFile.Lines("builtin.types"))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            var name = line[..colon].Trim();
            var isKind = name.StartsWith("kind ", StringComparison.Ordinal);
            Schema schema;
            if (isKind)
            {
                var slash = name.IndexOf('/', StringComparison.Ordinal);
                schema = new Schema();
                kinds[(name[5..slash], name[(slash + 1)..])] = schema;
                schema.Properties["apiVersion"] = new Schema { Type = "string" };
                schema.Properties["kind"] = new Schema { Type = "string" };
                schema.Properties["metadata"] = TypeNamed("ObjectMeta");
            }
            else
            {
                schema = TypeNamed(name);
            }

            schema.Type = "object";
            foreach (var field in line[(colon + 1)..].Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            {
                ReadField(schema, field);
            }
        }

        var undefined = Types.FirstOrDefault(t => t.Value.Type.Length == 0);
        return undefined.Key is null ? kinds : throw new InvalidDataException($"builtin.types: {undefined.Key} is used and not described");
    }

    private static Schema TypeNamed(string name)
    {
        if (!Types.TryGetValue(name, out var schema))
        {
            Types[name] = schema = new Schema();
        }

        return schema;
    }

    private static void ReadField(Schema owner, string text)
    {
        var words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var name = words[0].TrimEnd('!');
        if (words[0].EndsWith('!') || words.Contains("!"))
        {
            owner.Required.Add(name);
        }

        var hasType = words.Length > 1 && !IsFlag(words[1]);
        var schema = TypeOf(hasType ? words[1] : "string");
        foreach (var flag in words.Skip(hasType ? 2 : 1))
        {
            ReadFlag(schema, flag);
        }

        owner.Properties[name] = schema;
    }

    private static bool IsFlag(string word) =>
        word is "!" or "set" or "atomic" || word[0] == '=' || word.StartsWith("merge=", StringComparison.Ordinal) || word.Contains("..", StringComparison.Ordinal);

    private static Schema TypeOf(string type) => type switch
    {
        "string" => new Schema { Type = "string" },
        "int" => new Schema { Type = "integer" },
        "number" => new Schema { Type = "number" },
        "bool" => new Schema { Type = "boolean" },
        "any" => new Schema { PreserveUnknown = true },
        "object" => new Schema { Type = "object", PreserveUnknown = true },
        "map" => new Schema { Type = "object", AdditionalProperties = new Schema { Type = "string" } },
        "quantity" => new Schema { IntOrString = true, Format = "quantity" },
        "intstr" => new Schema { IntOrString = true },
        "time" => new Schema { Type = "string", Format = "date-time", Nullable = true },
        "ip" or "cidr" => new Schema { Type = "string", Format = type },
        _ when type.StartsWith("[]", StringComparison.Ordinal) => new Schema { Type = "array", Items = TypeOf(type[2..]) },
        _ when type.StartsWith("{}", StringComparison.Ordinal) => new Schema { Type = "object", AdditionalProperties = TypeOf(type[2..]) },
        _ when type.Contains('|') => new Schema { Type = "string", Enum = [.. type.Split('|').Select(v => (JsonNode?)v)] },
        _ => TypeNamed(type),
    };

    private static void ReadFlag(Schema schema, string flag)
    {
        switch (flag)
        {
            case "!":
                break;
            case "set":
                schema.ListType = "set";
                break;
            case "atomic" when schema.Type == "array":
                schema.ListType = "atomic";
                break;
            case "atomic":
                schema.AtomicMap = true;
                break;
            case var _ when flag[0] == '=':
                schema.Default = schema.Type is "integer" or "boolean" || flag[1] is '{' or '[' || (schema.IntOrString && char.IsDigit(flag[1]) && !flag.EndsWith('%'))
                    ? JsonNode.Parse(flag[1..]) : flag[1..];
                break;
            case var _ when flag.StartsWith("merge=", StringComparison.Ordinal):
                schema.ListType = "map";
                schema.ListMapKeys.AddRange(flag[6..].Split(','));
                break;
            default:
                var range = flag.Split("..");
                schema.Minimum = range[0].Length > 0 ? double.Parse(range[0], CultureInfo.InvariantCulture) : null;
                schema.Maximum = range[1].Length > 0 ? double.Parse(range[1], CultureInfo.InvariantCulture) : null;
                break;
        }
    }
}
