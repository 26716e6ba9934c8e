using System.Globalization;
using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>A column after the name. Wide ones are shown with <c>-o wide</c>.</summary>
public sealed record TableColumn(string Name, Func<JsonObject, JsonNode?> Cell, string Type = "string", bool Wide = false);

/// <summary>The columns that people know for built-in resources.</summary>
public static class BuiltInColumns
{
    private static readonly TableColumn Age = new("Age", o => TablePrinter.Age(o.Text("metadata", "creationTimestamp")));

    private static readonly Dictionary<string, TableColumn[]> Table = new(StringComparer.Ordinal)
    {
        ["pods"] =
        [
            new("Ready", PodCells.Ready), new("Status", o => PodCells.Status(o)), new("Restarts", o => PodCells.Restarts(o)), Age,
            Wide("IP", o => Or(o.Text("status", "podIP"))), Wide("Node", o => Or(o.Text("spec", "nodeName"))),
            Wide("Nominated Node", o => Or(o.Text("status", "nominatedNodeName"))), Wide("Readiness Gates", _ => "<none>"),
        ],
        ["nodes"] =
        [
            new("Status", NodeStatus), new("Roles", Roles), Age, new("Version", o => o.Text("status", "nodeInfo", "kubeletVersion") ?? ""),
            Wide("Internal-IP", o => Address(o, "InternalIP")), Wide("External-IP", o => Address(o, "ExternalIP")),
            Wide("OS-Image", o => Unknown(o.Text("status", "nodeInfo", "osImage"))), Wide("Kernel-Version", o => Unknown(o.Text("status", "nodeInfo", "kernelVersion"))),
            Wide("Container-Runtime", o => Unknown(o.Text("status", "nodeInfo", "containerRuntimeVersion"))),
        ],
        ["namespaces"] = [new("Status", o => o.Text("status", "phase") ?? ""), Age],
        ["services"] =
        [
            new("Type", o => o.Text("spec", "type")), new("Cluster-IP", o => Or(o.Text("spec", "clusterIP"))), new("External-IP", ExternalIp),
            new("Port(s)", Ports), Age, Wide("Selector", o => Labels(o.At("spec", "selector"))),
        ],
        ["endpoints"] = [new("Endpoints", Endpoints), Age],
        ["endpointslices.discovery.k8s.io"] =
        [
            new("AddressType", o => o.Text("addressType")),
            new("Ports", o => None(string.Join(",", o["ports"].Objects().Select(p => p.Integer("port")?.ToString(CultureInfo.InvariantCulture) ?? "*")))),
            new("Endpoints", o => Few(o["endpoints"].Objects().SelectMany(e => e["addresses"].Texts()), "<unset>")), Age,
        ],
        ["networkpolicies.networking.k8s.io"] = [new("Pod-Selector", o => Selector(o.At("spec", "podSelector"))), Age],
        ["ingresses.networking.k8s.io"] = [new("Class", o => Or(o.Text("spec", "ingressClassName"))), new("Hosts", o => None(string.Join(",", o.At("spec", "rules").Objects().Select(r => r.Text("host") ?? "*")))), Age],
        ["configmaps"] = [new("Data", o => Count(o["data"]) + Count(o["binaryData"]), "integer"), Age],
        ["secrets"] = [new("Type", o => o.Text("type")), new("Data", o => Count(o["data"]), "integer"), Age],
        ["serviceaccounts"] = [new("Secrets", o => o["secrets"].Objects().Count(), "integer"), Age],
        ["events"] =
        [
            new("Last Seen", o => TablePrinter.Age(o.Text("lastTimestamp") ?? o.Text("eventTime") ?? o.Text("metadata", "creationTimestamp"))),
            new("Type", o => o.Text("type")), new("Reason", o => o.Text("reason")),
            new("Object", o => $"{o.Text("involvedObject", "kind")?.ToLowerInvariant()}/{o.Text("involvedObject", "name")}"),
            Wide("Source", o => o.Text("source", "component") ?? o.Text("reportingComponent") ?? ""), new("Message", o => o.Text("message")?.Trim()),
        ],
        ["leases.coordination.k8s.io"] = [new("Holder", o => o.Text("spec", "holderIdentity") ?? ""), Age],
        ["deployments.apps"] =
        [
            new("Ready", o => $"{Status(o, "readyReplicas")}/{o.Integer("spec", "replicas") ?? 0}"), new("Up-to-date", o => Status(o, "updatedReplicas"), "integer"),
            new("Available", o => Status(o, "availableReplicas"), "integer"), Age, .. Containers(), Wide("Selector", o => Selector(o.At("spec", "selector"))),
        ],
        ["replicasets.apps"] =
        [
            new("Desired", o => o.Integer("spec", "replicas") ?? 0, "integer"), new("Current", o => Status(o, "replicas"), "integer"),
            new("Ready", o => Status(o, "readyReplicas"), "integer"), Age, .. Containers(), Wide("Selector", o => Selector(o.At("spec", "selector"))),
        ],
        ["statefulsets.apps"] = [new("Ready", o => $"{Status(o, "readyReplicas")}/{o.Integer("spec", "replicas") ?? 0}"), Age, .. Containers()],
        ["daemonsets.apps"] =
        [
            new("Desired", o => Status(o, "desiredNumberScheduled"), "integer"), new("Current", o => Status(o, "currentNumberScheduled"), "integer"),
            new("Ready", o => Status(o, "numberReady"), "integer"), new("Up-to-date", o => Status(o, "updatedNumberScheduled"), "integer"),
            new("Available", o => Status(o, "numberAvailable"), "integer"), new("Node Selector", o => Labels(o.At("spec", "template", "spec", "nodeSelector"))), Age,
            .. Containers(), Wide("Selector", o => Selector(o.At("spec", "selector"))),
        ],
        ["poddisruptionbudgets.policy"] =
        [
            new("Min Available", o => Scalar(o.At("spec", "minAvailable"))), new("Max Unavailable", o => Scalar(o.At("spec", "maxUnavailable"))),
            new("Allowed Disruptions", o => Status(o, "disruptionsAllowed"), "integer"), Age,
        ],
        ["customresourcedefinitions.apiextensions.k8s.io"] = [new("Created At", o => o.Text("metadata", "creationTimestamp"))],
        ["apiservices.apiregistration.k8s.io"] =
        [
            new("Service", o => o.At("spec", "service") is null ? "Local" : $"{o.Text("spec", "service", "namespace")}/{o.Text("spec", "service", "name")}"),
            new("Available", o => o.At("status", "conditions").Objects().FirstOrDefault(c => c.Text("type") == "Available").Text("status") ?? "Unknown"), Age,
        ],
        ["rolebindings.rbac.authorization.k8s.io"] = [new("Role", o => $"{o.Text("roleRef", "kind")}/{o.Text("roleRef", "name")}"), Age],
        ["clusterrolebindings.rbac.authorization.k8s.io"] = [new("Role", o => $"{o.Text("roleRef", "kind")}/{o.Text("roleRef", "name")}"), Age],
        ["roles.rbac.authorization.k8s.io"] = [new("Created At", o => o.Text("metadata", "creationTimestamp"))],
        ["clusterroles.rbac.authorization.k8s.io"] = [new("Created At", o => o.Text("metadata", "creationTimestamp"))],
        ["priorityclasses.scheduling.k8s.io"] = [new("Value", o => o.Integer("value"), "integer"), new("Global-Default", o => o.Flag("globalDefault"), "boolean"), Age],
    };

