using Microsoft.Extensions.Logging;

namespace Weft.Lab.ApiServer;

/// <summary>Serves the resources of definitions, and deletes their objects before a definition goes.</summary>
public sealed class DefinitionController(ObjectOperations operations, ILogger logger)
    : Controller("definitions", operations, logger, Definitions.StorageKey)
{
    public const string CleanupFinalizer = "customresourcecleanup.apiextensions.k8s.io";

    protected override void OnChange(string storageKey, StoreChange change) => Enqueue(change.Object.Name);

    protected override void Reconcile(string key)
    {
        var definition = Store.Find(Definitions.StorageKey, "", key);
        if (definition is null)
        {
            Operations.Registry.SetCustom(key, []);
            return;
        }

        var tree = definition.ToTree();
        if (!definition.Deleting)
        {
            if (PodConditions.IsTrue(tree, "Established"))
            {
                Operations.Registry.SetCustom(key, Definitions.Types(tree));
            }

            return;
        }

        var type = Operations.Registry.All.FirstOrDefault(t => t.Custom?.DefinitionName == key);
        if (type is not null)
        {
            foreach (var item in Store.Snapshot(type.StorageKey).Items)
            {
                Operations.Delete(type, item.Namespace, item.Name, new DeleteOptions());
            }

            if (Store.Snapshot(type.StorageKey).Count > 0)
            {
                EnqueueAfter(key, TimeSpan.FromMilliseconds(100));
                return;
            }
        }

        var definitions = Operations.Registry.FindStored(Definitions.StorageKey)!;
        Operations.Update(definitions, "", key, d =>
        {
            var left = d.At("metadata", "finalizers").Texts().Where(f => f != CleanupFinalizer).ToJson();
            d.Child("metadata")["finalizers"] = left;
            return d;
        }, WriteOptions.Internal);
    }
}
