using System.Text.Json;

namespace Weft.Kubernetes;

/// <summary>Reads objects out of JSON text one by one, so that one that cannot be read does not spoil the others.</summary>
internal static class ObjectReader
{
    /// <summary>Reads one object.</summary>
    public static ResourceEvent<T> Read<T>(ReadOnlySpan<byte> json, ResourceType<T> type)
        where T : class, IKubernetesObject
    {
        try
        {
            var value = JsonSerializer.Deserialize(json, type.Json) ?? throw new JsonException("the object is null");
            return string.IsNullOrEmpty(value.Metadata?.Name)
                ? new ResourceEvent<T>(ResourceEventType.Unreadable, KeyOf(json), null, "metadata.name is missing")
                : new ResourceEvent<T>(ResourceEventType.Upsert, ObjectKey.Of(value), value);
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
        {
            var path = e is JsonException { Path: { Length: > 0 } at } ? $"{at}: " : "";
            return new ResourceEvent<T>(ResourceEventType.Unreadable, KeyOf(json), null, path + e.Message);
        }
    }

    /// <summary>Reads a page of a list.</summary>
    /// <exception cref="JsonException">The page itself, not only an object in it, is broken.</exception>
    public static V1ListMeta ReadList<T>(ReadOnlySpan<byte> json, ResourceType<T> type, List<ResourceEvent<T>> found)
        where T : class, IKubernetesObject
    {
        var meta = new V1ListMeta();
        var reader = new Utf8JsonReader(json);
        Expect(ref reader, JsonTokenType.StartObject);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("metadata"u8))
            {
                meta = JsonSerializer.Deserialize(ref reader, KubernetesJson.Default.V1ListMeta) ?? meta;
            }
            else if (reader.ValueTextEquals("items"u8))
            {
                // An empty list may be written as null.
                reader.Read();
                var isArray = reader.TokenType == JsonTokenType.StartArray;
                while (isArray && reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    var start = (int)reader.TokenStartIndex;
                    reader.Skip();
                    found.Add(Read(json[start..(int)reader.BytesConsumed], type));
                }
            }
            else
            {
                reader.Skip();
            }
        }

        return meta;
    }

    /// <summary>Cuts a watch event into its type and its object's text.</summary>
    /// <exception cref="JsonException">The line is no watch event.</exception>
    public static (string Type, Range Object) ReadWatchEvent(ReadOnlySpan<byte> line)
    {
        string? type = null;
        Range? value = null;
        var reader = new Utf8JsonReader(line);
        Expect(ref reader, JsonTokenType.StartObject);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isType = reader.ValueTextEquals("type"u8);
            var isObject = reader.ValueTextEquals("object"u8);
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            if (isType)
            {
                type = reader.GetString();
            }

            reader.Skip();
            if (isObject)
            {
                value = start..(int)reader.BytesConsumed;
            }
        }

        return type is not null && value is { } range ? (type, range) : throw new JsonException("a watch event without type or object");
    }

    /// <summary>Finds namespace and name in an object that could not be read as a whole.</summary>
    private static ObjectKey KeyOf(ReadOnlySpan<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(json);
            using var document = JsonDocument.ParseValue(ref reader);
            return document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.TryGetProperty("metadata", out var meta) && meta.ValueKind == JsonValueKind.Object
                ? new ObjectKey(TextOf(meta, "namespace"), TextOf(meta, "name"))
                : default;
        }
        catch (JsonException)
        {
            // Not even JSON: there is no name to find.
            return default;
        }
    }

    private static string TextOf(JsonElement meta, string name) =>
        meta.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType token)
    {
        if (!reader.Read() || reader.TokenType != token)
        {
            throw new JsonException($"expected {token}");
        }
    }
}
