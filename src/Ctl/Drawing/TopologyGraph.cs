using System.Text.Json.Nodes;
using Weft.Ctl.Clusters;

namespace Weft.Ctl.Drawing;

/// <summary>What there is to draw: networks with their switches and pods, which of them are joined, and the nodes with the tunnels between them.</summary>
/// <param name="Networks">The routers, the default one first.</param>
/// <param name="Peerings">Pairs of networks that a VpcPeering names, in force or not.</param>
/// <param name="Nodes">The nodes by name, each with the end of its tunnels.</param>
public sealed record TopologyGraph(IReadOnlyList<TopologyNetwork> Networks, IReadOnlyList<TopologyPeering> Peerings, IReadOnlyList<TopologyNode> Nodes)
{
    private const string Api = "/apis/topology.weft.dev/v1alpha1/";
    private const int DefaultKey = 1;

    /// <summary>Reads it: what the controller computed, and the peerings that people asked for.</summary>
    /// <exception cref="CtlException">The API refuses or does not answer.</exception>
    public static async Task<TopologyGraph> ReadAsync(ICluster cluster, CancellationToken ct) => Of(
        await ItemsAsync(cluster, Api + "logicalrouters", ct).ConfigureAwait(false),
        await ItemsAsync(cluster, Api + "logicalswitches", ct).ConfigureAwait(false),
        await ItemsAsync(cluster, Api + "logicalports", ct).ConfigureAwait(false),
        await ItemsAsync(cluster, "/apis/weft.dev/v1alpha1/vpcpeerings", ct).ConfigureAwait(false),
        await ItemsAsync(cluster, Api + "nodestates", ct).ConfigureAwait(false));

    /// <summary>Puts objects of topology.weft.dev, and VpcPeerings, together.</summary>
    public static TopologyGraph Of(
        IReadOnlyList<JsonNode> routers, IReadOnlyList<JsonNode> switches, IReadOnlyList<JsonNode> ports, IReadOnlyList<JsonNode> peerings, IReadOnlyList<JsonNode> nodes)
    {
        var pods = ports.Select(p => (Switch: Text(p, "spec", "switch"), Pod: new TopologyPod(
            $"{Text(p, "metadata", "namespace")}/{Text(p, "metadata", "name")}", Text(p, "spec", "node"), Texts(p["status"]?["addresses"]),
            (bool?)p["status"]?["realised"] == true))).ToLookup(p => p.Switch, p => p.Pod, StringComparer.Ordinal);
        var drawn = switches.Select(s => (Key: KeyOf(s), Switch: new TopologySwitch(
            Text(s, "spec", "id"), [.. (s["spec"]!["subnets"] as JsonArray ?? []).Select(x => Text(x!, "cidr"))],
            [.. pods[Text(s, "spec", "id")].OrderBy(p => p.Name, StringComparer.Ordinal)]))).ToList();
        return new TopologyGraph(
            [.. routers.Select(r => new TopologyNetwork(Text(r, "spec", "id"), KeyOf(r),
                    [.. drawn.Where(d => d.Key == KeyOf(r)).Select(d => d.Switch).OrderBy(s => s.Name, StringComparer.Ordinal)]))
                .OrderBy(n => n.Key != DefaultKey).ThenBy(n => n.Name, StringComparer.Ordinal)],
            TopologyPeering.Of(peerings),
            [.. nodes.Select(n => new TopologyNode(Text(n, "metadata", "name"), Texts(n["spec"]?["addresses"]).FirstOrDefault() ?? "")).OrderBy(n => n.Name, StringComparer.Ordinal)]);
    }

    private static async Task<IReadOnlyList<JsonNode>> ItemsAsync(ICluster cluster, string path, CancellationToken ct) =>
        [.. (await cluster.GetAsync(path, ct).ConfigureAwait(false))["items"]!.AsArray().OfType<JsonNode>()];

    private static int KeyOf(JsonNode item) => (int?)item["spec"]?["networkKey"] ?? DefaultKey;

    private static string Text(JsonNode node, params string[] path) => (string?)path.Aggregate((JsonNode?)node, (at, name) => at?[name]) ?? "";

    private static string[] Texts(JsonNode? list) => [.. (list as JsonArray ?? []).Select(a => (string)a!)];
}

/// <summary>A network with its router.</summary>
public sealed record TopologyNetwork(string Name, int Key, IReadOnlyList<TopologySwitch> Switches);

/// <summary>A switch with its pods.</summary>
public sealed record TopologySwitch(string Name, IReadOnlyList<string> Cidrs, IReadOnlyList<TopologyPod> Pods);

/// <summary>A pod: not realised is one that its node has not attached yet.</summary>
public sealed record TopologyPod(string Name, string Node, IReadOnlyList<string> Addresses, bool IsRealised);

/// <summary>A node and the address at which tunnels to it end.</summary>
public sealed record TopologyNode(string Name, string TunnelEnd);
