using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;

namespace Weft.Lab.ApiServer;

/// <summary>Keeps the EndpointSlices of Services with a selector: per family and set of resolved ports, at most 100 endpoints each.</summary>
/// <remarks>Conditions as upstream: serving = the pod's Ready, terminating = it is being deleted, ready = serving and not terminating
/// (or always, with publishNotReadyAddresses). Topology hints are the endpoint's own zone when the Service asks for trafficDistribution.</remarks>
public sealed class EndpointSliceController(ObjectOperations operations, ILogger logger)
    : Controller(ControllerNames.EndpointSlice, operations, logger, "services", "pods", "nodes", "endpointslices.discovery.k8s.io")
{
    public const string ServiceLabel = "kubernetes.io/service-name";
    public const string ManagedByLabel = "endpointslice.kubernetes.io/managed-by";
    public const string ManagedBy = "endpointslice-controller.k8s.io";

    private const int LargestSlice = 100;

    /// <summary>Services with a selector by namespace, so that a pod asks only those of its own.</summary>
    private readonly Dictionary<string, Dictionary<string, LabelSelector>> _selectors = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _zones = new(StringComparer.Ordinal);

    private ResourceType Slices => Operations.Registry.Find("discovery.k8s.io", "v1", "endpointslices")!;

    protected override void OnChange(string storageKey, StoreChange change)
    {
        switch (storageKey)
        {
            case "services":
                OnService(change);
                break;
            case "pods":
                OnPod(change);
                break;
            case "nodes":
                OnNode(change);
                break;
            default:
                // Somebody changed or removed a slice of ours: put it right.
                if (change.Object.Label(ManagedByLabel) == ManagedBy && change.Object.Label(ServiceLabel) is { } service)
                {
                    Enqueue($"{change.Object.Namespace}/{service}");
                }

                break;
        }
    }

    protected override void Reconcile(string key)
    {
        var (ns, name) = (key.Split('/')[0], key.Split('/')[1]);
        var have = Store.Snapshot(Slices.StorageKey, ns).Items
            .Where(s => s.Label(ServiceLabel) == name && s.Label(ManagedByLabel) == ManagedBy && !s.Deleting).ToList();
        var item = Store.Find("services", ns, name);
        if (item is null || item.Deleting || Store.Find("namespaces", "", ns) is not { Deleting: false })
        {
            foreach (var slice in have)
            {
                Operations.Delete(Slices, ns, slice.Name, new DeleteOptions { Uid = slice.Uid });
            }

            return;
        }

        var service = item.ToTree();
        if (LabelSelector.FromMap(service.At("spec", "selector")) is not { } selector || service.Text("spec", "type") == "ExternalName")
        {
            return;
        }

        var pods = Store.Snapshot("pods", ns).Items.Where(p => selector.Matches(p) && p.Phase is not ("Succeeded" or "Failed")).Select(p => p.ToTree()).ToList();
        var wanted = Families(service).SelectMany(f => Wanted(service, f, pods)).ToList();
        Write(ns, service, wanted, have);
    }

    private void OnService(StoreChange change)
    {
        var (ns, name) = (change.Object.Namespace, change.Object.Name);
        var selector = change.Kind == ChangeKind.Deleted ? null : LabelSelector.FromMap(change.Object.ToTree().At("spec", "selector"));
        if (selector is null)
        {
            if (_selectors.TryGetValue(ns, out var known))
            {
                known.Remove(name);
            }
        }
        else
        {
            (_selectors.TryGetValue(ns, out var known) ? known : _selectors[ns] = new(StringComparer.Ordinal))[name] = selector;
        }

        Enqueue($"{ns}/{name}");
    }

    private void OnPod(StoreChange change)
    {
        if (!_selectors.TryGetValue(change.Object.Namespace, out var services))
        {
            return;
        }

        foreach (var (name, selector) in services)
        {
            if (selector.Matches(change.Object) || (change.Previous is not null && selector.Matches(change.Previous)))
            {
                Enqueue($"{change.Object.Namespace}/{name}");
            }
        }
    }

    private void OnNode(StoreChange change)
    {
        var zone = change.Kind == ChangeKind.Deleted ? null : change.Object.Label("topology.kubernetes.io/zone");
        var before = _zones.GetValueOrDefault(change.Object.Name);
        if (zone is null)
        {
            _zones.Remove(change.Object.Name);
        }
        else
        {
            _zones[change.Object.Name] = zone;
        }

        if (before != zone)
        {
            foreach (var (ns, services) in _selectors)
            {
                foreach (var name in services.Keys)
                {
                    Enqueue($"{ns}/{name}");
                }
            }
        }
    }

    /// <summary>The families of the Service; a headless one without any gets those its pods have.</summary>
    private static IEnumerable<string> Families(JsonObject service)
    {
        var families = service.At("spec", "ipFamilies").Texts().ToList();
        return families.Count > 0 ? families : ["IPv4", "IPv6"];
    }

    private IEnumerable<(string Family, JsonArray Ports, List<JsonObject> Endpoints)> Wanted(JsonObject service, string family, List<JsonObject> pods)
    {
        var groups = new Dictionary<string, (JsonArray Ports, List<JsonObject> Endpoints)>(StringComparer.Ordinal);
        foreach (var pod in pods)
        {
            var address = pod.At("status", "podIPs").Objects().Select(p => p.Text("ip")).FirstOrDefault(ip => ip is not null && ip.Contains(':') == (family == "IPv6"));
            if (address is null)
            {
                continue;
            }

            // A named port may have another number in each pod: pods with the same numbers share slices.
            var ports = Ports(service, pod);
            var id = ports.ToJsonString();
            if (!groups.TryGetValue(id, out var group))
            {
                groups[id] = group = (ports, []);
            }

            group.Endpoints.Add(Endpoint(service, pod, address));
        }

        if (groups.Count == 0)
        {
            groups[""] = ([], []);
        }

        return groups.Values.SelectMany(g => g.Endpoints.OrderBy(e => e.Text("targetRef", "name"), StringComparer.Ordinal).Chunk(LargestSlice)
            .DefaultIfEmpty([]).Select(chunk => (family, (JsonArray)g.Ports.DeepClone(), chunk.ToList())));
    }

    private static JsonArray Ports(JsonObject service, JsonObject pod)
    {
        var ports = new JsonArray();
        foreach (var port in service.At("spec", "ports").Objects())
        {
            var protocol = port.Text("protocol") ?? "TCP";
            var target = port["targetPort"];
            var number = target.Integer() ?? (target.Text() is { } name ? Named(pod, name, protocol) : port.Integer("port"));
            if (number is null)
            {
                continue;
            }

            var entry = new JsonObject { ["name"] = port.Text("name") ?? "", ["protocol"] = protocol, ["port"] = number };
            if (port.Text("appProtocol") is { } application)
            {
                entry["appProtocol"] = application;
            }

            ports.Add(entry);
        }

        return ports;
    }

    private static long? Named(JsonObject pod, string name, string protocol) =>
        (pod.At("spec", "containers").Objects().Concat(pod.At("spec", "initContainers").Objects().Where(c => c.Text("restartPolicy") == "Always")))
            .SelectMany(c => c["ports"].Objects())
            .FirstOrDefault(p => p.Text("name") == name && (p.Text("protocol") ?? "TCP") == protocol).Integer("containerPort");

    private JsonObject Endpoint(JsonObject service, JsonObject pod, string address)
    {
        var serving = PodConditions.IsTrue(pod, "Ready");
        var terminating = pod.At("metadata", "deletionTimestamp") is not null;
        var always = service.Flag("spec", "publishNotReadyAddresses");
        var endpoint = new JsonObject
        {
            ["addresses"] = new JsonArray(address),
            ["conditions"] = new JsonObject { ["ready"] = always || (serving && !terminating), ["serving"] = always || serving, ["terminating"] = terminating },
            ["targetRef"] = new JsonObject
            {
                ["kind"] = "Pod",
                ["namespace"] = pod.Text("metadata", "namespace"),
                ["name"] = pod.Text("metadata", "name"),
                ["uid"] = pod.Text("metadata", "uid"),
            },
        };
        if (pod.Text("spec", "subdomain") == service.Text("metadata", "name") && pod.Text("spec", "hostname") is { } hostname)
        {
            endpoint["hostname"] = hostname;
        }

        if (pod.Text("spec", "nodeName") is { } node)
        {
            endpoint["nodeName"] = node;
            if (_zones.TryGetValue(node, out var zone))
            {
                endpoint["zone"] = zone;
                if (service.Text("spec", "trafficDistribution") is { } wish)
                {
                    var hints = new JsonObject { ["forZones"] = new JsonArray(new JsonObject { ["name"] = zone }) };
                    if (wish == "PreferSameNode")
                    {
                        hints["forNodes"] = new JsonArray(new JsonObject { ["name"] = node });
                    }

                    endpoint["hints"] = hints;
                }
            }
        }

        return endpoint;
    }

    /// <summary>Writes as few slices as possible: those that are right already stay as they are.</summary>
    private void Write(string ns, JsonObject service, List<(string Family, JsonArray Ports, List<JsonObject> Endpoints)> wanted, List<StoredObject> have)
    {
        var free = have.Select(h => (Item: h, Tree: h.ToTree())).ToList();
        var open = new List<(string Family, JsonArray Ports, List<JsonObject> Endpoints)>();
        foreach (var want in wanted)
        {
            var same = free.FindIndex(f => IsSame(f.Tree, want));
            if (same >= 0)
            {
                free.RemoveAt(same);
            }
            else
            {
                open.Add(want);
            }
        }

        foreach (var want in open)
        {
            var reuse = free.FindIndex(f => f.Tree.Text("addressType") == want.Family);
            if (reuse < 0)
            {
                Operations.Create(Slices, ns, Slice(service, want), WriteOptions.Internal);
                continue;
            }

            var slice = free[reuse].Item;
            free.RemoveAt(reuse);
            Operations.Update(Slices, ns, slice.Name, tree =>
            {
                tree["endpoints"] = want.Endpoints.Select(e => (JsonNode?)e.DeepClone()).ToJson();
                tree["ports"] = want.Ports.DeepClone();
                return tree;
            }, WriteOptions.Internal);
        }

        foreach (var (item, _) in free)
        {
            Operations.Delete(Slices, ns, item.Name, new DeleteOptions { Uid = item.Uid });
        }
    }

    private static bool IsSame(JsonObject slice, (string Family, JsonArray Ports, List<JsonObject> Endpoints) want) =>
        slice.Text("addressType") == want.Family && JsonNode.DeepEquals(slice["ports"] ?? new JsonArray(), want.Ports)
        && JsonNode.DeepEquals(slice["endpoints"] ?? new JsonArray(), want.Endpoints.Select(e => (JsonNode?)e.DeepClone()).ToJson());

    private static JsonObject Slice(JsonObject service, (string Family, JsonArray Ports, List<JsonObject> Endpoints) want)
    {
        var name = service.Text("metadata", "name")!;
        var labels = new JsonObject(service.At("metadata", "labels").TextMap().Select(l => KeyValuePair.Create(l.Key, (JsonNode?)l.Value)))
        {
            [ServiceLabel] = name,
            [ManagedByLabel] = ManagedBy,
        };
        if (service.Text("spec", "clusterIP") == "None")
        {
            labels["service.kubernetes.io/headless"] = "";
        }

        return new JsonObject
        {
            ["metadata"] = new JsonObject
            {
                ["generateName"] = string.Create(CultureInfo.InvariantCulture, $"{name}-"),
                ["labels"] = labels,
                ["ownerReferences"] = new JsonArray(new JsonObject
                {
                    ["apiVersion"] = "v1",
                    ["kind"] = "Service",
                    ["name"] = name,
                    ["uid"] = service.Text("metadata", "uid"),
                    ["controller"] = true,
                    ["blockOwnerDeletion"] = true,
                }),
            },
            ["addressType"] = want.Family,
            ["endpoints"] = want.Endpoints.Select(e => (JsonNode?)e.DeepClone()).ToJson(),
            ["ports"] = want.Ports.DeepClone(),
        };
    }
}
