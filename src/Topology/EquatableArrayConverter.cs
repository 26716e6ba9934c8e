using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Weft.Topology;

/// <summary>Reads and writes <see cref="EquatableArray{T}"/> as a JSON array. The element types are a closed list, so that no reflection is needed.</summary>
public sealed class EquatableArrayConverterFactory : JsonConverterFactory
{
    private static readonly Dictionary<Type, JsonConverter> Converters = new()
    {
        [typeof(EquatableArray<string>)] = new EquatableArrayConverter<string>(),
        [typeof(EquatableArray<StaticRoute>)] = new EquatableArrayConverter<StaticRoute>(),
        [typeof(EquatableArray<SwitchSubnet>)] = new EquatableArrayConverter<SwitchSubnet>(),
        [typeof(EquatableArray<Endpoint>)] = new EquatableArrayConverter<Endpoint>(),
        [typeof(EquatableArray<PolicyRule>)] = new EquatableArrayConverter<PolicyRule>(),
        [typeof(EquatableArray<IpBlock>)] = new EquatableArrayConverter<IpBlock>(),
        [typeof(EquatableArray<PortRange>)] = new EquatableArrayConverter<PortRange>(),
        [typeof(EquatableArray<TopologyItem>)] = new EquatableArrayConverter<TopologyItem>(),
        [typeof(EquatableArray<SetPatch>)] = new EquatableArrayConverter<SetPatch>(),
        [typeof(EquatableArray<DnsHost>)] = new EquatableArrayConverter<DnsHost>(),
        [typeof(EquatableArray<NetworkPeer>)] = new EquatableArrayConverter<NetworkPeer>(),
        [typeof(EquatableArray<ItemRef>)] = new EquatableArrayConverter<ItemRef>(),
        [typeof(EquatableArray<RealisedPort>)] = new EquatableArrayConverter<RealisedPort>(),
        [typeof(EquatableArray<NodeProblem>)] = new EquatableArrayConverter<NodeProblem>(),
    };

    /// <inheritdoc/>
    public override bool CanConvert(Type typeToConvert) => Converters.ContainsKey(typeToConvert);

    /// <inheritdoc/>
    public override JsonConverter? CreateConverter(Type typeToConvert, JsonSerializerOptions options) => Converters[typeToConvert];
}

internal sealed class EquatableArrayConverter<T> : JsonConverter<EquatableArray<T>>
{
    public override bool HandleNull => true;

    public override EquatableArray<T> Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.Null)
        {
            return [];
        }

        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw new JsonException("expected an array");
        }

        var element = (JsonTypeInfo<T>)options.GetTypeInfo(typeof(T));
        var items = new List<T>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            items.Add(JsonSerializer.Deserialize(ref reader, element) ?? throw new JsonException("an array element is null"));
        }

        return EquatableArray.Wrap(items.ToArray());
    }

    public override void Write(Utf8JsonWriter writer, EquatableArray<T> value, JsonSerializerOptions options)
    {
        var element = (JsonTypeInfo<T>)options.GetTypeInfo(typeof(T));
        writer.WriteStartArray();
        foreach (var item in value)
        {
            JsonSerializer.Serialize(writer, item, element);
        }

        writer.WriteEndArray();
    }
}
