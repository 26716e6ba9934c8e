using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;

namespace Weft.Lab.ApiServer;

/// <summary>The frame of the controllers of pods: a change of an owner, or of what it owns, leads to the owner.</summary>
public abstract class WorkloadController(
    string name, string owners, string kind, string dependents, ObjectOperations operations, ILogger logger, params string[] others)
    : Controller(name, operations, logger, [owners, dependents, .. others])
{
    protected ResourceType Type => Operations.Registry.FindStored(owners)!;

    protected ResourceType Pods => Operations.Registry.Find("", "v1", "pods")!;

    protected override void OnChange(string storageKey, StoreChange change)
    {
        if (storageKey == owners)
        {
            Enqueue($"{change.Object.Namespace}/{change.Object.Name}");
        }
        else if (storageKey == dependents && change.Object.Owners.Length > 0)
        {
            foreach (var reference in change.Object.ToTree().At("metadata", "ownerReferences").Objects().Where(r => r.Text("kind") == kind))
            {
                Enqueue($"{change.Object.Namespace}/{reference.Text("name")}");
            }
        }
        else
        {
            OnOther(storageKey, change);
        }
    }

    protected virtual void OnOther(string storageKey, StoreChange change)
    {
    }

    protected sealed override void Reconcile(string key)
    {
        var (ns, name) = (key.Split('/')[0], key.Split('/')[1]);
        if (Store.Find(owners, ns, name) is { Deleting: false } owner)
        {
            Sync(owner, owner.ToTree());
        }
    }

    protected abstract void Sync(StoredObject owner, JsonObject tree);

    protected void SetStatus(StoredObject owner, Action<JsonObject> change) =>
        Operations.Update(Type, owner.Namespace, owner.Name, tree =>
        {
            var status = tree.Child("status");
            status["observedGeneration"] = tree.Integer("metadata", "generation");
            change(status);
            return tree;
        }, WriteOptions.Internal, "status");

    protected void DeletePod(StoredObject pod) =>
        Operations.Delete(Pods, pod.Namespace, pod.Name, new DeleteOptions { Uid = pod.Uid, Propagation = "Background" });
}
