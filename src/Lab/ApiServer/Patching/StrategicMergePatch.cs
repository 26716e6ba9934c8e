using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>Strategic merge patch: lists with keys are merged item by item, directives start with '$'.</summary>
/// <remarks>Directives: <c>$patch: delete|replace|merge</c>, <c>$deleteFromPrimitiveList/NAME</c>, <c>$setElementOrder/NAME</c>,
/// <c>$retainKeys</c>.</remarks>
public static class StrategicMergePatch
{
    private const string Directive = "$patch";
    private const string DeleteFrom = "$deleteFromPrimitiveList/";
    private const string SetOrder = "$setElementOrder/";
    private const string RetainKeys = "$retainKeys";

    /// <summary>Changes <paramref name="target"/> in place.</summary>
    /// <param name="schema">Says which lists have keys; null where nothing is known: lists are replaced then.</param>
    public static void Apply(Schema? schema, JsonObject target, JsonObject patch)
    {
        if (patch.Text(Directive) == "replace")
        {
            target.Clear();
        }

        if (patch.TryGetPropertyValue(RetainKeys, out var retained))
        {
            var keep = retained.Texts().ToHashSet(StringComparer.Ordinal);
            foreach (var name in target.Select(p => p.Key).Where(k => !keep.Contains(k)).ToList())
            {
                target.Remove(name);
            }
        }

        foreach (var (name, value) in patch)
        {
            if (name[0] != '$')
            {
                ApplyMember(schema?.Member(name), target, name, value);
            }
        }

        foreach (var (name, value) in patch)
        {
            if (name.StartsWith(DeleteFrom, StringComparison.Ordinal) && target[name[DeleteFrom.Length..]] is JsonArray list)
            {
                RemoveScalars(list, value as JsonArray ?? []);
            }
            else if (name.StartsWith(SetOrder, StringComparison.Ordinal) && target[name[SetOrder.Length..]] is JsonArray ordered)
            {
                Order(schema?.Member(name[SetOrder.Length..]), ordered, value as JsonArray ?? []);
            }
        }
    }

    private static void ApplyMember(Schema? schema, JsonObject target, string name, JsonNode? value)
    {
        switch (value)
        {
            case null:
                target.Remove(name);
                break;
            case JsonObject o when o.Text(Directive) == "delete":
                target.Remove(name);
                break;
            case JsonObject o:
                Apply(schema, target.Child(name), o);
                break;
            case JsonArray list when schema is { ListType: "map" }:
                MergeByKey(schema, target.List(name), list);
                break;
            case JsonArray list when schema is { ListType: "set" }:
                var present = target.List(name);
                foreach (var item in list.Where(i => !present.Any(p => JsonNode.DeepEquals(p, i))))
                {
                    present.Add(item?.DeepClone());
                }

                break;
            case JsonArray list:
                target[name] = list.Where(i => i.Text(Directive) is null).Select(i => i?.DeepClone()).ToJson();
                break;
            default:
                target[name] = value.DeepClone();
                break;
        }
    }

    private static void MergeByKey(Schema schema, JsonArray target, JsonArray patch)
    {
        var key = schema.ListMapKeys[0];
        if (patch.Any(i => i.Text(Directive) == "replace"))
        {
            // The list as it is given: kubelet does this with a node's addresses, which repeat their merge key.
            target.Clear();
            foreach (var item in patch.Where(i => i.Text(Directive) is null))
            {
                target.Add(item?.DeepClone());
            }

            return;
        }

        foreach (var item in patch.OfType<JsonObject>())
        {
            var id = item[key] ?? throw ApiException.BadRequest($"map: {item.ToJsonString()} does not contain declared merge key: {key}");
            var found = target.FirstOrDefault(t => JsonNode.DeepEquals(t.At(key), id)) as JsonObject;
            if (item.Text(Directive) == "delete")
            {
                foreach (var gone in target.Where(t => JsonNode.DeepEquals(t.At(key), id)).ToList())
                {
                    target.Remove(gone);
                }
            }
            else if (found is null)
            {
                var fresh = new JsonObject();
                Apply(schema.Items, fresh, item);
                target.Add(fresh);
            }
            else
            {
                Apply(schema.Items, found, item);
            }
        }
    }

    private static void RemoveScalars(JsonArray list, JsonArray gone)
    {
        foreach (var item in list.Where(i => gone.Any(g => JsonNode.DeepEquals(g, i))).ToList())
        {
            list.Remove(item);
        }
    }

    /// <summary>Puts the items in the order that the client knows; those it does not know keep their place after their predecessor.</summary>
    private static void Order(Schema? schema, JsonArray list, JsonArray order)
    {
        var key = schema is { ListType: "map" } ? schema.ListMapKeys[0] : null;
        var items = list.ToList();
        int Rank(JsonNode? item)
        {
            for (var i = 0; i < order.Count; i++)
            {
                if (key is null ? JsonNode.DeepEquals(order[i], item) : JsonNode.DeepEquals(order[i].At(key), item.At(key)))
                {
                    return i;
                }
            }

            return -1;
        }

        var known = items.Where(i => Rank(i) >= 0).OrderBy(Rank).ToList();
        var next = 0;
        var sorted = items.Select(i => Rank(i) >= 0 ? known[next++] : i).ToList();
        list.Clear();
        foreach (var item in sorted)
        {
            list.Add(item);
        }
    }
}
