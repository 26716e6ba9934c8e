using System.Globalization;
using System.Net;
using System.Text;

namespace Weft.Ctl.Drawing;

/// <summary>Draws a topology: routers on the left with their peerings, their switches beside them, pods on the right; nodes with their tunnels below. Pure.</summary>
/// <remarks>Letters have one width, so that columns are as wide as what is in them, whatever fonts the reader has.</remarks>
public static class TopologySvg
{
    private const int FontSize = 12;

    // The widest of the usual fonts of one width has letters of 0.602 of their size.
    private const double Letter = FontSize * 0.61;
    private const int Line = 16;
    private const int Pad = 8;
    private const int Margin = 20;
    private const int Gap = 50;
    private const int Lane = 14;

    // More arcs than these nodes have are a grey stain.
    private const int MostNodesWithArcs = 6;
    private const int NodesPerRow = 6;

    /// <summary>The picture.</summary>
    public static string Draw(TopologyGraph graph)
    {
        var body = new StringBuilder();
        var width = 0;
        var bottom = Networks(body, graph, ref width);
        bottom = Nodes(body, graph, bottom + Margin, ref width);
        bottom = Notes(body, graph, bottom, ref width) + Margin;
        width += Margin;
        return string.Create(CultureInfo.InvariantCulture,
            $"""
            <svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{bottom}" viewBox="0 0 {width} {bottom}" font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="{FontSize}">
            <rect width="100%" height="100%" fill="white"/>
            {body}</svg>

            """);
    }

    private static int Networks(StringBuilder body, TopologyGraph graph, ref int width)
    {
        var switches = graph.Networks.SelectMany(n => n.Switches).ToList();
        var drawn = graph.Peerings.Where(p => graph.Networks.Any(n => n.Name == p.One) && graph.Networks.Any(n => n.Name == p.Other)).ToList();
        var routers = new Column(Margin + (drawn.Count == 0 ? 0 : (drawn.Count + 1) * Lane), graph.Networks.SelectMany(LinesOf));
        var middle = new Column(routers.Right + Gap, switches.SelectMany(LinesOf));
        var pods = new Column(middle.Right + Gap, switches.SelectMany(s => s.Pods).Select(LineOf));
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        var y = Margin;
        foreach (var network in graph.Networks)
        {
            var top = places[network.Name] = y;
            var end = Box(body, routers, top, LinesOf(network), "#fde68a");
            foreach (var lswitch in network.Switches)
            {
                Edge(body, routers.Right, top + Line, middle.Left, y + Line);
                var at = y + Pad;
                foreach (var pod in lswitch.Pods)
                {
                    Edge(body, middle.Right, y + Line, pods.Left, at + (Line / 2));
                    Text(body, pods.Left + Pad, at + FontSize, LineOf(pod));
                    at += Line;
                }

                y = Math.Max(at, Box(body, middle, y, LinesOf(lswitch), "#dbeafe")) + Pad;
            }

            y = Math.Max(y, end) + Line;
        }

        Peerings(body, drawn, places, routers.Left);
        width = Math.Max(width, switches.Exists(s => s.Pods.Count > 0) ? pods.Right : switches.Count > 0 ? middle.Right : routers.Right);
        return y;
    }

    /// <summary>Each peering has a lane of its own to the left of the routers, and a place of its own at each.</summary>
    private static void Peerings(StringBuilder body, List<TopologyPeering> peerings, Dictionary<string, int> tops, int right)
    {
        var ends = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (i, peering) in peerings.Index())
        {
            var (from, to) = (At(peering.One), At(peering.Other));
            body.Append(CultureInfo.InvariantCulture,
                $"<path class=\"peering\" d=\"M{right},{from} H{right - ((i + 1) * Lane)} V{to} H{right}\" fill=\"none\" stroke-width=\"2\" {Stroke(peering)}><title>{Escape(Words(peering))}</title></path>\n");
        }

