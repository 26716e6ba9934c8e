using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>A node's pod ranges are set once.</summary>
public sealed class NodeStrategy : ResourceStrategy
{
    public override void Validate(JsonObject tree, JsonObject? old, List<FieldError> errors)
    {
        var before = old.At("spec", "podCIDRs").Texts().ToList();
        if (before.Count > 0 && !before.SequenceEqual(tree.At("spec", "podCIDRs").Texts()))
        {
            errors.Add(FieldError.Forbidden("spec.podCIDRs", "node updates may not change podCIDR except from \"\" to valid"));
        }

        if (tree.Text("spec", "podCIDR") is { Length: > 0 } first && tree.At("spec", "podCIDRs").Texts().FirstOrDefault() is { } listed && listed != first)
        {
            errors.Add(FieldError.Invalid("spec.podCIDRs[0]", listed, $"must be the same as spec.podCIDR ({first})"));
        }
    }
}
