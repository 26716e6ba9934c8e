using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>One group and version as an OpenAPI 3.0 document.</summary>
public static class OpenApiV3
{
    /// <summary>Types that contain themselves are cut here.</summary>
    private const int DeepestField = 14;

    public static JsonObject Document(IReadOnlyList<ResourceType> types)
    {
        var paths = new JsonObject();
        var schemas = new JsonObject();
        foreach (var type in types)
        {
            var collection = type.GroupVersionPath + (type.Namespaced ? "/namespaces/{namespace}" : "") + "/" + type.Plural;
            paths[collection] = new JsonObject { ["get"] = Operation(type, "list", []), ["post"] = Operation(type, "post", ["dryRun", "fieldManager", "fieldValidation"]) };
            if (!type.CreateOnly)
            {
                paths[collection + "/{name}"] = new JsonObject
                {
                    ["get"] = Operation(type, "get", []),
                    ["put"] = Operation(type, "put", ["dryRun", "fieldManager", "fieldValidation"]),
                    ["patch"] = Operation(type, "patch", ["dryRun", "fieldManager", "fieldValidation", "force"]),
                    ["delete"] = Operation(type, "delete", ["dryRun"]),
                };
            }

            schemas[SchemaName(type)] = Root(type);
        }

        return new JsonObject
        {
            ["openapi"] = "3.0.0",
            ["info"] = new JsonObject { ["title"] = "Kubernetes", ["version"] = "v1.32.0" },
            ["paths"] = paths,
            ["components"] = new JsonObject { ["schemas"] = schemas },
        };
    }

    internal static JsonObject GroupVersionKind(ResourceType type) => new() { ["group"] = type.Group, ["version"] = type.Version, ["kind"] = type.Kind };

    internal static string SchemaName(ResourceType type) => type.Group.Length == 0 ? $"io.k8s.api.core.{type.Version}.{type.Kind}"
        : string.Join('.', type.Group.Split('.').Reverse()) + $".{type.Version}.{type.Kind}";

    private static JsonObject Root(ResourceType type)
    {
        var root = type.Schema is null ? new JsonObject { ["type"] = "object" } : Field(type.Schema, 0);
        root["x-kubernetes-group-version-kind"] = new JsonArray(GroupVersionKind(type));
        return root;
    }

    private static JsonObject Operation(ResourceType type, string action, string[] parameters) => new()
    {
        ["parameters"] = parameters.Select(p => (JsonNode?)new JsonObject
        {
            ["name"] = p,
            ["in"] = "query",
            ["schema"] = new JsonObject { ["type"] = p == "force" ? "boolean" : "string" },
        }).ToJson(),
        ["responses"] = new JsonObject { ["200"] = new JsonObject { ["description"] = "OK" } },
        ["x-kubernetes-action"] = action,
        ["x-kubernetes-group-version-kind"] = GroupVersionKind(type),
    };

    private static JsonObject Field(Schema schema, int depth)
    {
        var field = new JsonObject();
        if (schema.Description is { } description)
        {
            field["description"] = description;
        }

        if (schema.IntOrString)
        {
            field["x-kubernetes-int-or-string"] = true;
        }
        else if (schema.Type.Length > 0)
        {
            field["type"] = schema.Type;
        }

        if (schema.Format is { } format)
        {
            field["format"] = format;
        }

        if (schema.Default is { } value)
        {
            field["default"] = value.DeepClone();
        }

        if (schema.Enum is { } values)
        {
            field["enum"] = values.Select(v => v?.DeepClone()).ToJson();
        }

        if (schema.ListType is { } listType)
        {
            field["x-kubernetes-list-type"] = listType;
        }

        if (schema.ListMapKeys.Count > 0)
        {
            field["x-kubernetes-list-map-keys"] = schema.ListMapKeys.ToJson();
        }

        if (schema.Required.Count > 0)
        {
            field["required"] = schema.Required.ToJson();
        }

        if (schema.PreserveUnknown)
        {
            field["x-kubernetes-preserve-unknown-fields"] = true;
        }

        if (depth < DeepestField)
        {
            if (schema.Properties.Count > 0)
            {
                field["properties"] = new JsonObject(schema.Properties.Select(p => KeyValuePair.Create(p.Key, (JsonNode?)Field(p.Value, depth + 1))));
            }

            if (schema.Items is not null)
            {
                field["items"] = Field(schema.Items, depth + 1);
            }

            if (schema.AdditionalProperties is not null)
            {
                field["additionalProperties"] = Field(schema.AdditionalProperties, depth + 1);
            }
        }

        return field;
    }
}
