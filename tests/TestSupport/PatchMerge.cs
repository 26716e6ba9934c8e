using System.Text.Json.Nodes;

namespace Weft.TestSupport;

/// <summary>Merge patches (RFC 7386 as far as the controller uses it), and of strategic ones the list of conditions.</summary>
internal static class PatchMerge
{
    /// <summary>Merges objects; of lists only conditions, by type, when the patch is strategic.</summary>
    public static void Apply(JsonObject target, JsonObject patch, bool isStrategic)
    {
        foreach (var (name, value) in patch)
        {
            if (value is JsonObject part && target[name] is JsonObject there)
            {
                Apply(there, part, isStrategic);
            }
            else if (isStrategic && name == "conditions" && value is JsonArray added && target[name] is JsonArray present)
            {
                foreach (var condition in added.OfType<JsonObject>())
                {
                    var old = present.OfType<JsonObject>().FirstOrDefault(c => c["type"]!.GetValue<string>() == condition["type"]!.GetValue<string>());
                    if (old is not null)
                    {
                        present.Remove(old);
                    }

                    present.Add(condition.DeepClone());
                }
            }
            else
            {
                target[name] = value?.DeepClone();
            }
        }
    }
}
