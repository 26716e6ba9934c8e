using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>Reads <c>application/vnd.kubernetes.protobuf</c> bodies, which kubectl's own commands send since 1.32.</summary>
/// <remarks>The envelope is "k8s\0" and a runtime.Unknown (1 typeMeta: 1 apiVersion, 2 kind; 2 raw). Fields that are not in
/// <c>protobuf.fields</c> are refused rather than lost.</remarks>
public static class ProtobufText
{
    private static readonly Dictionary<string, Dictionary<int, Field>> Types = Load();

    /// <exception cref="ApiException">Not protobuf, or a type or field that is not in the table.</exception>
    public static JsonObject ToJson(ReadOnlySpan<byte> body)
    {
        if (!body.StartsWith("k8s\0"u8))
        {
            throw ApiException.BadRequest("the body is not Kubernetes protobuf");
        }

        var (apiVersion, kind) = ("", "");
        ReadOnlySpan<byte> raw = [];
        var reader = new Reader(body[4..]);
        while (reader.Next(out var number, out _, out var bytes))
        {
            if (number == 1)
            {
                var meta = new Reader(bytes);
                while (meta.Next(out var field, out _, out var text))
                {
                    (apiVersion, kind) = field == 1 ? (Encoding.UTF8.GetString(text), kind) : (apiVersion, Encoding.UTF8.GetString(text));
                }
            }
            else if (number == 2)
            {
                raw = bytes;
            }
        }

        if (!Types.ContainsKey(kind))
        {
            throw ApiException.UnsupportedMediaType($"application/vnd.kubernetes.protobuf of a {kind}", "application/json", "application/yaml");
        }

        var tree = ReadMessage(kind, raw, kind);
        tree["apiVersion"] = apiVersion;
        tree["kind"] = kind;
        return tree;
    }

    private static JsonObject ReadMessage(string type, ReadOnlySpan<byte> bytes, string path)
    {
        var tree = new JsonObject();
        var reader = new Reader(bytes);
        while (reader.Next(out var number, out var value, out var content))
        {
            if (!Types[type].TryGetValue(number, out var field))
            {
                // Values that say nothing are sent all the time; only what would be lost is refused.
                if (value != 0 || content.Length > 2)
                {
                    Refuse(path, number, content);
                }

                continue;
            }

            if (field.Type is "map" or "mapbytes" or "mapquantity")
            {
                AddEntry(tree.Child(field.Name), field.Type, content);
            }
            else if (field.IsList)
            {
                tree.List(field.Name).Add(ReadValue(field.Type, value, content, $"{path}.{field.Name}"));
            }
            else if (ReadValue(field.Type, value, content, $"{path}.{field.Name}") is { } read && (field.KeepsZero || !IsZero(read)))
            {
                tree[field.Name] = read;
            }
        }

        return tree;
    }

    private static void Refuse(string path, int number, ReadOnlySpan<byte> content)
    {
        // Status and timestamps of new objects carry nothing that the server would take.
        var isStatus = number == 3 && !path.Contains('.');
        var isTime = path.EndsWith("metadata", StringComparison.Ordinal) && number is 4 or 8 or 9 or 10 or 17;
        if (!isStatus && !isTime && !AllZero(content))
        {
            throw ApiException.BadRequest($"{path}: protobuf field {number} is not known to the lab's API server; send the object as JSON or YAML (kubectl create ... -o yaml --dry-run=client | kubectl apply -f -)");
        }
    }

    private static bool AllZero(ReadOnlySpan<byte> message)
    {
        var reader = new Reader(message);
        while (reader.Next(out _, out var value, out var content))
        {
            if (value != 0 || (content.Length > 0 && !AllZero(content)))
            {
                return false;
            }
        }

        return true;
    }

    private static JsonNode? ReadValue(string type, ulong value, ReadOnlySpan<byte> content, string path) => type switch
    {
        "string" => Encoding.UTF8.GetString(content),
        "int" => (long)value,
        "bool" => value != 0,
        "bytes" => Convert.ToBase64String(content),
        "quantity" => Text(content, 1),
        "intstr" => Number(content, 1) == 1 ? Text(content, 3) : (long)Number(content, 2),
        _ => ReadMessage(type, content, path),
    };

