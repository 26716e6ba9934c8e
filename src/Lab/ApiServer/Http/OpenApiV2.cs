using System.Collections.Immutable;
using System.Text;
using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>The paths as an OpenAPI 2.0 document, in JSON and in the protobuf form of gnostic (openapiv2/OpenAPIv2.proto).</summary>
/// <remarks>It says per resource that PATCH takes dryRun and fieldValidation, which is all that kubectl looks for. There are no
/// definitions: without them a kubectl that would validate by itself leaves that to the server.</remarks>
public static class OpenApiV2
{
    public static JsonObject ToJson(ImmutableArray<ResourceType> types)
    {
        var paths = new JsonObject();
        foreach (var type in types)
        {
            paths[PathOf(type)] = new JsonObject
            {
                ["patch"] = new JsonObject
                {
                    ["parameters"] = new JsonArray(Parameter("dryRun"), Parameter("fieldValidation")),
                    ["responses"] = new JsonObject { ["200"] = new JsonObject { ["description"] = "OK" } },
                    ["x-kubernetes-group-version-kind"] = OpenApiV3.GroupVersionKind(type),
                },
            };
        }

        return new JsonObject
        {
            ["swagger"] = "2.0",
            ["info"] = new JsonObject { ["title"] = "Kubernetes", ["version"] = "v1.32.0" },
            ["paths"] = paths,
        };
    }

    /// <summary>Document: 1 swagger, 2 info, 8 paths. Paths: 2 path. NamedPathItem: 1 name, 2 value. PathItem: 8 patch.
    /// Operation: 8 parameters, 9 responses, 13 vendor extensions.</summary>
    public static byte[] ToProtobuf(ImmutableArray<ResourceType> types)
    {
        var paths = types.SelectMany(type => Message(2, [.. Text(1, PathOf(type)), .. Message(2, Message(8, PatchOperation(type)))])).ToArray();
        return [.. Text(1, "2.0"), .. Message(2, [.. Text(1, "Kubernetes"), .. Text(2, "v1.32.0")]), .. Message(8, paths)];
    }

    private static string PathOf(ResourceType type) =>
        $"{type.GroupVersionPath}{(type.Namespaced ? "/namespaces/{namespace}" : "")}/{type.Plural}/{{name}}";

    private static JsonObject Parameter(string name) => new() { ["name"] = name, ["in"] = "query", ["type"] = "string", ["uniqueItems"] = true };

    private static byte[] PatchOperation(ResourceType type)
    {
        // NamedAny: 1 name, 2 value. Any: 2 yaml.
        var kind = $"group: \"{type.Group}\"\nkind: {type.Kind}\nversion: {type.Version}\n";
        var extension = Message(13, [.. Text(1, "x-kubernetes-group-version-kind"), .. Message(2, Text(2, kind))]);
        return [.. ProtoParameter("dryRun"), .. ProtoParameter("fieldValidation"), .. extension];
    }

    /// <summary>ParametersItem: 1 parameter. Parameter: 2 non_body_parameter. NonBodyParameter: 3 query. Query: 2 in, 4 name, 6 type.</summary>
    private static byte[] ProtoParameter(string name) =>
        Message(8, Message(1, Message(2, Message(3, [.. Text(2, "query"), .. Text(4, name), .. Text(6, "string")]))));

    private static byte[] Text(int field, string text) => Message(field, Encoding.UTF8.GetBytes(text));

    /// <summary>A length-delimited field.</summary>
    private static byte[] Message(int field, byte[] content) => [.. Varint((uint)(field << 3) | 2), .. Varint((uint)content.Length), .. content];

    private static IEnumerable<byte> Varint(uint value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            yield return (byte)(value | 0x80);
        }

        yield return (byte)value;
    }
}
