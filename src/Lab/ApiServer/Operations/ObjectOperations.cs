using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>Create, change and delete with everything that the API server does to an object on the way: names, defaults,
/// validation, generation, finalizers. Used by requests and by the controllers inside the process. Safe from any thread.</summary>
public sealed class ObjectOperations(ObjectStore store, ResourceRegistry registry, Admission admission, TimeProvider time)
{
    private const string NameAlphabet = "bcdfghjklmnpqrstvwxz2456789";

    public ObjectStore Store { get; } = store;

    public ResourceRegistry Registry { get; } = registry;

    public TimeProvider Time { get; } = time;

    /// <exception cref="ApiException">Invalid, or exists already.</exception>
    public StoredObject Create(ResourceType type, string ns, JsonObject tree, WriteOptions options)
    {
        admission.Complete(type, ns, tree);
        var metadata = tree.Child("metadata");
        if (metadata.At("resourceVersion") is not null)
        {
            metadata.Remove("resourceVersion");
        }

        var generate = string.IsNullOrEmpty(metadata.Text("name")) ? metadata.Text("generateName") : null;
        if (generate is { Length: > 0 })
        {
            metadata["name"] = generate + RandomNumberGenerator.GetString(NameAlphabet, 5);
        }

        CheckNamespace(type, ns);
        foreach (var name in (string[])["uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"])
        {
            metadata.Remove(name);
        }

        if (type.HasStatus && (type.Custom is not null || Admission.ResetsStatusOnCreate(type)))
        {
            tree.Remove("status");
        }

        metadata["uid"] = Guid.NewGuid().ToString();
        metadata["creationTimestamp"] = Json.Time(Time.GetUtcNow());
        if (Admission.HasGeneration(type))
        {
            metadata["generation"] = 1;
        }

        admission.Admit(type, tree, null, options, null);
        tree = StorageForm.Store(type, tree);
        if (options.DryRun)
        {
            return Store.Find(type.StorageKey, ns, metadata.Text("name")!) is null
                ? StoredObject.Freeze(tree, 0) : throw ApiException.AlreadyExists(type, metadata.Text("name")!);
        }

        var stored = Store.TryPut(type.StorageKey, tree, null) ?? throw ApiException.AlreadyExists(type, tree.Text("metadata", "name")!);
        admission.Stored(type, tree);
        return stored;
    }

    /// <summary>Changes an object; repeated with the newest version when another writer was faster, unless the result carries a
    /// resourceVersion, which then must be the current one.</summary>
    /// <param name="change">Gets a tree of its own in the type's version and returns what it shall be; may be called again.</param>
    /// <param name="subresource">"status" changes only the status; anything else only what is not the status.</param>
    /// <returns>The new version; the old one when nothing changed.</returns>
    /// <exception cref="ApiException">Not there, invalid, or changed since the version that was given.</exception>
    public StoredObject Update(
        ResourceType type, string ns, string name, Func<JsonObject, JsonObject> change, WriteOptions options, string? subresource = null)
    {
        while (true)
        {
            var current = Store.Find(type.StorageKey, ns, name) ?? throw ApiException.NotFound(type, name);
            var old = StorageForm.Present(type, current.ToTree());
            var updated = change(StorageForm.Present(type, current.ToTree()));
            if (Write(type, current, old, updated, options, subresource) is { } stored)
            {
                return stored;
            }
        }
    }

    /// <summary>Deletes at once, or marks the object where finalizers or a grace period hold it.</summary>
    /// <returns>The last or marked version, and whether it is gone.</returns>
    public (StoredObject Object, bool Gone) Delete(ResourceType type, string ns, string name, DeleteOptions options)
    {
        while (true)
        {
            var current = Store.Find(type.StorageKey, ns, name) ?? throw ApiException.NotFound(type, name);
            CheckPreconditions(type, current, options);
            var tree = current.ToTree();
            if (!DeletionRules.Mark(type, tree, options, Time.GetUtcNow()))
            {
                if (options.DryRun)
                {
                    return (current, true);
                }

                if (Store.TryDelete(type.StorageKey, current) is { } last)
                {
                    return (last, true);
                }
            }
            else if (options.DryRun || JsonNode.DeepEquals(tree, current.ToTree()))
            {
                return (current, false);
            }
            else if (Store.TryPut(type.StorageKey, tree, current) is { } marked)
            {
                return (marked, false);
            }
        }
    }

