using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>create, update, patch, delete and deletecollection.</summary>
public sealed class WriteRequests(ObjectOperations operations)
{
    public async Task CreateAsync(ApiRequest request, ResourceType type)
    {
        if (request.Name is not null)
        {
            throw ApiException.MethodNotAllowed();
        }

        var options = request.WriteOptions();
        var tree = await request.ReadObjectAsync();
        var ns = NamespaceOf(request, type, tree);
        await AnswerAsync(request, type, operations.Create(type, ns, tree, options), options, 201);
    }

    public async Task UpdateAsync(ApiRequest request, ResourceType type)
    {
        var options = request.WriteOptions();
        var tree = await request.ReadObjectAsync();
        CheckStatus(type, request.Subresource);
        if (operations.Store.Find(type.StorageKey, request.Namespace, request.Name!) is null && request.Subresource is null
            && tree.Text("metadata", "resourceVersion") is null && type.Plural is "leases" or "endpoints" or "events")
        {
            // These resources may be made by PUT ("allow create on update").
            await AnswerAsync(request, type, operations.Create(type, request.Namespace, tree, options), options, 201);
            return;
        }

        if (tree.Text("metadata", "name") is not { Length: > 0 })
        {
            throw ApiException.BadRequest("the name of the object is required in metadata.name");
        }

        var stored = operations.Update(type, request.Namespace, request.Name!, old =>
            ManagedFields.Track(type, old, (JsonObject)tree.DeepClone(), options.FieldManager, operations.Time.GetUtcNow(), request.Subresource), options, request.Subresource);
        await AnswerAsync(request, type, stored, options, 200);
    }

    public async Task PatchAsync(ApiRequest request, ResourceType type)
    {
        var options = request.WriteOptions();
        CheckStatus(type, request.Subresource);
        var kind = (request.Http.Request.ContentType ?? "").Split(';')[0].Trim();
        var body = await request.ReadBodyAsync();
        if (kind == "application/apply-patch+yaml")
        {
            await ApplyAsync(request, type, body as JsonObject ?? throw ApiException.BadRequest("an apply patch must be an object"), options);
            return;
        }

        Func<JsonObject, JsonObject> patch = (kind, body) switch
        {
            ("application/json-patch+json", JsonArray list) => tree => JsonPatch.Apply(tree, list),
            ("application/merge-patch+json", JsonObject o) => tree =>
            {
                MergePatch.Apply(tree, o);
                return tree;
            },
            ("application/strategic-merge-patch+json", JsonObject o) when type.Custom is null => tree =>
            {
                StrategicMergePatch.Apply(type.Schema, tree, o);
                return tree;
            },
            ("application/json-patch+json" or "application/merge-patch+json" or "application/strategic-merge-patch+json", _) when type.Custom is null
                => throw ApiException.BadRequest("a JSON patch is a list of operations, a merge patch an object"),
            _ => throw ApiException.UnsupportedMediaType(kind, "application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml"),
        };
        var stored = operations.Update(type, request.Namespace, request.Name!, tree =>
        {
            var old = (JsonObject)tree.DeepClone();
            var updated = patch(tree);
            if (updated.Text("metadata", "resourceVersion") == old.Text("metadata", "resourceVersion"))
            {
                // The patch says nothing about the version: it goes onto whatever is newest.
                updated.Child("metadata").Remove("resourceVersion");
            }

            return ManagedFields.Track(type, old, updated, options.FieldManager, operations.Time.GetUtcNow(), request.Subresource);
        }, options, request.Subresource);
        await AnswerAsync(request, type, stored, options, 200);
    }

