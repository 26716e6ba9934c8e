using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;

namespace Weft.Lab.ApiServer;

/// <summary>A namespace gets a default ServiceAccount and the authority's certificate; a namespace that is deleted is emptied first.</summary>
public sealed class NamespaceController(ObjectOperations operations, ILogger logger, string authority)
    : Controller(ControllerNames.Namespace, operations, logger, "namespaces", "serviceaccounts")
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(100);

    protected override void OnChange(string storageKey, StoreChange change)
    {
        if (storageKey == "namespaces")
        {
            Enqueue(change.Object.Name);
        }
        else if (change.Kind == ChangeKind.Deleted && change.Object.Name == "default")
        {
            Enqueue(change.Object.Namespace);
        }
    }

    protected override void Reconcile(string key)
    {
        var item = Store.Find("namespaces", "", key);
        if (item is null)
        {
            return;
        }

        if (item.Deleting)
        {
            Empty(key);
            return;
        }

        Ensure("serviceaccounts", key, new JsonObject { ["metadata"] = new JsonObject { ["name"] = "default" } });
        Ensure("configmaps", key, new JsonObject
        {
            ["metadata"] = new JsonObject { ["name"] = "kube-root-ca.crt" },
            ["data"] = new JsonObject { ["ca.crt"] = authority },
        });
    }

    private void Ensure(string plural, string ns, JsonObject tree)
    {
        if (Store.Find(plural, ns, tree.Text("metadata", "name")!) is null)
        {
            Operations.Create(Operations.Registry.Find("", "v1", plural)!, ns, tree, WriteOptions.Internal);
        }
    }

    private void Empty(string ns)
    {
        var left = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (var type in Operations.Registry.All.Where(t => t.Namespaced && !t.CreateOnly).DistinctBy(t => t.StorageKey))
        {
            foreach (var item in Store.Snapshot(type.StorageKey, ns).Items.Where(i => !i.Deleting))
            {
                Operations.Delete(type, ns, item.Name, new DeleteOptions { Propagation = "Background" });
            }

            if (Store.Snapshot(type.StorageKey, ns).Count is > 0 and var count)
            {
                left[type.QualifiedPlural] = count;
            }
        }

        var namespaces = Operations.Registry.Find("", "v1", "namespaces")!;
        if (left.Count == 0)
        {
            Operations.Update(namespaces, "", ns, tree =>
            {
                tree.Child("spec")["finalizers"] = new JsonArray();
                return tree;
            }, WriteOptions.Internal, "finalize");
            return;
        }

        Operations.Update(namespaces, "", ns, tree =>
        {
            PodConditions.Set(tree, "NamespaceContentRemaining", "True", "SomeResourcesRemain",
                "Some resources are remaining: " + string.Join(", ", left.Select(l => $"{l.Key} has {l.Value} resource instances")), Now);
            return tree;
        }, WriteOptions.Internal, "status");
        EnqueueAfter(ns, LookAgain);
    }
}
