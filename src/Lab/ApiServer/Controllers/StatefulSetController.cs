using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;

namespace Weft.Lab.ApiServer;

/// <summary>Pods with ordinals and names that stay: made in order, removed and replaced in reverse order.</summary>
public sealed class StatefulSetController(ObjectOperations operations, ILogger logger)
    : WorkloadController(ControllerNames.Workloads, "statefulsets.apps", "StatefulSet", "pods", operations, logger)
{
    private const string HashLabel = "controller-revision-hash";

    protected override void Sync(StoredObject owner, JsonObject tree)
    {
        var hash = $"{owner.Name}-{PodTemplates.Hash(tree.At("spec", "template"))}";
        Step(owner, tree, hash);
        var pods = PodTemplates.Owned(Store, "pods", owner).Where(PodTemplates.IsActive).ToList();
        var ready = pods.Count(PodTemplates.IsReady);
        SetStatus(owner, status =>
        {
            status["replicas"] = pods.Count;
            status["readyReplicas"] = ready;
            status["availableReplicas"] = ready;
            status["updatedReplicas"] = pods.Count(p => p.Label(HashLabel) == hash);
            status["currentReplicas"] = pods.Count(p => p.Label(HashLabel) == hash);
            status["updateRevision"] = hash;
            status["currentRevision"] = pods.TrueForAll(p => p.Label(HashLabel) == hash) ? hash : status.Text("currentRevision") ?? hash;
        });
    }

    /// <summary>One step; the change that it causes brings the next one.</summary>
    private void Step(StoredObject owner, JsonObject tree, string hash)
    {
        var first = (int)(tree.Integer("spec", "ordinals", "start") ?? 0);
        var end = first + (int)(tree.Integer("spec", "replicas") ?? 1);
        var parallel = tree.Text("spec", "podManagementPolicy") == "Parallel";
        var pods = PodTemplates.Owned(Store, "pods", owner).ToDictionary(p => p.Name, StringComparer.Ordinal);
        for (var ordinal = first; ordinal < end; ordinal++)
        {
            if (!pods.TryGetValue($"{owner.Name}-{ordinal}", out var pod))
            {
                pod = Operations.Create(Pods, owner.Namespace, NewPod(tree, ordinal, hash), WriteOptions.Internal);
            }
            else if (pod.Phase is "Succeeded" or "Failed" && !pod.Deleting)
            {
                DeletePod(pod);
            }

            if (!parallel && !PodTemplates.IsReady(pod))
            {
                return;
            }
        }

        var surplus = pods.Values.Where(p => Ordinal(p, owner) is { } o && (o < first || o >= end)).OrderByDescending(p => Ordinal(p, owner)).ToList();
        if (surplus.Count > 0)
        {
            foreach (var pod in surplus.Where(p => !p.Deleting).Take(parallel ? surplus.Count : surplus[0].Deleting ? 0 : 1))
            {
                DeletePod(pod);
            }

            return;
        }

        if (tree.Text("spec", "updateStrategy", "type") == "OnDelete")
        {
            return;
        }

        var partition = (int)(tree.Integer("spec", "updateStrategy", "rollingUpdate", "partition") ?? 0);
        for (var ordinal = end - 1; ordinal >= Math.Max(first, partition); ordinal--)
        {
            if (pods.TryGetValue($"{owner.Name}-{ordinal}", out var pod))
            {
                if (pod.Label(HashLabel) != hash && !pod.Deleting)
                {
                    DeletePod(pod);
                    return;
                }

                if (!PodTemplates.IsReady(pod))
                {
                    return;
                }
            }
        }
    }

    private static int? Ordinal(StoredObject pod, StoredObject owner) =>
        pod.Name.StartsWith(owner.Name + "-", StringComparison.Ordinal)
        && int.TryParse(pod.Name.AsSpan(owner.Name.Length + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : null;

    private static JsonObject NewPod(JsonObject owner, int ordinal, string hash)
    {
        var name = $"{owner.Text("metadata", "name")}-{ordinal}";
        var pod = PodTemplates.NewPod(owner, owner.At("spec", "template"), name);
        var labels = pod.Child("metadata").Child("labels");
        labels["statefulset.kubernetes.io/pod-name"] = name;
        labels["apps.kubernetes.io/pod-index"] = ordinal.ToString(CultureInfo.InvariantCulture);
        labels[HashLabel] = hash;
        pod.Child("spec")["hostname"] = name;
        if (owner.Text("spec", "serviceName") is { Length: > 0 } service)
        {
            pod.Child("spec")["subdomain"] = service;
        }

        return pod;
    }
}
