using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Weft.Ctl.Drawing;

/// <summary>Writes a topology as text, as dot(1), and as JSON. Pure.</summary>
public static class TopologyText
{
    /// <summary>An indented tree, one thing a line.</summary>
    public static string Tree(TopologyGraph graph)
    {
        var text = new StringBuilder();
        foreach (var network in graph.Networks)
        {
            text.Append(CultureInfo.InvariantCulture, $"router {network.Name}  key {network.Key}\n");
            foreach (var lswitch in network.Switches)
            {
                text.Append(CultureInfo.InvariantCulture, $"  switch {lswitch.Name}  {string.Join(' ', lswitch.Cidrs)}\n");
                foreach (var pod in lswitch.Pods)
                {
                    text.Append(CultureInfo.InvariantCulture, $"    pod {pod.Name}  {string.Join(' ', pod.Addresses)}  on {pod.Node}{(pod.IsRealised ? "" : "  not attached yet")}\n");
                }
            }
        }

        foreach (var peering in graph.Peerings)
        {
            text.Append(CultureInfo.InvariantCulture, $"peering {peering.One} -- {peering.Other}  {(peering.IsInForce ? "in force" : $"not in force  {peering.Reason}: {peering.Message}")}\n");
        }

        foreach (var (one, other) in Tunnels(graph))
        {
            text.Append(CultureInfo.InvariantCulture, $"tunnel {one.Name} {one.TunnelEnd} -- {other.Name} {other.TunnelEnd}\n");
        }

        return text.ToString();
    }

    /// <summary>A graph for Graphviz.</summary>
    public static string Dot(TopologyGraph graph)
    {
        var text = new StringBuilder("graph weft {\n  rankdir=LR;\n  node [fontname=\"sans-serif\"];\n");
        foreach (var network in graph.Networks)
        {
            text.Append(CultureInfo.InvariantCulture, $"  {Quote("r " + network.Name)} [shape=ellipse, label={Quote($"{network.Name}\nkey {network.Key}")}];\n");
            foreach (var lswitch in network.Switches)
            {
                text.Append(CultureInfo.InvariantCulture, $"  {Quote("s " + lswitch.Name)} [shape=box, label={Quote($"{lswitch.Name}\n{string.Join('\n', lswitch.Cidrs)}")}];\n");
                text.Append(CultureInfo.InvariantCulture, $"  {Quote("r " + network.Name)} -- {Quote("s " + lswitch.Name)};\n");
                foreach (var pod in lswitch.Pods)
                {
                    text.Append(CultureInfo.InvariantCulture, $"  {Quote("p " + pod.Name)} [shape=plaintext, label={Quote($"{pod.Name}\n{string.Join('\n', pod.Addresses)}\n{pod.Node}")}];\n");
                    text.Append(CultureInfo.InvariantCulture, $"  {Quote("s " + lswitch.Name)} -- {Quote("p " + pod.Name)};\n");
                }
            }
        }

        foreach (var peering in graph.Peerings)
        {
            text.Append(CultureInfo.InvariantCulture, $"  {Quote("r " + peering.One)} -- {Quote("r " + peering.Other)} [constraint=false, {(peering.IsInForce
                ? "color=blue, label=\"peering\"" : $"color=red, style=dashed, label={Quote($"peering not in force\n{peering.Reason}")}, tooltip={Quote(peering.Message)}")}];\n");
        }

        foreach (var (one, other) in Tunnels(graph))
        {
            text.Append(CultureInfo.InvariantCulture, $"  {Quote("n " + one.Name)} [shape=component, label={Quote($"{one.Name}\n{one.TunnelEnd}")}];\n");
            text.Append(CultureInfo.InvariantCulture, $"  {Quote("n " + other.Name)} [shape=component, label={Quote($"{other.Name}\n{other.TunnelEnd}")}];\n");
            text.Append(CultureInfo.InvariantCulture, $"  {Quote("n " + one.Name)} -- {Quote("n " + other.Name)} [style=dashed, label=tunnel];\n");
        }

        return text.Append("}\n").ToString();
    }

    /// <summary>The same for programs.</summary>
    public static JsonObject ToJson(TopologyGraph graph) => new()
    {
        ["networks"] = List(graph.Networks, network => new JsonObject
        {
            ["name"] = network.Name, ["key"] = network.Key, ["switches"] = List(network.Switches, lswitch => new JsonObject
            {
                ["name"] = lswitch.Name, ["cidrs"] = List(lswitch.Cidrs, c => c), ["pods"] = List(lswitch.Pods, pod => new JsonObject
                {
                    ["name"] = pod.Name, ["node"] = pod.Node, ["addresses"] = List(pod.Addresses, a => a), ["realised"] = pod.IsRealised,
                }),
            }),
        }),
        ["peerings"] = List(graph.Peerings, peering => new JsonObject
        {
            ["one"] = peering.One, ["other"] = peering.Other, ["inForce"] = peering.IsInForce, ["reason"] = peering.Reason, ["message"] = peering.Message,
        }),
        ["nodes"] = List(graph.Nodes, node => new JsonObject { ["name"] = node.Name, ["tunnelEnd"] = node.TunnelEnd }),
    };

    /// <summary>Every pair of nodes once.</summary>
    public static IEnumerable<(TopologyNode One, TopologyNode Other)> Tunnels(TopologyGraph graph) =>
        from one in graph.Nodes.Index() from other in graph.Nodes.Index() where one.Index < other.Index select (one.Item, other.Item);

    private static JsonArray List<T>(IEnumerable<T> items, Func<T, JsonNode> node) => [.. items.Select(node)];

    private static string Quote(string text) => '"' + text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal) + '"';
}