    public async Task DeleteAsync(ApiRequest request, ResourceType type)
    {
        var options = DeleteOptions.Read(await request.ReadBodyAsync() as JsonObject, request.Query);
        if (request.Name is null)
        {
            await DeleteCollectionAsync(request, type, options);
            return;
        }

        var (item, gone) = operations.Delete(type, request.Namespace, request.Name, options);
        if (!gone || type.IsCore("pods"))
        {
            await Responses.WriteAsync(request.Http, 200, ResponseForm.Read(request).Single(type, item));
            return;
        }

        var details = new JsonObject { ["name"] = item.Name };
        if (type.Group.Length > 0)
        {
            details["group"] = type.Group;
        }

        details["kind"] = type.Plural;
        details["uid"] = item.Uid;
        await Responses.WriteAsync(request.Http, 200, new JsonObject
        {
            ["kind"] = "Status",
            ["apiVersion"] = "v1",
            ["metadata"] = new JsonObject(),
            ["status"] = "Success",
            ["details"] = details,
        });
    }

    private static void CheckStatus(ResourceType type, string? subresource)
    {
        if (subresource is not null && !type.Subresources.Contains(subresource))
        {
            throw ApiException.NoSuchPath();
        }
    }

    private static string NamespaceOf(ApiRequest request, ResourceType type, JsonObject tree)
    {
        if (!type.Namespaced)
        {
            return "";
        }

        return request.Namespace.Length > 0 ? request.Namespace
            : tree.Text("metadata", "namespace") ?? throw ApiException.BadRequest("an empty namespace may not be set during creation");
    }

    private async Task ApplyAsync(ApiRequest request, ResourceType type, JsonObject applied, WriteOptions options)
    {
        if (string.IsNullOrEmpty(request.Query("fieldManager")))
        {
            throw ApiException.BadRequest("PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch");
        }

        while (true)
        {
            if (operations.Store.Find(type.StorageKey, request.Namespace, request.Name!) is not null)
            {
                var stored = operations.Update(type, request.Namespace, request.Name!,
                    live => ServerSideApply.Merge(type, live, applied, options, operations.Time.GetUtcNow(), request.Subresource), options, request.Subresource);
                await AnswerAsync(request, type, stored, options, 200);
                return;
            }

            try
            {
                applied.Child("metadata")["name"] = request.Name;
                var fresh = ServerSideApply.Create(type, applied, options, operations.Time.GetUtcNow(), request.Subresource);
                await AnswerAsync(request, type, operations.Create(type, request.Namespace, fresh, options), options, 201);
                return;
            }
            catch (ApiException e) when (e.Reason == "AlreadyExists")
            {
                // Somebody made it in between: apply to theirs.
            }
        }
    }

    private async Task DeleteCollectionAsync(ApiRequest request, ResourceType type, DeleteOptions options)
    {
        var labels = LabelSelector.Parse(request.Query("labelSelector"));
        var fields = FieldSelector.Parse(request.Query("fieldSelector"));
        var snapshot = operations.Store.Snapshot(type.StorageKey, request.Namespace.Length == 0 ? null : request.Namespace);
        var deleted = ReadRequests.Select(snapshot, labels, fields).ToList();
        foreach (var item in deleted)
        {
            try
            {
                operations.Delete(type, item.Namespace, item.Name, options with { Uid = item.Uid });
            }
            catch (ApiException e) when (e.Code is 404 or 409)
            {
                // Deleted or replaced by somebody else meanwhile: not the object that was to go.
            }
        }

        await Responses.WriteAsync(request.Http, 200, new JsonObject
        {
            ["kind"] = type.Kind + "List",
            ["apiVersion"] = type.ApiVersion,
            ["metadata"] = new JsonObject { ["resourceVersion"] = operations.Store.Revision.ToString(System.Globalization.CultureInfo.InvariantCulture) },
            ["items"] = deleted.Select(d => (JsonNode?)StorageForm.Present(type, d.ToTree())).ToJson(),
        });
    }

    private static async Task AnswerAsync(ApiRequest request, ResourceType type, StoredObject item, WriteOptions options, int code)
    {
        Responses.Warn(request.Http, options);
        await Responses.WriteAsync(request.Http, code, ResponseForm.Read(request).Single(type, item));
    }
}
