using System.CommandLine;
using Weft.Ctl.Drawing;

namespace Weft.Ctl.Commands;

/// <summary><c>weftctl topology</c>: routers, switches, pods and tunnels, as text or as a picture.</summary>
internal static class TopologyCommand
{
    private enum Form
    {
        Text = 0,
        Svg,
        Dot,
    }

    public static Command Create()
    {
        var output = new Option<Form>("--output", "-o") { Description = "text for people; svg is a picture; dot is for Graphviz", DefaultValueFactory = _ => Form.Text };
        var command = new Command("topology", "Show the logical network: routers, switches, pods, and the tunnels between nodes.") { output };
        command.OnCluster(async (result, cluster, ct) =>
        {
            var graph = await TopologyGraph.ReadAsync(cluster, ct).ConfigureAwait(false);
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
