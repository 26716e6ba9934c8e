using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>Deployments and their kin: the template is a valid pod, the selector selects it and does not change.</summary>
public sealed class WorkloadStrategy : ResourceStrategy
{
    public override void PrepareCreate(JsonObject tree) => Complete(tree);

    public override void PrepareUpdate(JsonObject tree, JsonObject old) => Complete(tree);

    public override void Validate(JsonObject tree, JsonObject? old, List<FieldError> errors)
    {
        PodStrategy.ValidateSpec(tree.At("spec", "template", "spec"), "spec.template.spec", errors);
        if (tree.Text("spec", "template", "spec", "restartPolicy") is { } policy and not "Always")
        {
            errors.Add(FieldError.NotSupported("spec.template.spec.restartPolicy", policy, ["Always"]));
        }

        var labels = StoredObject.Freeze(new JsonObject { ["metadata"] = tree.At("spec", "template", "metadata")?.DeepClone() ?? new JsonObject() }, 0);
        var selector = LabelSelector.From(tree.At("spec", "selector"));
        if (selector is null || selector.IsEmpty)
        {
            errors.Add(FieldError.Invalid("spec.selector", tree.At("spec", "selector")?.DeepClone(), "empty selector is invalid for deployment"));
        }
        else if (!selector.Matches(labels))
        {
            errors.Add(FieldError.Invalid("spec.template.metadata.labels", tree.At("spec", "template", "metadata", "labels")?.DeepClone(), "`selector` does not match template `labels`"));
        }

        if (old is not null && !JsonNode.DeepEquals(tree.At("spec", "selector"), old.At("spec", "selector")))
        {
            errors.Add(FieldError.Invalid("spec.selector", tree.At("spec", "selector")?.DeepClone(), "field is immutable"));
        }
    }

    private static void Complete(JsonObject tree)
    {
        if (tree.At("spec", "template", "spec") is JsonObject spec)
        {
            PodStrategy.CompleteSpec(spec);
        }

        var strategy = tree.At("spec", tree.Text("kind") == "Deployment" ? "strategy" : "updateStrategy");
        if (strategy is JsonObject o && o.Text("type") == "RollingUpdate")
        {
            var rolling = o.Child("rollingUpdate");
            switch (tree.Text("kind"))
            {
                case "Deployment":
                    rolling["maxUnavailable"] ??= "25%";
                    rolling["maxSurge"] ??= "25%";
                    break;
                case "DaemonSet":
                    rolling["maxUnavailable"] ??= 1;
                    rolling["maxSurge"] ??= 0;
                    break;
                case "StatefulSet":
                    rolling["partition"] ??= 0;
                    break;
            }
        }
    }
}
