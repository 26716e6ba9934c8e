using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;

namespace Weft.Lab.ApiServer;

/// <summary>As many pods as a ReplicaSet says. Pods that are not ready go first when there are too many.</summary>
public sealed class ReplicaSetController(ObjectOperations operations, ILogger logger)
    : WorkloadController(ControllerNames.Workloads, "replicasets.apps", "ReplicaSet", "pods", operations, logger)
{
    protected override void Sync(StoredObject owner, JsonObject tree)
    {
        var wanted = (int)(tree.Integer("spec", "replicas") ?? 1);
        var pods = PodTemplates.Owned(Store, "pods", owner);
        var active = pods.Where(PodTemplates.IsActive).ToList();
        for (var i = active.Count; i < wanted; i++)
        {
            Operations.Create(Pods, owner.Namespace, PodTemplates.NewPod(tree, tree.At("spec", "template"), null), WriteOptions.Internal);
        }

        foreach (var pod in active.OrderBy(p => string.IsNullOrEmpty(p.NodeName) ? 0 : PodTemplates.IsReady(p) ? 2 : 1).ThenByDescending(p => p.Revision)
            .Take(Math.Max(0, active.Count - wanted)))
        {
            DeletePod(pod);
        }

        var now = PodTemplates.Owned(Store, "pods", owner).Where(PodTemplates.IsActive).ToList();
        var ready = now.Count(PodTemplates.IsReady);
        SetStatus(owner, status =>
        {
            status["replicas"] = now.Count;
            status["fullyLabeledReplicas"] = now.Count;
            status["readyReplicas"] = ready;
            status["availableReplicas"] = ready;
        });
    }
}
