using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>When an object is deleted at once, and when it is only marked.</summary>
public static class DeletionRules
{
    /// <summary>Marks the tree as being deleted where something holds it.</summary>
    /// <returns>False when nothing does: the object goes at once.</returns>
    public static bool Mark(ResourceType type, JsonObject tree, DeleteOptions options, DateTimeOffset now)
    {
        var metadata = tree.Child("metadata");
        if (options.Propagation is "Foreground" or "Orphan")
        {
            var finalizer = options.Propagation == "Foreground" ? "foregroundDeletion" : "orphan";
            var other = options.Propagation == "Foreground" ? "orphan" : "foregroundDeletion";
            var finalizers = metadata.At("finalizers").Texts().Where(f => f != other).Append(finalizer).Distinct();
            metadata["finalizers"] = finalizers.ToJson();
        }

        var grace = GracePeriod(type, tree, options);
        var held = metadata.At("finalizers").Texts().Any() || grace > 0
            || (type.IsCore("namespaces") && tree.At("spec", "finalizers").Texts().Any());
        if (!held)
        {
            return false;
        }

        var already = metadata.At("deletionTimestamp") is not null;
        if (!already || grace < (metadata.Integer("deletionGracePeriodSeconds") ?? 0))
        {
            metadata["deletionTimestamp"] = Json.Time(now.AddSeconds(grace));
            metadata["deletionGracePeriodSeconds"] = grace;
            if (!already && Admission.HasGeneration(type))
            {
                metadata["generation"] = (metadata.Integer("generation") ?? 0) + 1;
            }
        }

        if (type.IsCore("namespaces"))
        {
            tree.Child("status")["phase"] = "Terminating";
        }

        return true;
    }

    /// <summary>Marked, and nothing holds it any more.</summary>
    public static bool IsReleased(JsonObject tree)
    {
        var metadata = tree["metadata"];
        return metadata.At("deletionTimestamp") is not null
            && !metadata.At("finalizers").Texts().Any()
            && (metadata.Integer("deletionGracePeriodSeconds") ?? 0) == 0
            && !(tree.Text("kind") == "Namespace" && tree.At("spec", "finalizers").Texts().Any());
    }

    /// <summary>Only running pods on a node get time to end (0 for everything else).</summary>
    private static long GracePeriod(ResourceType type, JsonObject tree, DeleteOptions options)
    {
        if (!type.IsCore("pods") || string.IsNullOrEmpty(tree.Text("spec", "nodeName")) || tree.Text("status", "phase") is "Succeeded" or "Failed")
        {
            return 0;
        }

        return options.GracePeriodSeconds ?? tree.Integer("spec", "terminationGracePeriodSeconds") ?? 30;
    }
}
