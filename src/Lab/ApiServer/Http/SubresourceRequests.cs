using System.Globalization;
using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>Everything below an object other than its status: binding, eviction, scale, token, log, exec, proxy.</summary>
public sealed class SubresourceRequests(ObjectOperations operations, TokenIssuer tokens, NodeProxy nodes, WriteRequests writes)
{
    public Task AnswerAsync(ApiRequest request, ResourceType type)
    {
        if (!type.Subresources.Contains(request.Subresource!))
        {
            throw ApiException.NoSuchPath();
        }

        return (request.Subresource, request.Method) switch
        {
            ("binding", "POST") => BindAsync(request, type),
            ("eviction", "POST") => EvictAsync(request, type),
            ("scale", "GET") => AnswerAsync(request, 200, Scale(type, Find(request, type))),
            ("scale", "PUT" or "PATCH") => ScaleAsync(request, type),
            ("token", "POST") => IssueAsync(request, type),
            ("finalize", "PUT") => FinalizeAsync(request, type),
            ("ephemeralcontainers", "PUT") => writes.UpdateAsync(request, type),
            ("ephemeralcontainers", "PATCH") => writes.PatchAsync(request, type),
            ("log", "GET") or ("exec" or "attach" or "portforward", "GET" or "POST") => nodes.PodAsync(request, Find(request, type)),
            ("proxy", _) when type.Plural == "nodes" => nodes.NodeAsync(request, Find(request, type)),
            ("proxy", _) => throw new ApiException(501, "NotImplemented", $"proxy to {type.Plural} is not served by the lab's API server; connect to its address"),
            _ => throw ApiException.MethodNotAllowed(),
        };
    }

    private static Task AnswerAsync(ApiRequest request, int code, JsonObject body) => Responses.WriteAsync(request.Http, code, body);

    private static JsonObject Success(int code) => new()
    {
        ["kind"] = "Status",
        ["apiVersion"] = "v1",
        ["metadata"] = new JsonObject(),
        ["status"] = "Success",
        ["code"] = code,
    };

    /// <summary>Puts a pod on a node; a second binding is refused.</summary>
    public static void Bind(ObjectOperations operations, ResourceType pods, string ns, string name, string node, string? uid = null)
    {
        operations.Update(pods, ns, name, pod =>
        {
            if (uid is { Length: > 0 } && uid != pod.Text("metadata", "uid"))
            {
                throw ApiException.Conflict(pods, name, $"Precondition failed: UID in precondition: {uid}, UID in object meta: {pod.Text("metadata", "uid")}");
            }

            if (pod.At("metadata", "deletionTimestamp") is not null)
            {
                throw ApiException.Conflict(pods, name, $"pod {name} is being deleted, cannot be assigned to a host");
            }

            if (pod.Text("spec", "nodeName") is { Length: > 0 } bound)
            {
                throw ApiException.Conflict(pods, name, $"pod {name} is already assigned to node \"{bound}\"");
            }

            pod.Child("spec")["nodeName"] = node;
            PodConditions.Set(pod, "PodScheduled", "True", null, null, operations.Time.GetUtcNow());
            return pod;
        }, WriteOptions.Internal, "binding");
    }

    private StoredObject Find(ApiRequest request, ResourceType type) =>
        operations.Store.Find(type.StorageKey, request.Namespace, request.Name!) ?? throw ApiException.NotFound(type, request.Name!);

    private async Task BindAsync(ApiRequest request, ResourceType type)
    {
        var binding = await request.ReadObjectAsync();
        var node = binding.Text("target", "name") ?? throw ApiException.BadRequest("target.name: Required value");
        Bind(operations, type, request.Namespace, request.Name!, node, binding.Text("metadata", "uid"));
        await AnswerAsync(request, 201, Success(201));
    }