    private StoredObject? Write(
        ResourceType type, StoredObject current, JsonObject old, JsonObject updated, WriteOptions options, string? subresource)
    {
        admission.Complete(type, current.Namespace, updated);
        var metadata = updated.Child("metadata");
        if (metadata.Text("name") is { } given && given != current.Name)
        {
            throw ApiException.BadRequest($"the name of the object ({given}) does not match the name on the URL ({current.Name})");
        }

        var wanted = metadata.Text("resourceVersion");
        if (!string.IsNullOrEmpty(wanted) && wanted != old.Text("metadata", "resourceVersion"))
        {
            throw ApiException.Conflict(type, current.Name);
        }

        if (metadata.Text("uid") is { Length: > 0 } uid && uid != current.Uid)
        {
            throw ApiException.Conflict(type, current.Name,
                $"Precondition failed: UID in precondition: {uid}, UID in object meta: {current.Uid}");
        }

        updated = Admission.KeepOtherPart(type, updated, old, subresource);
        Admission.KeepSystemFields(updated, old);
        admission.Admit(type, updated, old, options, subresource);
        Admission.BumpGeneration(type, updated, old);
        var finalTree = StorageForm.Store(type, updated);
        finalTree.Child("metadata")["resourceVersion"] = old.Text("metadata", "resourceVersion");
        if (DeletionRules.IsReleased(finalTree))
        {
            return options.DryRun ? StoredObject.Freeze(finalTree, current.Revision) : Release(type, current, finalTree);
        }

        if (JsonNode.DeepEquals(finalTree, current.ToTree()))
        {
            return current;
        }

        if (options.DryRun)
        {
            return StoredObject.Freeze(finalTree, current.Revision);
        }

        var stored = Store.TryPut(type.StorageKey, finalTree, current);
        if (stored is not null)
        {
            admission.Stored(type, finalTree);
        }

        return stored;
    }

    /// <summary>The last finalizer is gone: the object goes with the same request.</summary>
    private StoredObject? Release(ResourceType type, StoredObject current, JsonObject tree) =>
        Store.TryPut(type.StorageKey, tree, current) is { } last ? Store.TryDelete(type.StorageKey, last) ?? last : null;

    private void CheckNamespace(ResourceType type, string ns)
    {
        if (!type.Namespaced)
        {
            return;
        }

        var found = Store.Find("namespaces", "", ns)
            ?? throw new ApiException(404, "NotFound", $"namespaces \"{ns}\" not found", new JsonObject { ["name"] = ns, ["kind"] = "namespaces" });
        if (found.Deleting && !type.IsCore("events") && type.Plural != "events")
        {
            throw new ApiException(403, "Forbidden",
                $"unable to create new content in namespace {ns} because it is being terminated",
                new JsonObject { ["name"] = ns, ["kind"] = "namespaces", ["causes"] = new JsonArray(new JsonObject { ["reason"] = "NamespaceTerminating", ["message"] = $"namespace {ns} is being terminated", ["field"] = "metadata.namespace" }) });
        }
    }

    private static void CheckPreconditions(ResourceType type, StoredObject current, DeleteOptions options)
    {
        if (options.Uid is not null && options.Uid != current.Uid)
        {
            throw ApiException.Conflict(type, current.Name,
                $"Precondition failed: UID in precondition: {options.Uid}, UID in object meta: {current.Uid}");
        }

        if (options.ResourceVersion is not null && options.ResourceVersion != current.Revision.ToString(System.Globalization.CultureInfo.InvariantCulture))
        {
            throw ApiException.Conflict(type, current.Name,
                $"Precondition failed: ResourceVersion in precondition: {options.ResourceVersion}, ResourceVersion in object meta: {current.Revision}");
        }
    }
}
