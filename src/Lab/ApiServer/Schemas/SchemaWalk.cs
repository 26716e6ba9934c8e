using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>Steps over an object with its schema that change it: pruning of unknown fields and defaulting.</summary>
public static class SchemaWalk
{
    /// <summary>Removes members that the schema does not have, and nulls that mean "not given".</summary>
    /// <param name="unknown">Gets the path of each unknown member.</param>
    public static void Prune(Schema schema, JsonNode? node, string path, List<string> unknown)
    {
        switch (node)
        {
            case JsonObject o:
                PruneObject(schema, o, path, unknown);
                break;
            case JsonArray list when schema.Items is not null:
                for (var i = 0; i < list.Count; i++)
                {
                    Prune(schema.Items, list[i], $"{path}[{i}]", unknown);
                }

                break;
        }
    }

    /// <summary>Fills in what is not given, top down, so that a default object gets the defaults inside it.</summary>
    public static void ApplyDefaults(Schema schema, JsonNode? node)
    {
        switch (node)
        {
            case JsonObject o:
                foreach (var (name, member) in schema.Properties)
                {
                    var present = o.TryGetPropertyValue(name, out var value);
                    if (member.Default is not null && (!present || (value is null && !member.Nullable)))
                    {
                        o[name] = value = member.Default.DeepClone();
                    }

                    ApplyDefaults(member, value);
                }

                if (schema.AdditionalProperties is not null)
                {
                    foreach (var (name, value) in o)
                    {
                        if (!schema.Properties.ContainsKey(name))
                        {
                            ApplyDefaults(schema.AdditionalProperties, value);
                        }
                    }
                }

                break;
            case JsonArray list when schema.Items is not null:
                foreach (var item in list)
                {
                    ApplyDefaults(schema.Items, item);
                }

                break;
        }
    }

    private static void PruneObject(Schema schema, JsonObject o, string path, List<string> unknown)
    {
        if (schema.EmbeddedResource)
        {
            if (o["metadata"] is JsonObject metadata)
            {
                Prune(BuiltInSchemas.Metadata, metadata, Join(path, "metadata"), unknown);
            }
        }

        foreach (var name in o.Select(p => p.Key).ToList())
        {
            var value = o[name];
            if (schema.EmbeddedResource && name is "apiVersion" or "kind" or "metadata" && !schema.Properties.ContainsKey(name))
            {
                continue;
            }

            if (schema.Prunes(name))
            {
                unknown.Add(Join(path, name));
                o.Remove(name);
                continue;
            }

            if (schema.Member(name) is { } member)
            {
                if (value is null && !member.Nullable && !member.PreserveUnknown)
                {
                    o.Remove(name);
                }
                else
                {
                    Prune(member, value, Join(path, name), unknown);
                }
            }
        }
    }

    private static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";
}
