using Spectre.Console;
using Weft.Lab.Cluster;
using Weft.Lab.State;

namespace Weft.Lab.Commands;

/// <summary><c>lab up</c>: start, wait for the pods, show them.</summary>
internal static class UpCommand
{
    private static readonly TimeSpan PodPatience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan ReportPatience = TimeSpan.FromSeconds(5);

    public static async Task<int> RunAsync(LabOptions options, CancellationToken ct)
    {
        var progress = Terminal.Progress();
        var lab = await LabCluster.UpAsync(options, progress, ct);
        progress("pods");
        var waiting = await lab.WaitForPodsAsync(PodPatience, ct);
        await lab.WaitForReportsAsync(ReportPatience, ct);
        progress(waiting.Count == 0 ? "ready" : $"{waiting.Count} pods are not ready");
        var exit = await StatusCommand.RunAsync(lab, ct);
        var name = options.Name == "weft" ? "" : $" --name {options.Name}";
        AnsiConsole.WriteLine($"""

            Try next:
              scripts/lab{name} kubectl get pods -A -o wide
              scripts/lab{name} exec demo/client -- curl -s http://ADDRESS    (of a web pod in the table)
              scripts/lab{name} ovs node1 -- ovs-ofctl --names dump-flows br-int
              scripts/lab{name} ovs node1 -- ovs-vsctl show
              scripts/lab{name} down
            """);
        return waiting.Count == 0 ? exit : 1;
    }
}