    private static readonly TableColumn[] Plain = [Age];

    public static IReadOnlyList<TableColumn> For(ResourceType type) => Table.GetValueOrDefault(type.StorageKey, Plain);

    private static TableColumn Wide(string name, Func<JsonObject, JsonNode?> cell) => new(name, cell, Wide: true);

    private static TableColumn[] Containers() =>
    [
        Wide("Containers", o => string.Join(",", o.At("spec", "template", "spec", "containers").Objects().Select(c => c.Text("name")))),
        Wide("Images", o => string.Join(",", o.At("spec", "template", "spec", "containers").Objects().Select(c => c.Text("image")))),
    ];

    private static string Or(string? text) => None(text ?? "");

    private static string Unknown(string? text) => string.IsNullOrEmpty(text) ? "<unknown>" : text;

    private static string None(string text) => text.Length == 0 ? "<none>" : text;

    private static int Count(JsonNode? map) => (map as JsonObject)?.Count ?? 0;

    private static long Status(JsonObject o, string name) => o.Integer("status", name) ?? 0;

    private static string Scalar(JsonNode? node) => node is null ? "N/A" : node.Text() ?? node.ToJsonString();

    private static string Few(IEnumerable<string> items, string none)
    {
        var list = items.ToList();
        return list.Count == 0 ? none : list.Count <= 3 ? string.Join(",", list) : $"{string.Join(",", list.Take(3))} + {list.Count - 3} more...";
    }

