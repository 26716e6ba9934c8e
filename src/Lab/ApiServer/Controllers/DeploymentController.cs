using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;

namespace Weft.Lab.ApiServer;

/// <summary>A ReplicaSet per template; a new template takes over step by step, as maxSurge and maxUnavailable allow.</summary>
public sealed class DeploymentController(ObjectOperations operations, ILogger logger)
    : WorkloadController(ControllerNames.Workloads, "deployments.apps", "Deployment", "replicasets.apps", operations, logger)
{
    private const string Revision = "deployment.kubernetes.io/revision";
    private const string HashLabel = "pod-template-hash";

    private ResourceType Sets => Operations.Registry.FindStored("replicasets.apps")!;

    protected override void Sync(StoredObject owner, JsonObject tree)
    {
        var sets = PodTemplates.Owned(Store, "replicasets.apps", owner).Where(s => !s.Deleting).ToList();
        var hash = PodTemplates.Hash(tree.At("spec", "template"));
        var revision = sets.Select(s => Number(s.ToTree())).DefaultIfEmpty(0).Max();
        var current = sets.FirstOrDefault(s => s.Label(HashLabel) == hash);
        if (tree.Flag("spec", "paused") && current is null)
        {
            return;
        }

        if (current is null)
        {
            current = Operations.Create(Sets, owner.Namespace, NewSet(tree, hash, revision + 1), WriteOptions.Internal);
            sets.Add(current);
        }
        else if (Number(current.ToTree()) < revision)
        {
            // A rollback: an older template is the newest revision now.
            SetRevision(current, ++revision);
        }

        Operations.Update(Type, owner.Namespace, owner.Name, d =>
        {
            d.Child("metadata").Child("annotations")[Revision] = Number(Store.Find("replicasets.apps", owner.Namespace, current.Name)?.ToTree()).ToString(CultureInfo.InvariantCulture);
            return d;
        }, WriteOptions.Internal);
        Roll(tree, current, sets);
        CleanUp(tree, current, sets);
        Report(owner, tree, hash);
    }

    private void Roll(JsonObject tree, StoredObject current, List<StoredObject> sets)
    {
        var wanted = (int)(tree.Integer("spec", "replicas") ?? 1);
        var counts = sets.ToDictionary(s => s.Name, s => (Spec: (int)(s.ToTree().Integer("spec", "replicas") ?? 0), Tree: s.ToTree()));
        var old = sets.Where(s => s.Name != current.Name && counts[s.Name].Spec > 0).OrderBy(s => Number(counts[s.Name].Tree)).ToList();
        var mine = counts[current.Name].Spec;
        if (tree.Text("spec", "strategy", "type") == "Recreate")
        {
            old.ForEach(s => Scale(s, 0));
            var left = sets.Where(s => s.Name != current.Name).Sum(s => PodTemplates.Owned(Store, "pods", s).Count(p => p.Phase is not ("Succeeded" or "Failed")));
            Scale(current, left > 0 ? mine : wanted);
            if (left > 0)
            {
                EnqueueAfter($"{current.Namespace}/{tree.Text("metadata", "name")}", TimeSpan.FromMilliseconds(100));
            }

            return;
        }

        var rolling = tree.At("spec", "strategy", "rollingUpdate");
        var surge = PodTemplates.Share(rolling.At("maxSurge"), wanted, up: true);
        var missing = PodTemplates.Share(rolling.At("maxUnavailable"), wanted, up: false);
        missing = surge == 0 && missing == 0 ? 1 : missing;
        var oldTotal = old.Sum(s => counts[s.Name].Spec);
        if (old.Count == 0)
        {
            Scale(current, wanted);
            return;
        }

        var grown = Math.Min(wanted, Math.Max(mine, wanted + surge - oldTotal));
        Scale(current, grown);

        // Old pods may go as far as enough ready ones stay; those that are not ready cost nothing. A set that was told to shrink
        // may not have done it yet: what it is going to end does not count as ready.
        var ready = sets.Sum(s => Math.Min(PodTemplates.Owned(Store, "pods", s).Count(PodTemplates.IsReady), s.Name == current.Name ? grown : counts[s.Name].Spec));
        var budget = ready - (wanted - missing);
        foreach (var set in old)
        {
            var pods = PodTemplates.Owned(Store, "pods", set).Where(PodTemplates.IsActive).ToList();
            var unready = pods.Count(p => !PodTemplates.IsReady(p));
            var take = Math.Min(counts[set.Name].Spec, unready + Math.Max(0, budget));
            budget -= Math.Max(0, take - unready);
            if (take > 0)
            {
                Scale(set, counts[set.Name].Spec - take);
            }
        }
    }

    private void CleanUp(JsonObject tree, StoredObject current, List<StoredObject> sets)
    {
        var keep = (int)(tree.Integer("spec", "revisionHistoryLimit") ?? 10);
        var idle = sets.Where(s => s.Name != current.Name && Store.Find("replicasets.apps", s.Namespace, s.Name)?.ToTree() is { } t
            && (t.Integer("spec", "replicas") ?? 0) == 0 && (t.Integer("status", "replicas") ?? 0) == 0).OrderBy(s => Number(s.ToTree())).ToList();
        foreach (var set in idle.Take(Math.Max(0, idle.Count - keep)))
        {
            Operations.Delete(Sets, set.Namespace, set.Name, new DeleteOptions { Uid = set.Uid });
        }
    }

    private void Report(StoredObject owner, JsonObject tree, string hash)
    {
        var wanted = tree.Integer("spec", "replicas") ?? 1;
        var sets = PodTemplates.Owned(Store, "replicasets.apps", owner).Select(s => s.ToTree()).ToList();
        var total = sets.Sum(s => s.Integer("status", "replicas") ?? 0);
        var ready = sets.Sum(s => s.Integer("status", "readyReplicas") ?? 0);
        var updated = sets.Where(s => s.At("metadata", "labels").Text(HashLabel) == hash).Sum(s => s.Integer("status", "replicas") ?? 0);
        var missing = PodTemplates.Share(tree.At("spec", "strategy", "rollingUpdate", "maxUnavailable"), (int)wanted, up: false);
        SetStatus(owner, status =>
        {
            status["replicas"] = total;
            status["updatedReplicas"] = updated;
            status["readyReplicas"] = ready;
            status["availableReplicas"] = ready;
            status["unavailableReplicas"] = Math.Max(0, Math.Max(total, wanted) - ready);
            var holder = new JsonObject { ["status"] = status.DeepClone() };
            var available = ready >= wanted - missing;
            PodConditions.Set(holder, "Available", available ? "True" : "False", available ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
                available ? "Deployment has minimum availability." : "Deployment does not have minimum availability.", Now);
            var complete = updated == wanted && total == wanted && ready == wanted;
            PodConditions.Set(holder, "Progressing", "True", complete ? "NewReplicaSetAvailable" : "ReplicaSetUpdated",
                complete ? "ReplicaSet has successfully progressed." : "ReplicaSet is progressing.", Now);
            status["conditions"] = holder.At("status", "conditions")!.DeepClone();
        });
    }

    private static JsonObject NewSet(JsonObject deployment, string hash, long revision)
    {
        var template = deployment.At("spec", "template")!.DeepClone().AsObject();
        template.Child("metadata").Child("labels")[HashLabel] = hash;
        var selector = deployment.At("spec", "selector")!.DeepClone().AsObject();
        selector.Child("matchLabels")[HashLabel] = hash;
        return new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["name"] = $"{deployment.Text("metadata", "name")}-{hash}",
                ["labels"] = template.At("metadata", "labels")!.DeepClone(),
                ["annotations"] = new JsonObject { [Revision] = revision.ToString(CultureInfo.InvariantCulture) },
                ["ownerReferences"] = new JsonArray(PodTemplates.Reference(deployment)),
            },
            ["spec"] = new JsonObject { ["replicas"] = 0, ["selector"] = selector, ["template"] = template },
        };
    }

    private static long Number(JsonNode? set) =>
        long.TryParse(set.At("metadata", "annotations").Text(Revision), NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : 0;

    private void SetRevision(StoredObject set, long revision) => Operations.Update(Sets, set.Namespace, set.Name, tree =>
    {
        tree.Child("metadata").Child("annotations")[Revision] = revision.ToString(CultureInfo.InvariantCulture);
        return tree;
    }, WriteOptions.Internal);

    private void Scale(StoredObject set, int replicas) => Operations.Update(Sets, set.Namespace, set.Name, tree =>
    {
        tree.Child("spec")["replicas"] = replicas;
        return tree;
    }, WriteOptions.Internal);
}
