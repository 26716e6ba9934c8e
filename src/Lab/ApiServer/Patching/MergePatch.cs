using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>JSON merge patch, RFC 7396.</summary>
public static class MergePatch
{
    /// <summary>Changes <paramref name="target"/> in place.</summary>
    public static void Apply(JsonObject target, JsonObject patch)
    {
        foreach (var (name, value) in patch)
        {
            switch (value)
            {
                case null:
                    target.Remove(name);
                    break;
                case JsonObject o:
                    Apply(target.Child(name), o);
                    break;
                default:
                    target[name] = value.DeepClone();
                    break;
            }
        }
    }
}
