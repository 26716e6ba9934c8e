using System.Globalization;
using System.Net;
using System.Text;

namespace Weft.Ctl.Drawing;

/// <summary>Draws a topology: routers on the left, their switches beside them, pods on the right; nodes with their tunnels below. Pure.</summary>
public static class TopologySvg
{
    private const int Line = 22;
    private const int RouterX = 20;
    private const int SwitchX = 220;
    private const int PodX = 560;
    private const int Width = 1060;
    private const int NodeGap = 200;

    /// <summary>The picture.</summary>
    public static string Draw(TopologyGraph graph)
    {
        var body = new StringBuilder();
        var y = 30;
        foreach (var network in graph.Networks)
        {
            y = Network(body, network, y) + Line;
        }

        y = Nodes(body, graph, y + Line);
        return string.Create(CultureInfo.InvariantCulture,
            $"""
            <svg xmlns="http://www.w3.org/2000/svg" width="{Width}" height="{y}" viewBox="0 0 {Width} {y}" font-family="sans-serif" font-size="13">
            <rect width="100%" height="100%" fill="white"/>
            {body}</svg>

            """);
    }

    private static int Network(StringBuilder body, TopologyNetwork network, int y)
    {
        var top = y;
        foreach (var lswitch in network.Switches)
        {
            Edge(body, RouterX + 150, top + 10, SwitchX, y + 10);
            Box(body, SwitchX, y - 6, 310, 32, "#dbeafe");
            Text(body, SwitchX + 8, y + 8, lswitch.Name, isBold: true);
            Text(body, SwitchX + 8, y + 22, string.Join("  ", lswitch.Cidrs));
            var at = y;
            foreach (var pod in lswitch.Pods)
            {
                Edge(body, SwitchX + 310, y + 10, PodX, at + 10);
                Text(body, PodX + 6, at + 14, $"{pod.Name}  {string.Join("  ", pod.Addresses)}  ({pod.Node}{(pod.IsRealised ? "" : ", not attached yet")})");
                at += Line;
            }

            y = Math.Max(at, y + (2 * Line));
        }

        Box(body, RouterX, top - 6, 150, 32, "#fde68a");
        Text(body, RouterX + 8, top + 8, network.Name, isBold: true);
        Text(body, RouterX + 8, top + 22, string.Create(CultureInfo.InvariantCulture, $"key {network.Key}"));
        return Math.Max(y, top + (2 * Line));
    }

    private static int Nodes(StringBuilder body, TopologyGraph graph, int y)
    {
        const int perRow = (Width - RouterX) / NodeGap;
        (int X, int Y) At(int i) => (RouterX + (i % perRow * NodeGap), y + (i / perRow * 4 * Line));
        foreach (var (one, other) in TopologyText.Tunnels(graph))
        {
            var (a, b) = (At(graph.Nodes.ToList().IndexOf(one)), At(graph.Nodes.ToList().IndexOf(other)));
            body.Append(CultureInfo.InvariantCulture,
                $"<path class=\"tunnel\" d=\"M{a.X + 75},{a.Y + 26} Q{(a.X + b.X + 150) / 2},{Math.Max(a.Y, b.Y) + 70} {b.X + 75},{b.Y + 26}\" fill=\"none\" stroke=\"#6b7280\" stroke-dasharray=\"5 4\"><title>tunnel {Escape(one.Name)} - {Escape(other.Name)}</title></path>\n");
        }

        foreach (var (i, node) in graph.Nodes.Index())
        {
            var (x, top) = At(i);
            Box(body, x, top - 6, 150, 32, "#dcfce7");
            Text(body, x + 8, top + 8, node.Name, isBold: true);
            Text(body, x + 8, top + 22, node.TunnelEnd);
        }

        return At(Math.Max(graph.Nodes.Count - 1, 0)).Y + (4 * Line);
    }

    private static void Box(StringBuilder body, int x, int y, int width, int height, string fill) =>
        body.Append(CultureInfo.InvariantCulture, $"<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"5\" fill=\"{fill}\" stroke=\"#6b7280\"/>\n");

    private static void Edge(StringBuilder body, int x1, int y1, int x2, int y2) =>
        body.Append(CultureInfo.InvariantCulture, $"<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" stroke=\"#9ca3af\"/>\n");

    private static void Text(StringBuilder body, int x, int y, string text, bool isBold = false) =>
        body.Append(CultureInfo.InvariantCulture, $"<text x=\"{x}\" y=\"{y}\"{(isBold ? " font-weight=\"bold\"" : "")}>{Escape(text)}</text>\n");

    private static string Escape(string text) => WebUtility.HtmlEncode(text);
}
