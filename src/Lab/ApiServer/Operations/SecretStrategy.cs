using System.Text;
using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>A secret's stringData goes into data when it is written, and data is base64.</summary>
public sealed class SecretStrategy : ResourceStrategy
{
    public override void PrepareCreate(JsonObject tree) => Merge(tree);

    public override void PrepareUpdate(JsonObject tree, JsonObject old) => Merge(tree);

    public override void Validate(JsonObject tree, JsonObject? old, List<FieldError> errors)
    {
        foreach (var (key, value) in tree["data"].TextMap())
        {
            if (!Convert.TryFromBase64String(value, new byte[value.Length], out _))
            {
                errors.Add(FieldError.Invalid($"data[{key}]", "<base64>", "illegal base64 data; use stringData for plain text"));
            }
        }

        if (old is not null && old.Text("type") != tree.Text("type"))
        {
            errors.Add(FieldError.Invalid("type", tree.Text("type"), "field is immutable"));
        }
    }

    private static void Merge(JsonObject tree)
    {
        if (tree.Remove("stringData", out var plain))
        {
            foreach (var (key, value) in plain.TextMap())
            {
                tree.Child("data")[key] = Convert.ToBase64String(Encoding.UTF8.GetBytes(value));
            }
        }
    }
}
