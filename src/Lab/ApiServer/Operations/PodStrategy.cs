using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>Pods: defaults that depend on other fields, and what may not change.</summary>
public sealed class PodStrategy(ObjectStore store) : ResourceStrategy
{
    public override void PrepareCreate(JsonObject tree)
    {
        var spec = tree.Child("spec");
        CompleteSpec(spec);
        spec["serviceAccountName"] ??= spec.Text("serviceAccount") is { Length: > 0 } account ? account : "default";
        spec["serviceAccount"] = spec.Text("serviceAccountName");
        spec["priority"] ??= Priority(spec.Text("priorityClassName"));
        spec["preemptionPolicy"] ??= "PreemptLowerPriority";
        AddTolerations(spec);
        tree["status"] = new JsonObject { ["phase"] = "Pending", ["qosClass"] = QosClass(spec) };
        if (spec.Text("nodeName") is { Length: > 0 })
        {
            PodConditions.Set(tree, "PodScheduled", "True", null, null, DateTimeOffset.UtcNow);
        }
    }

    public override void PrepareUpdate(JsonObject tree, JsonObject old) => CompleteSpec(tree.Child("spec"));

    public override void Validate(JsonObject tree, JsonObject? old, List<FieldError> errors)
    {
        ValidateSpec(tree["spec"], "spec", errors);
        if (old is not null)
        {
            CheckImmutable(tree["spec"], old["spec"], errors);
        }
    }

    /// <summary>Defaults that the schema cannot state, for pods and for templates.</summary>
    internal static void CompleteSpec(JsonObject spec)
    {
        foreach (var container in spec["containers"].Objects().Concat(spec["initContainers"].Objects()))
        {
            if (container["imagePullPolicy"] is null)
            {
                var image = container.Text("image") ?? "";
                var tag = image[(image.LastIndexOf('/') + 1)..];
                container["imagePullPolicy"] = !tag.Contains('@') && (!tag.Contains(':') || tag.EndsWith(":latest", StringComparison.Ordinal)) ? "Always" : "IfNotPresent";
            }

            container["resources"] ??= new JsonObject();
            if (spec.Flag("hostNetwork"))
            {
                foreach (var port in container["ports"].Objects())
                {
                    port["hostPort"] ??= port["containerPort"]?.DeepClone();
                }
            }
        }
    }

    internal static void ValidateSpec(JsonNode? spec, string path, List<FieldError> errors)
    {
        if (!spec.At("containers").Objects().Any())
        {
            errors.Add(FieldError.Required($"{path}.containers"));
        }

        var portNames = new HashSet<string>(StringComparer.Ordinal);
        foreach (var list in (string[])["initContainers", "containers"])
        {
            var index = 0;
            foreach (var container in spec.At(list).Objects())
            {
                ValidateContainer(container, $"{path}.{list}[{index++}]", spec, portNames, errors);
            }
        }

        if (spec.Text("dnsPolicy") == "None" && !spec.At("dnsConfig", "nameservers").Texts().Any())
        {
            errors.Add(FieldError.Required($"{path}.dnsConfig.nameservers", "must provide at least one DNS nameserver when `dnsPolicy` is None"));
        }
    }

    private static void ValidateContainer(JsonObject container, string path, JsonNode? spec, HashSet<string> portNames, List<FieldError> errors)
    {
        var name = container.Text("name") ?? "";
        if (name.Length > 0 && !ObjectNames.IsLabel(name))
        {
            errors.Add(FieldError.Invalid($"{path}.name", name, "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"));
        }

        if (string.IsNullOrEmpty(container.Text("image")))
        {
            errors.Add(FieldError.Required($"{path}.image"));
        }

        var volumes = spec.At("volumes").Objects().Select(v => v.Text("name")).ToHashSet(StringComparer.Ordinal);
        var index = 0;
        foreach (var mount in container["volumeMounts"].Objects())
        {
            if (!volumes.Contains(mount.Text("name")))
            {
                errors.Add(FieldError.NotFound($"{path}.volumeMounts[{index}].name", mount.Text("name")));
            }

            index++;
        }

        index = 0;
        foreach (var port in container["ports"].Objects())
        {
            if (port.Text("name") is { Length: > 0 } portName && (portName.Length > 15 || !ObjectNames.IsLabel(portName)))
            {
                errors.Add(FieldError.Invalid($"{path}.ports[{index}].name", portName, "must be no more than 15 characters, lower case alphanumeric or '-', with a letter"));
            }
            else if (port.Text("name") is { Length: > 0 } used && !portNames.Add($"{path}:{used}"))
            {
                errors.Add(FieldError.Duplicate($"{path}.ports[{index}].name", used));
            }

            index++;
        }
    }

    private static void CheckImmutable(JsonNode? spec, JsonNode? old, List<FieldError> errors)
    {
        static JsonNode? Fixed(JsonNode? spec)
        {
            var copy = spec?.DeepClone();
            if (copy is JsonObject o)
            {
                foreach (var free in (string[])["activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds", "nodeName", "schedulingGates", "ephemeralContainers"])
                {
                    o.Remove(free);
                }

                foreach (var container in o["containers"].Objects().Concat(o["initContainers"].Objects()))
                {
                    container.Remove("image");
                    container.Remove("resources");
                    container.Remove("imagePullPolicy");
                }
            }

            return copy;
        }

        var before = old.Text("nodeName");
        if (!JsonNode.DeepEquals(Fixed(spec), Fixed(old)) || (!string.IsNullOrEmpty(before) && before != spec.Text("nodeName")))
        {
            errors.Add(FieldError.Forbidden("spec", "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"));
        }
    }

    private static void AddTolerations(JsonObject spec)
    {
        var tolerations = spec.List("tolerations");
        foreach (var key in (string[])["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"])
        {
            if (!tolerations.Objects().Any(t => t.Text("key") == key || (t.Text("key") is null && t.Text("operator") == "Exists")))
            {
                tolerations.Add(new JsonObject { ["key"] = key, ["operator"] = "Exists", ["effect"] = "NoExecute", ["tolerationSeconds"] = 300 });
            }
        }
    }

    private static string QosClass(JsonObject spec)
    {
        var containers = spec["containers"].Objects().ToList();
        if (containers.All(c => c.At("resources", "limits") is not JsonObject { Count: > 0 } && c.At("resources", "requests") is not JsonObject { Count: > 0 }))
        {
            return "BestEffort";
        }

        return containers.All(c => c.At("resources", "limits", "cpu") is not null && c.At("resources", "limits", "memory") is not null
            && (c.At("resources", "requests") is null || JsonNode.DeepEquals(c.At("resources", "requests"), c.At("resources", "limits")))) ? "Guaranteed" : "Burstable";
    }

    private long Priority(string? className) => className switch
    {
        null or "" => 0,
        "system-node-critical" => 2000001000,
        "system-cluster-critical" => 2000000000,
        _ => store.Find("priorityclasses.scheduling.k8s.io", "", className)?.ToTree().Integer("value") ?? 0,
    };
}
