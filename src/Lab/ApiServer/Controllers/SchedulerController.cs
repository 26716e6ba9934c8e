using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;

namespace Weft.Lab.ApiServer;

/// <summary>Binds pending pods to the fitting node with the fewest pods.</summary>
/// <remarks>Looked at: spec.unschedulable, a Ready condition that is not True, NoSchedule and NoExecute taints, nodeSelector, required node
/// affinity (matchExpressions, and matchFields on metadata.name), and required pod anti-affinity on the hostname.</remarks>
public sealed class SchedulerController(ObjectOperations operations, ILogger logger)
    : Controller(ControllerNames.Scheduler, operations, logger, "nodes", "pods")
{
    private readonly SortedDictionary<string, NodeFact> _nodes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _places = new(StringComparer.Ordinal);
    private readonly HashSet<string> _pending = new(StringComparer.Ordinal);

    protected override void Forget(string storageKey)
    {
        if (storageKey == "nodes")
        {
            _nodes.Clear();
        }
        else
        {
            _places.Clear();
            _pending.Clear();
            foreach (var node in _nodes.Values)
            {
                node.Pods = 0;
            }
        }
    }

    protected override void OnChange(string storageKey, StoreChange change)
    {
        if (storageKey == "nodes")
        {
            OnNode(change);
        }
        else
        {
            OnPod(change);
        }
    }

    protected override void Reconcile(string key)
    {
        var parts = key.Split('/');
        if (Store.Find("pods", parts[0], parts[1]) is not { } item || !string.IsNullOrEmpty(item.NodeName) || item.Deleting || item.Phase is not (null or "" or "Pending"))
        {
            _pending.Remove(key);
            return;
        }

        var pod = item.ToTree();
        if (pod.Text("spec", "schedulerName") is { } scheduler and not "default-scheduler" || pod.At("spec", "schedulingGates").Objects().Any())
        {
            return;
        }

        var apart = AntiAffinity(pod, parts[0]);
        var best = _nodes.Values.Where(n => n.Fits(pod) && !apart.Contains(n.Name)).MinBy(n => n.Pods);
        if (best is null)
        {
            _pending.Add(key);
            ReportUnschedulable(parts[0], parts[1]);
            return;
        }

        SubresourceRequests.Bind(Operations, Pods, parts[0], parts[1], best.Name, item.Uid);
        _pending.Remove(key);
        Place(key, best.Name);
    }

    private ResourceType Pods => Operations.Registry.Find("", "v1", "pods")!;

    private void OnNode(StoreChange change)
    {
        var name = change.Object.Name;
        if (change.Kind == ChangeKind.Deleted)
        {
            _nodes.Remove(name);
            return;
        }

        var pods = _nodes.TryGetValue(name, out var known) ? known.Pods : _places.Values.Count(p => p == name);
        _nodes[name] = new NodeFact(change.Object.ToTree()) { Pods = pods };
        foreach (var key in _pending)
        {
            Enqueue(key);
        }
    }

    private void OnPod(StoreChange change)
    {
        var item = change.Object;
        var key = $"{item.Namespace}/{item.Name}";
        if (change.Kind == ChangeKind.Deleted || item.Phase is "Succeeded" or "Failed")
        {
            _pending.Remove(key);
            Place(key, null);
        }
        else if (!string.IsNullOrEmpty(item.NodeName))
        {
            Place(key, item.NodeName);
        }
        else if (!_pending.Contains(key))
        {
            Enqueue(key);
        }
    }

    private void Place(string key, string? node)
    {
        if (_places.Remove(key, out var old) && _nodes.TryGetValue(old, out var left))
        {
            left.Pods--;
        }

        if (node is not null)
        {
            _places[key] = node;
            if (_nodes.TryGetValue(node, out var entered))
            {
                entered.Pods++;
            }
        }
    }

    /// <summary>Nodes with a pod that this one must not share a host with.</summary>
    private HashSet<string> AntiAffinity(JsonObject pod, string ns)
    {
        var nodes = new HashSet<string>(StringComparer.Ordinal);
        foreach (var term in pod.At("spec", "affinity", "podAntiAffinity", "requiredDuringSchedulingIgnoredDuringExecution").Objects()
            .Where(t => t.Text("topologyKey") == "kubernetes.io/hostname"))
        {
            if (LabelSelector.From(term["labelSelector"]) is { } selector)
            {
                nodes.UnionWith(Store.Snapshot("pods", ns).Items.Where(p => !string.IsNullOrEmpty(p.NodeName) && selector.Matches(p)).Select(p => p.NodeName!));
            }
        }

        return nodes;
    }

    private void ReportUnschedulable(string ns, string name) =>
        Operations.Update(Pods, ns, name, pod =>
        {
            PodConditions.Set(pod, "PodScheduled", "False", "Unschedulable",
                $"0/{_nodes.Count} nodes are available: none is ready, untainted and matches the pod's node selector and affinity", Now);
            return pod;
        }, WriteOptions.Internal, "status");

    /// <summary>A node as the scheduler sees it.</summary>
    private sealed class NodeFact(JsonObject node)
    {
        private readonly Dictionary<string, string> _labels = node.At("metadata", "labels").TextMap();
        private readonly List<JsonObject> _taints = [.. node.At("spec", "taints").Objects().Where(t => t.Text("effect") != "PreferNoSchedule")];
        private readonly bool _usable = !node.Flag("spec", "unschedulable")
            && node.At("status", "conditions").Objects().FirstOrDefault(c => c.Text("type") == "Ready").Text("status") is null or "True";

        public string Name { get; } = node.Text("metadata", "name")!;

        public int Pods { get; set; }

        public bool Fits(JsonObject pod)
        {
            var spec = pod["spec"];
            return _usable
                && _taints.TrueForAll(t => spec.At("tolerations").Objects().Any(o => Tolerates(o, t)))
                && spec.At("nodeSelector").TextMap().All(l => _labels.GetValueOrDefault(l.Key) == l.Value)
                && (spec.At("affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms") is not JsonArray { Count: > 0 } terms
                    || terms.Objects().Any(Matches));
        }

        private static bool Tolerates(JsonObject toleration, JsonObject taint) =>
            (string.IsNullOrEmpty(toleration.Text("effect")) || toleration.Text("effect") == taint.Text("effect"))
            && (string.IsNullOrEmpty(toleration.Text("key")) || toleration.Text("key") == taint.Text("key"))
            && (toleration.Text("operator") == "Exists" || (toleration.Text("value") ?? "") == (taint.Text("value") ?? ""));

        private bool Matches(JsonObject term) =>
            term["matchExpressions"].Objects().All(e => Holds(e, _labels.GetValueOrDefault(e.Text("key") ?? "")))
            && term["matchFields"].Objects().All(e => e.Text("key") == "metadata.name" && Holds(e, Name));

        private static bool Holds(JsonObject expression, string? value) => expression.Text("operator") switch
        {
            "In" => value is not null && expression["values"].Texts().Contains(value),
            "NotIn" => value is null || !expression["values"].Texts().Contains(value),
            "Exists" => value is not null,
            "DoesNotExist" => value is null,
            "Gt" => long.TryParse(value, out var n) && n > long.Parse(expression["values"].Texts().First(), System.Globalization.CultureInfo.InvariantCulture),
            "Lt" => long.TryParse(value, out var n) && n < long.Parse(expression["values"].Texts().First(), System.Globalization.CultureInfo.InvariantCulture),
            _ => false,
        };
    }
}