    private async Task EvictAsync(ApiRequest request, ResourceType type)
    {
        var eviction = await request.ReadBodyAsync() as JsonObject;
        var pod = Find(request, type);
        foreach (var budget in operations.Store.Snapshot("poddisruptionbudgets.policy", request.Namespace).Items.Select(b => b.ToTree()))
        {
            if (LabelSelector.From(budget.At("spec", "selector"))?.Matches(pod) == true && budget.Integer("status", "disruptionsAllowed") == 0)
            {
                throw new ApiException(429, "TooManyRequests", "Cannot evict pod as it would violate the pod's disruption budget.", new JsonObject
                {
                    ["causes"] = new JsonArray(new JsonObject
                    {
                        ["reason"] = "DisruptionBudget",
                        ["message"] = $"The disruption budget {budget.Text("metadata", "name")} needs {budget.Integer("status", "desiredHealthy")} healthy pods and has {budget.Integer("status", "currentHealthy")} currently",
                    }),
                });
            }
        }

        operations.Delete(type, request.Namespace, request.Name!, DeleteOptions.Read(eviction?["deleteOptions"] as JsonObject, request.Query));
        await AnswerAsync(request, 201, Success(201));
    }

    private async Task ScaleAsync(ApiRequest request, ResourceType type)
    {
        var options = request.WriteOptions();
        var body = await request.ReadBodyAsync() ?? throw ApiException.BadRequest("the request has no body");
        var contentType = (request.Http.Request.ContentType ?? "").Split(';')[0];
        var stored = operations.Update(type, request.Namespace, request.Name!, tree =>
        {
            var old = Scale(type, StoredObject.Freeze((JsonObject)tree.DeepClone(), 0));
            JsonObject scale;
            if (request.Method == "PUT")
            {
                scale = (JsonObject)body.DeepClone();
            }
            else if (contentType == "application/json-patch+json" && body is JsonArray operations)
            {
                scale = JsonPatch.Apply(old, operations);
            }
            else
            {
                scale = old;
                MergePatch.Apply(scale, (JsonObject)body);
            }

            var replicas = scale.Integer("spec", "replicas") ?? 0;
            if (replicas < 0)
            {
                throw ApiException.Invalid(type, request.Name!, [FieldError.Invalid("spec.replicas", replicas, "must be greater than or equal to 0")]);
            }

            var path = (type.Custom?.Scale?.Spec ?? ".spec.replicas").Trim('.').Split('.');
            var parent = tree;
            foreach (var step in path[..^1])
            {
                parent = parent.Child(step);
            }

            parent[path[^1]] = replicas;
            return tree;
        }, options);
        await AnswerAsync(request, 200, Scale(type, stored));
    }

    private static JsonObject Scale(ResourceType type, StoredObject item)
    {
        var tree = item.ToTree();
        var paths = type.Custom?.Scale ?? new ScalePaths(".spec.replicas", ".status.replicas", null);
        long Number(string path) => tree.At(path.Trim('.').Split('.')).Integer() ?? 0;
        var selector = paths.Selector is { } p ? tree.At(p.Trim('.').Split('.')).Text()
            : string.Join(",", tree.At("spec", "selector", "matchLabels").TextMap().Select(l => $"{l.Key}={l.Value}"));
        return new JsonObject
        {
            ["kind"] = "Scale",
            ["apiVersion"] = "autoscaling/v1",
            ["metadata"] = new JsonObject
            {
                ["name"] = item.Name,
                ["namespace"] = item.Namespace,
                ["uid"] = item.Uid,
                ["resourceVersion"] = item.Revision.ToString(CultureInfo.InvariantCulture),
                ["creationTimestamp"] = tree.Text("metadata", "creationTimestamp"),
            },
            ["spec"] = new JsonObject { ["replicas"] = Number(paths.Spec) },
            ["status"] = new JsonObject { ["replicas"] = Number(paths.Status), ["selector"] = selector },
        };
    }

    private async Task IssueAsync(ApiRequest request, ResourceType type)
    {
        var body = await request.ReadObjectAsync();
        await AnswerAsync(request, 201, tokens.Issue(Find(request, type), body));
    }

    /// <summary>Replaces a namespace's spec.finalizers; the last one gone, the namespace goes.</summary>
    private async Task FinalizeAsync(ApiRequest request, ResourceType type)
    {
        var body = await request.ReadObjectAsync();
        var stored = operations.Update(type, "", request.Name!, tree =>
        {
            tree.Child("spec")["finalizers"] = body.At("spec", "finalizers")?.DeepClone() ?? new JsonArray();
            return tree;
        }, request.WriteOptions(), "finalize");
        await Responses.WriteAsync(request.Http, 200, StorageForm.Text(type, stored));
    }
}
