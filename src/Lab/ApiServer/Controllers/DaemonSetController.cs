using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;

namespace Weft.Lab.ApiServer;

/// <summary>One pod on every node that the template's nodeSelector names. A new template replaces pods one after another.</summary>
public sealed class DaemonSetController(ObjectOperations operations, ILogger logger)
    : WorkloadController(ControllerNames.Workloads, "daemonsets.apps", "DaemonSet", "pods", operations, logger, "nodes")
{
    private const string HashLabel = "controller-revision-hash";

    protected override void OnOther(string storageKey, StoreChange change)
    {
        foreach (var set in Store.Snapshot("daemonsets.apps").Items)
        {
            Enqueue($"{set.Namespace}/{set.Name}");
        }
    }

    protected override void Sync(StoredObject owner, JsonObject tree)
    {
        var template = tree.At("spec", "template");
        var selector = LabelSelector.FromMap(template.At("spec", "nodeSelector"));
        var nodes = Store.Snapshot("nodes").Items.Where(n => selector?.Matches(n) ?? true).Select(n => n.Name).ToHashSet(StringComparer.Ordinal);
        var hash = PodTemplates.Hash(template);
        var pods = PodTemplates.Owned(Store, "pods", owner);
        var active = pods.Where(PodTemplates.IsActive).ToList();
        foreach (var node in nodes.Where(n => !pods.Exists(p => p.NodeName == n && (PodTemplates.IsActive(p) || p.Deleting))))
        {
            Operations.Create(Pods, owner.Namespace, NewPod(tree, template, node, hash), WriteOptions.Internal);
        }

        foreach (var pod in active.Where(p => !nodes.Contains(p.NodeName ?? "")).Concat(pods.Where(p => !p.Deleting && p.Phase is "Failed")))
        {
            DeletePod(pod);
        }

        if (tree.Text("spec", "updateStrategy", "type") != "OnDelete")
        {
            var old = active.Where(p => nodes.Contains(p.NodeName ?? "") && p.Label(HashLabel) != hash).ToList();
            var unavailable = nodes.Count - active.Count(PodTemplates.IsReady);
            var limit = Math.Max(1, PodTemplates.Share(tree.At("spec", "updateStrategy", "rollingUpdate", "maxUnavailable"), nodes.Count, up: true));
            var unready = old.Where(p => !PodTemplates.IsReady(p)).ToList();
            unready.ForEach(DeletePod);
            foreach (var pod in old.Except(unready).Take(Math.Max(0, limit - unavailable)))
            {
                DeletePod(pod);
            }
        }

        Report(owner, nodes, hash);
    }

    private void Report(StoredObject owner, HashSet<string> nodes, string hash)
    {
        var pods = PodTemplates.Owned(Store, "pods", owner).Where(p => PodTemplates.IsActive(p) && nodes.Contains(p.NodeName ?? "")).ToList();
        var ready = pods.Count(PodTemplates.IsReady);
        SetStatus(owner, status =>
        {
            status["desiredNumberScheduled"] = nodes.Count;
            status["currentNumberScheduled"] = pods.Count;
            status["numberMisscheduled"] = 0;
            status["numberReady"] = ready;
            status["numberAvailable"] = ready;
            status["numberUnavailable"] = nodes.Count - ready;
            status["updatedNumberScheduled"] = pods.Count(p => p.Label(HashLabel) == hash);
        });
    }

    private static JsonObject NewPod(JsonObject owner, JsonNode? template, string node, string hash)
    {
        var pod = PodTemplates.NewPod(owner, template, null);
        pod.Child("metadata").Child("labels")[HashLabel] = hash;
        pod.Child("spec")["nodeName"] = node;
        pod.Child("spec").List("tolerations").Add(new JsonObject { ["operator"] = "Exists" });
        return pod;
    }
}