        int At(string name) => tops[name] + 6 + (5 * Math.Min(5, ends[name] = ends.GetValueOrDefault(name, -1) + 1));
    }

    private static string Stroke(TopologyPeering peering) => peering.IsInForce ? "stroke=\"#2563eb\"" : "stroke=\"#dc2626\" stroke-dasharray=\"4 4\"";

    private static int Nodes(StringBuilder body, TopologyGraph graph, int y, ref int width)
    {
        if (graph.Nodes.Count == 0)
        {
            return y;
        }

        var column = new Column(Margin, graph.Nodes.SelectMany(LinesOf));
        var step = column.Width + (Gap / 2);
        var rows = ((graph.Nodes.Count - 1) / NodesPerRow) + 1;
        var height = (2 * Line) + Pad;
        var arcs = graph.Nodes.Count is > 1 and <= MostNodesWithArcs;
        foreach (var (one, other) in arcs ? TopologyText.Tunnels(graph) : [])
        {
            var (i, j) = (graph.Nodes.ToList().IndexOf(one), graph.Nodes.ToList().IndexOf(other));

            // The farther the two nodes are, the deeper the arc, and the farther it begins from the middle.
            var (x1, x2, from) = (Margin + (i * step) + (column.Width / 2) + ((j - i) * 5), Margin + (j * step) + (column.Width / 2) - ((j - i) * 5), y + height);
            body.Append(CultureInfo.InvariantCulture,
                $"<path class=\"tunnel\" d=\"M{x1},{from} Q{(x1 + x2) / 2},{from + ((j - i) * 2 * Line)} {x2},{from}\" fill=\"none\" stroke=\"#6b7280\" stroke-dasharray=\"5 4\"><title>tunnel {Escape(one.Name)} - {Escape(other.Name)}</title></path>\n");
        }

        foreach (var (i, node) in graph.Nodes.Index())
        {
            var place = new Column(Margin + (i % NodesPerRow * step), column.Width);
            Box(body, place, y + (i / NodesPerRow * (height + Pad)), LinesOf(node), "#dcfce7");
            width = Math.Max(width, place.Right);
        }

        return y + (rows * (height + Pad)) + (arcs ? graph.Nodes.Count * Line : 0);
    }

    /// <summary>What lines mean, where there are some, and what does not fit into one.</summary>
    private static int Notes(StringBuilder body, TopologyGraph graph, int y, ref int width)
    {
        var notes = graph.Peerings.Select(p => (Text: Words(p), Stroke: Stroke(p))).ToList();
        if (graph.Nodes.Count > 1)
        {
            notes.Add((graph.Nodes.Count <= MostNodesWithArcs ? "tunnels" : $"tunnels: each of these {graph.Nodes.Count} nodes with every other", "stroke=\"#6b7280\" stroke-dasharray=\"5 4\""));
        }

        foreach (var (text, stroke) in notes)
        {
            body.Append(CultureInfo.InvariantCulture, $"<line x1=\"{Margin}\" y1=\"{y + (Line / 2)}\" x2=\"{Margin + 30}\" y2=\"{y + (Line / 2)}\" stroke-width=\"2\" {stroke}/>\n");
            Text(body, Margin + 40, y + FontSize, text);
            width = Math.Max(width, Margin + 40 + WidthOf(text));
            y += Line;
        }

        return y;
    }

    private static string Words(TopologyPeering peering) =>
        $"peering {peering.One} - {peering.Other}: {(peering.IsInForce ? "in force" : $"not in force, {peering.Reason}: {peering.Message}")}";

    private static string[] LinesOf(TopologyNetwork network) => [network.Name, string.Create(CultureInfo.InvariantCulture, $"key {network.Key}")];

    private static string[] LinesOf(TopologySwitch lswitch) => [lswitch.Name, .. lswitch.Cidrs];

    private static string[] LinesOf(TopologyNode node) => [node.Name, node.TunnelEnd];

    private static string LineOf(TopologyPod pod) => $"{pod.Name}  {string.Join("  ", pod.Addresses)}  ({pod.Node}{(pod.IsRealised ? "" : ", not attached yet")})";

    private static int WidthOf(string text) => (int)Math.Ceiling(text.Length * Letter);

    /// <summary>The name is bold, what is below is not. Returns the lower edge.</summary>
    private static int Box(StringBuilder body, Column column, int y, string[] lines, string fill)
    {
        var height = (lines.Length * Line) + Pad;
        body.Append(CultureInfo.InvariantCulture, $"<rect x=\"{column.Left}\" y=\"{y}\" width=\"{column.Width}\" height=\"{height}\" rx=\"5\" fill=\"{fill}\" stroke=\"#6b7280\"/>\n");
        foreach (var (i, line) in lines.Index())
        {
            Text(body, column.Left + Pad, y + (Pad / 2) + FontSize + (i * Line), line, isBold: i == 0);
        }

        return y + height;
    }

    private static void Edge(StringBuilder body, int x1, int y1, int x2, int y2) =>
        body.Append(CultureInfo.InvariantCulture, $"<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" stroke=\"#9ca3af\"/>\n");

    private static void Text(StringBuilder body, int x, int y, string text, bool isBold = false) =>
        body.Append(CultureInfo.InvariantCulture, $"<text x=\"{x}\" y=\"{y}\"{(isBold ? " font-weight=\"bold\"" : "")} xml:space=\"preserve\">{Escape(text)}</text>\n");

    private static string Escape(string text) => WebUtility.HtmlEncode(text);

    /// <summary>A part of the width.</summary>
    private readonly record struct Column(int Left, int Width)
    {
        public Column(int left, IEnumerable<string> texts)
            : this(left, texts.Select(WidthOf).Append(100).Max() + (2 * Pad))
        {
        }

        public int Right => Left + Width;
    }
}