    private static void AddEntry(JsonObject map, string type, ReadOnlySpan<byte> entry)
    {
        var key = Text(entry, 1);
        map[key] = type switch
        {
            "map" => Text(entry, 2),
            "mapbytes" => Convert.ToBase64String(Bytes(entry, 2)),
            _ => Text(Bytes(entry, 2), 1),
        };
    }

    private static bool IsZero(JsonNode node) => node switch
    {
        JsonObject o => o.Count == 0,
        JsonValue v when v.TryGetValue(out string? s) => s.Length == 0,
        JsonValue v when v.TryGetValue(out bool b) => !b,
        _ => node.Integer() == 0,
    };

    private static string Text(ReadOnlySpan<byte> message, int number) => Encoding.UTF8.GetString(Bytes(message, number));

    private static ReadOnlySpan<byte> Bytes(ReadOnlySpan<byte> message, int number)
    {
        var reader = new Reader(message);
        while (reader.Next(out var field, out _, out var content))
        {
            if (field == number)
            {
                return content;
            }
        }

        return [];
    }

    private static ulong Number(ReadOnlySpan<byte> message, int number)
    {
        var reader = new Reader(message);
        while (reader.Next(out var field, out var value, out _))
        {
            if (field == number)
            {
                return value;
            }
        }

        return 0;
    }

    private static Dictionary<string, Dictionary<int, Field>> Load()
    {
        var types = new Dictionary<string, Dictionary<int, Field>>(StringComparer.Ordinal);
        foreach (var line in TypeFile.Lines("protobuf.fields"))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            types[line[..colon]] = line[(colon + 1)..].Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                .Select(f => f.Split(' ')).ToDictionary(w => int.Parse(w[0], System.Globalization.CultureInfo.InvariantCulture), w => Read(w));
        }

        return types;
    }

    private static Field Read(string[] words)
    {
        var type = words.Length > 2 ? words[2] : "string";
        return new Field(words[1], type.TrimStart('[', ']').TrimEnd('*'), type.StartsWith("[]", StringComparison.Ordinal), type.EndsWith('*'));
    }

    private sealed record Field(string Name, string Type, bool IsList, bool KeepsZero);

    /// <summary>Fields of one message, https://protobuf.dev/programming-guides/encoding/.</summary>
    private ref struct Reader(ReadOnlySpan<byte> bytes)
    {
        private ReadOnlySpan<byte> _rest = bytes;

        public bool Next(out int number, out ulong value, out ReadOnlySpan<byte> content)
        {
            number = 0;
            value = 0;
            content = [];
            if (_rest.IsEmpty)
            {
                return false;
            }

            var tag = Varint();
            number = (int)(tag >> 3);
            switch (tag & 7)
            {
                case 0:
                    value = Varint();
                    return true;
                case 1 when _rest.Length >= 8:
                    value = BinaryPrimitives.ReadUInt64LittleEndian(_rest);
                    _rest = _rest[8..];
                    return true;
                case 2 when Varint() is var length && length <= (ulong)_rest.Length:
                    content = _rest[..(int)length];
                    _rest = _rest[(int)length..];
                    return true;
                case 5 when _rest.Length >= 4:
                    value = BinaryPrimitives.ReadUInt32LittleEndian(_rest);
                    _rest = _rest[4..];
                    return true;
                default:
                    throw ApiException.BadRequest("the protobuf body is damaged");
            }
        }

        private ulong Varint()
        {
            ulong result = 0;
            for (var shift = 0; shift < 64 && !_rest.IsEmpty; shift += 7)
            {
                var next = _rest[0];
                _rest = _rest[1..];
                result |= (ulong)(next & 0x7F) << shift;
                if (next < 0x80)
                {
                    return result;
                }
            }

            throw ApiException.BadRequest("the protobuf body is damaged");
        }
    }
}
