using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;

namespace Weft.Lab.ApiServer;

/// <summary>Deletes what has owners and none of them is left, and carries out Foreground and Orphan deletions.</summary>
/// <remarks>Keys: "uid" of an owner that is gone, "owner:uid" of one that waits for its dependents.</remarks>
public sealed class GarbageCollector(ObjectOperations operations, ILogger logger)
    : Controller(ControllerNames.GarbageCollector, operations, logger)
{
    private const string Waiting = "owner:";
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(100);

    private readonly Dictionary<string, HashSet<(string StorageKey, string Namespace, string Name)>> _dependents = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (string StorageKey, string Namespace, string Name)> _objects = new(StringComparer.Ordinal);

    private ImmutableArray<ResourceType> _registered;
    private string[] _watched = [];

    /// <summary>Every stored resource, those of definitions too; events and leases own nothing and are too many.</summary>
    protected override IReadOnlyList<string> Watched
    {
        get
        {
            var all = Operations.Registry.All;
            if (_registered != all)
            {
                _registered = all;
                _watched = [.. all.Where(t => !t.CreateOnly && t.Plural is not ("events" or "leases")).Select(t => t.StorageKey).Distinct()];
            }

            return _watched;
        }
    }

    protected override void OnChange(string storageKey, StoreChange change)
    {
        if (storageKey == Definitions.StorageKey)
        {
            // Its resource is served in a moment, and followed from the next round on.
            EnqueueAfter(change.Object.Uid, LookAgain);
        }

        var item = change.Object;
        var id = (storageKey, item.Namespace, item.Name);
        foreach (var owner in change.Previous?.Owners ?? [])
        {
            if (_dependents.TryGetValue(owner, out var set) && (change.Kind == ChangeKind.Deleted || !item.Owners.Contains(owner)))
            {
                set.Remove(id);
                if (set.Count == 0)
                {
                    _dependents.Remove(owner);
                }
            }
        }

        if (change.Kind == ChangeKind.Deleted)
        {
            _objects.Remove(item.Uid);
            Enqueue(item.Uid);
            return;
        }

        if (item.Owners.Length > 0)
        {
            foreach (var owner in item.Owners)
            {
                (_dependents.TryGetValue(owner, out var set) ? set : _dependents[owner] = []).Add(id);

                // An owner that is already gone, or that never was, leaves an orphan from the start.
                Enqueue(owner);
            }
        }

        _objects[item.Uid] = id;
        if (item.Deleting)
        {
            Enqueue(Waiting + item.Uid);
        }
    }

    protected override void Reconcile(string key)
    {
        if (key.StartsWith(Waiting, StringComparison.Ordinal))
        {
            FinishDeletion(key[Waiting.Length..]);
            return;
        }

        if (_objects.ContainsKey(key) || !_dependents.TryGetValue(key, out var dependents))
        {
            return;
        }

        foreach (var (storageKey, ns, name) in dependents.ToList())
        {
            if (Store.Find(storageKey, ns, name) is { } item && item.Owners.Contains(key) && !item.Owners.Any(_objects.ContainsKey) && !item.Deleting
                && item.Owners.All(o => !Exists(item, o)))
            {
                Delete(storageKey, item, "Background");
            }
        }
    }

    /// <summary>Asks the store itself: an owner may be newer than what this controller has read.</summary>
    private bool Exists(StoredObject item, string ownerUid)
    {
        var reference = item.ToTree().At("metadata", "ownerReferences").Objects().First(r => r.Text("uid") == ownerUid);
        var version = (reference.Text("apiVersion") ?? "").Split('/');
        var type = Operations.Registry.FindKind(version.Length > 1 ? version[0] : "", version[^1], reference.Text("kind") ?? "");

        // A kind that is not served (any more) may come back: what it owns is kept.
        return type is null || Store.Find(type.StorageKey, type.Namespaced ? item.Namespace : "", reference.Text("name") ?? "")?.Uid == ownerUid;
    }

    private void FinishDeletion(string uid)
    {
        if (!_objects.TryGetValue(uid, out var id) || Store.Find(id.StorageKey, id.Namespace, id.Name) is not { Deleting: true } owner || owner.Uid != uid)
        {
            return;
        }

        var finalizers = owner.ToTree().At("metadata", "finalizers").Texts().ToList();
        var dependents = _dependents.TryGetValue(uid, out var set)
            ? set.Select(d => (Id: d, Item: Store.Find(d.StorageKey, d.Namespace, d.Name))).Where(d => d.Item?.Owners.Contains(uid) == true).ToList() : [];
        if (finalizers.Contains("foregroundDeletion"))
        {
            foreach (var (dependent, item) in dependents.Where(d => !d.Item!.Deleting))
            {
                Delete(dependent.StorageKey, item!, "Foreground");
            }

            if (dependents.Count > 0)
            {
                EnqueueAfter(Waiting + uid, LookAgain);
                return;
            }

            RemoveFinalizer(id, "foregroundDeletion");
        }
        else if (finalizers.Contains("orphan"))
        {
            foreach (var (dependent, _) in dependents)
            {
                Disown(dependent, uid);
            }

            RemoveFinalizer(id, "orphan");
        }
    }

    private void Disown((string StorageKey, string Namespace, string Name) id, string uid) =>
        Operations.Update(Operations.Registry.FindStored(id.StorageKey)!, id.Namespace, id.Name, tree =>
        {
            var left = tree.At("metadata", "ownerReferences").Objects().Where(o => o.Text("uid") != uid).Select(o => (JsonNode?)o.DeepClone()).ToJson();
            tree.Child("metadata")["ownerReferences"] = left;
            return tree;
        }, WriteOptions.Internal);

    private void RemoveFinalizer((string StorageKey, string Namespace, string Name) id, string finalizer) =>
        Operations.Update(Operations.Registry.FindStored(id.StorageKey)!, id.Namespace, id.Name, tree =>
        {
            tree.Child("metadata")["finalizers"] = tree.At("metadata", "finalizers").Texts().Where(f => f != finalizer).ToJson();
            return tree;
        }, WriteOptions.Internal);

    private void Delete(string storageKey, StoredObject item, string propagation)
    {
        if (Operations.Registry.FindStored(storageKey) is { } type)
        {
            Operations.Delete(type, item.Namespace, item.Name, new DeleteOptions { Uid = item.Uid, Propagation = propagation });
        }
    }
}
