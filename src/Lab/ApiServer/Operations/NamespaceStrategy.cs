using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>A namespace is held by the finalizer "kubernetes" until it is empty, and carries its name as a label.</summary>
public sealed class NamespaceStrategy : ResourceStrategy
{
    public const string NameLabel = "kubernetes.io/metadata.name";

    public override void PrepareCreate(JsonObject tree)
    {
        tree.Child("spec")["finalizers"] = new JsonArray("kubernetes");
        tree["status"] = new JsonObject { ["phase"] = "Active" };
        SetLabel(tree);
    }

    public override void PrepareUpdate(JsonObject tree, JsonObject old)
    {
        // Only the finalize subresource changes the spec.
        tree["spec"] = old["spec"]?.DeepClone();
        SetLabel(tree);
    }

    private static void SetLabel(JsonObject tree) =>
        tree.Child("metadata").Child("labels")[NameLabel] = tree.Text("metadata", "name");
}
