using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>Runs the rules of a schema over an object, everywhere they stand.</summary>
public static class CelValidator
{
    public static void Validate(Schema schema, JsonNode? node, JsonNode? old, string path, List<FieldError> errors)
    {
        if (node is null)
        {
            return;
        }

        foreach (var rule in schema.Rules)
        {
            Run(rule, schema, node, old, path, errors);
        }

        switch (node)
        {
            case JsonObject o:
                foreach (var (name, value) in o)
                {
                    if (schema.Member(name) is { } member)
                    {
                        Validate(member, value, old.At(name), path.Length == 0 ? name : $"{path}.{name}", errors);
                    }
                }

                break;
            case JsonArray list when schema.Items is not null:
                for (var i = 0; i < list.Count; i++)
                {
                    Validate(schema.Items, list[i], Counterpart(schema, list[i], old as JsonArray), $"{path}[{i}]", errors);
                }

                break;
        }
    }

    /// <summary>Items of keyed lists are compared with the one of the same key; others have no past.</summary>
    private static JsonNode? Counterpart(Schema list, JsonNode? item, JsonArray? old) =>
        list.ListType == "map" && old is not null ? old.FirstOrDefault(o => FieldSet.KeyStep(list, o) == FieldSet.KeyStep(list, item)) : null;

    private static void Run(CelRule rule, Schema schema, JsonNode node, JsonNode? old, string path, List<FieldError> errors)
    {
        if (rule.IsTransition && old is null && !rule.OptionalOldSelf)
        {
            return;
        }

        var variables = new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["self"] = CelExpression.FromJson(node, schema),
            ["oldSelf"] = old is null ? null : CelExpression.FromJson(old, schema),
        };
        var field = path + rule.FieldPath;
        try
        {
            if (rule.Rule.Evaluate(variables) is true)
            {
                return;
            }

            var text = Message(rule, variables);
            errors.Add(rule.Reason switch
            {
                "FieldValueForbidden" => FieldError.Forbidden(field, text),
                "FieldValueRequired" => FieldError.Required(field, text),
                "FieldValueDuplicate" => FieldError.Duplicate(field, node.DeepClone()),
                _ => FieldError.Invalid(field, node is JsonObject ? "object" : node is JsonArray ? "array" : node.DeepClone(), text),
            });
        }
        catch (CelException e)
        {
            errors.Add(FieldError.Invalid(field, node is JsonValue ? node.DeepClone() : FieldError.TypeOf(node), $"rule \"{rule.Rule.Text}\" failed: {e.Message}"));
        }
    }

    private static string Message(CelRule rule, Dictionary<string, object?> variables)
    {
        if (rule.MessageExpression is { } expression)
        {
            try
            {
                if (expression.Evaluate(variables) is string { Length: > 0 } text)
                {
                    return text;
                }
            }
            catch (CelException)
            {
                // As the API server: a message that cannot be computed is replaced by the plain one.
            }
        }

        return rule.Message ?? $"failed rule: {rule.Rule.Text}";
    }
}
