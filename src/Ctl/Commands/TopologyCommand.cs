using System.CommandLine;
using Weft.Ctl.Drawing;
using Weft.Ctl.Output;

namespace Weft.Ctl.Commands;

/// <summary><c>weftctl topology</c>: routers, switches, pods, peerings and tunnels, as text or as a picture.</summary>
internal static class TopologyCommand
{
    private enum Form
    {
        Text = 0,
        Svg,
        Dot,
        Json,
        Yaml,
    }

    public static Command Create()
    {
        var output = OutputOption.OfWords("text for people; svg is a picture; dot is for Graphviz; json or yaml for programs", Form.Text);
        var command = new Command("topology", "Show the logical network: routers, switches, pods, peerings, and the tunnels between nodes.") { output };
        command.OnCluster(async (result, cluster, ct) =>
        {
            var graph = await TopologyGraph.ReadAsync(cluster, ct).ConfigureAwait(false);
            if (result.GetValue(output) is Form.Json or Form.Yaml)
            {
                Printer.Write(TopologyText.ToJson(graph), result.GetValue(output) == Form.Json ? OutputFormat.Json : OutputFormat.Yaml);
                return ExitCodes.Ok;
            }

            await Console.Out.WriteAsync(result.GetValue(output) switch
            {
                Form.Svg => TopologySvg.Draw(graph),
                Form.Dot => TopologyText.Dot(graph),
                _ => TopologyText.Tree(graph),
            }).ConfigureAwait(false);
            return ExitCodes.Ok;
        });
        return command;
    }
}