    private static string Labels(JsonNode? map) => None(string.Join(",", map.TextMap().OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => $"{l.Key}={l.Value}")));

    private static string Selector(JsonNode? selector)
    {
        var terms = selector.At("matchLabels").TextMap().OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => $"{l.Key}={l.Value}")
            .Concat(selector.At("matchExpressions").Objects().Select(e => e.Text("operator") switch
            {
                "In" => $"{e.Text("key")} in ({string.Join(",", e["values"].Texts())})",
                "NotIn" => $"{e.Text("key")} notin ({string.Join(",", e["values"].Texts())})",
                "Exists" => e.Text("key")!,
                _ => "!" + e.Text("key"),
            }));
        return None(string.Join(",", terms));
    }

    private static JsonNode? NodeStatus(JsonObject o)
    {
        var ready = o.At("status", "conditions").Objects().FirstOrDefault(c => c.Text("type") == "Ready");
        var text = ready.Text("status") switch { "True" => "Ready", null => "Unknown", _ => "NotReady" };
        return o.Flag("spec", "unschedulable") ? text + ",SchedulingDisabled" : text;
    }

    private static JsonNode? Roles(JsonObject o)
    {
        const string prefix = "node-role.kubernetes.io/";
        return None(string.Join(",", o.At("metadata", "labels").TextMap().Keys
            .Where(k => k.StartsWith(prefix, StringComparison.Ordinal)).Select(k => k[prefix.Length..]).Order(StringComparer.Ordinal)));
    }

    private static string Address(JsonObject o, string type) =>
        Or(o.At("status", "addresses").Objects().FirstOrDefault(a => a.Text("type") == type).Text("address"));

    private static JsonNode? ExternalIp(JsonObject o)
    {
        var external = o.At("spec", "externalIPs").Texts().ToList();
        switch (o.Text("spec", "type"))
        {
            case "ExternalName":
                return o.Text("spec", "externalName");
            case "LoadBalancer":
                var all = o.At("status", "loadBalancer", "ingress").Objects().Select(i => i.Text("ip") ?? i.Text("hostname") ?? "").Concat(external).ToList();
                return all.Count == 0 ? "<pending>" : string.Join(",", all);
            default:
                return None(string.Join(",", external));
        }
    }

    private static JsonNode? Ports(JsonObject o) => None(string.Join(",", o.At("spec", "ports").Objects().Select(p =>
        p.Integer("nodePort") is > 0 and var node ? $"{p.Integer("port")}:{node}/{p.Text("protocol")}" : $"{p.Integer("port")}/{p.Text("protocol")}")));

    private static JsonNode? Endpoints(JsonObject o) => Few(
        from subset in o["subsets"].Objects()
        from address in subset["addresses"].Objects()
        from port in subset["ports"].Objects()
        select (address.Text("ip")!.Contains(':') ? $"[{address.Text("ip")}]" : address.Text("ip")) + ":" + port.Integer("port"), "<none>");
}
