using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.Controller.Network;
using Weft.Controller.Publish;
using Weft.Topology;

namespace Weft.Controller.Api;

/// <summary>A column of <c>kubectl get</c>.</summary>
/// <param name="Name">The heading.</param>
/// <param name="Type"><c>string</c>, <c>integer</c> or <c>boolean</c>.</param>
/// <param name="IsWide">Only with <c>-o wide</c>.</param>
internal readonly record struct Column(string Name, string Type = "string", bool IsWide = false);

/// <summary>A kind of the read-only API: how it is named, what its table shows, and where its objects come from.</summary>
internal sealed record TopologyKind(
    string Plural, string Kind, bool IsNamespaced, string ShortName, Column[] Columns, Func<LogicalNetwork, NodeReports, IEnumerable<TopologyObject>> List)
{
    public const string Group = "topology.weft.dev";
    public const string Version = "v1alpha1";
    public const string ApiVersion = $"{Group}/{Version}";

    /// <summary>Every kind.</summary>
    public static readonly TopologyKind[] All =
    [
        new("logicalswitches", "LogicalSwitch", false, "lsw", [new("Network"), new("Node"), new("Subnets")],
            (network, _) => network.View.Switches.Select(s =>
                new TopologyObject(null, NameOf(s.Id), Spec(network, s, s.NetworkKey), null, [NetworkName(network, s.NetworkKey), s.Node, Join(s.Subnets.Select(x => x.Cidr))]))),
        new("logicalrouters", "LogicalRouter", false, "lr", [new("Network"), new("Switches", "integer")],
            (network, _) => network.View.Routers.Select(r => new TopologyObject(null, NameOf(r.Id), Spec(network, r, r.NetworkKey), null, [NetworkName(network, r.NetworkKey), r.Switches.Count]))),
        new("logicalports", "LogicalPort", true, "lp",
            [new("Node"), new("Network"), new("Addresses"), new("Realised", "boolean"), new("MAC", IsWide: true), new("OfPort", "integer", true), new("Switch", IsWide: true)],
            Ports),
        new("loadbalancers", "LoadBalancer", true, "lb", [new("Address"), new("Port", "integer"), new("Protocol"), new("Endpoints", "integer"), new("Affinity", "integer", true)],
            (network, _) => network.View.LoadBalancers.Select(LoadBalancer)),
        new("addresssets", "AddressSet", false, "as", [new("Selector"), new("Addresses", "integer"), new("Nodes", "integer")],
            (network, _) => network.View.AddressSets.Select(s =>
                new TopologyObject(null, NameOf(s.Set), Spec(s.Set), null, [s.Set.Id, s.Set.Addresses.Count, s.Nodes]))),
        new("policies", "Policy", true, "lpol", [new("Tier"), new("Applied-To"), new("Isolates"), new("Rules", "integer"), new("Nodes", "integer")],
            (network, _) => network.View.Policies.Select(Policy)),
        new("nodestates", "NodeState", false, "nst", [new("Ready", "boolean"), new("Revision", "integer"), new("Ports", "integer"), new("Problems", "integer"), new("Agent", IsWide: true)],
            NodeStates),
    ];

    private static IEnumerable<TopologyObject> Ports(LogicalNetwork network, NodeReports reports)
    {
        var realised = network.NodeNames.SelectMany(n => reports.Find(n)?.Ports ?? []).ToLookup(p => (p.Id, p.Uid));
        foreach (var (port, addresses) in network.View.Ports)
        {
            var there = realised[(port.Id, port.Uid)].FirstOrDefault();
            var known = addresses.Count > 0 ? addresses : there?.Addresses.ToArray() ?? [];
            var status = new JsonObject
            {
                ["realised"] = there is not null,
                ["addresses"] = new JsonArray([.. known.Select(a => (JsonNode)a)]),
                ["mac"] = there?.Mac,
                ["ofPort"] = there?.OfPort,
            };
            var slash = port.Id.IndexOf('/', StringComparison.Ordinal);
            yield return new TopologyObject(port.Id[..slash], port.Id[(slash + 1)..], Spec(network, port, port.NetworkKey), status,
                [port.Node, NetworkName(network, port.NetworkKey), Join(known), there is not null, there?.Mac, there?.OfPort, port.Switch]);
        }
    }

    private static TopologyObject LoadBalancer((LoadBalancer Balancer, EndpointSet Endpoints) pair)
    {
        var (balancer, endpoints) = pair;
        // ns/name/port/family; names of objects have no slash.
        var parts = balancer.Id.Split('/');
        var spec = Spec(balancer);
        spec["endpointList"] = JsonSerializer.SerializeToNode(endpoints, TopologyJson.Default.TopologyItem)!["endpoints"]?.DeepClone() ?? new JsonArray();
        return new TopologyObject(parts[0], $"{parts[1]}.{parts[2]}.ipv{parts[3]}", spec, null,
            [balancer.ClusterIp, balancer.Port, balancer.Protocol.ToString().ToUpperInvariant(), endpoints.Endpoints.Count, balancer.AffinitySeconds]);
    }

    private static TopologyObject Policy((Policy Policy, int Nodes) pair)
    {
        var (policy, nodes) = pair;
        var parts = policy.Id.Split('/');
        var isolates = Join(new[] { policy.IsolatesIngress ? "ingress" : null, policy.IsolatesEgress ? "egress" : null }.OfType<string>());
        // Cluster-wide policies have no namespace: kubectl shows them with -A.
        return new TopologyObject(parts.Length > 2 ? parts[1] : "", parts[^1], Spec(policy), null, [policy.Tier.ToString(), policy.AppliedTo, isolates, policy.Rules.Count, nodes]);
    }

    private static IEnumerable<TopologyObject> NodeStates(LogicalNetwork network, NodeReports reports)
    {
        foreach (var node in network.View.Nodes)
        {
            var report = reports.Find(node.Id);
            var ready = report is { Revision: > 0, Problems.IsEmpty: true };
            var status = report is null ? null : (JsonObject?)JsonSerializer.SerializeToNode(report, TopologyJson.Default.NodeReport);
            yield return new TopologyObject(null, node.Id, Spec(node), status,
                [ready, report?.Revision, report?.Ports.Count, report?.Problems.Count, report?.AgentVersion]);
        }
    }

    private static JsonObject Spec(TopologyItem item) => (JsonObject)JsonSerializer.SerializeToNode(item, TopologyJson.Default.TopologyItem)!;

    /// <summary>With the network's name too, so that one can select by it: <c>--field-selector spec.network=default</c>.</summary>
    private static JsonObject Spec(LogicalNetwork network, TopologyItem item, int key)
    {
        var spec = Spec(item);
        spec["network"] = NetworkName(network, key);
        return spec;
    }

    /// <summary>A tenant's network by the name of its Vpc.</summary>
    private static string NetworkName(LogicalNetwork network, int key) => key == Topology.Network.DefaultKey
        ? Topology.Network.DefaultId
        : network.View.VpcOf(key) ?? key.ToString(CultureInfo.InvariantCulture);

    /// <summary>Names of objects have no slash: <c>vpc.red</c>, <c>subnet.red</c>.</summary>
    private static string NameOf(string id) => id.Replace('/', '.');

    /// <summary>A selector is no name of an object: its digest is.</summary>
    private static string NameOf(AddressSet set) => "as-" + SliceDigest.ToText(SliceDigest.Of(new AddressSet { Id = set.Id }))[..12];

    private static string Join(IEnumerable<string> parts) => string.Join(",", parts);
}
