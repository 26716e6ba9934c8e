using System.Globalization;
using System.Net.Sockets;
using Spectre.Console;
using Weft.Lab.Cluster;
using Weft.Lab.State;

namespace Weft.Lab.Commands;

/// <summary><c>lab status</c>: processes that do not run, the pods, and who reaches whom.</summary>
internal static class StatusCommand
{
    // More would not fit on a terminal.
    private const int MatrixSize = 12;

    /// <returns>0 when every process runs, every pod is ready and every ping was answered; else 1.</returns>
    public static async Task<int> RunAsync(LabCluster lab, CancellationToken ct)
    {
        var dead = lab.State.Processes.Where(p => !ProcessTable.Runs(p)).ToList();
        foreach (var process in dead)
        {
            AnsiConsole.MarkupLineInterpolated($"[red]{process.Role} does not run[/], see {process.Log}");
        }

        var pods = await lab.PodsAsync(ct);
        ShowPods(pods);
        var reached = await ShowMatrixAsync([.. pods.Where(p => p.Netns is not null && p.Ready).Take(MatrixSize)], ct);
        return dead.Count == 0 && reached && pods.All(p => p.Ready || p.Phase == "Succeeded") ? 0 : 1;
    }

    private static void ShowPods(IReadOnlyList<PodView> pods)
    {
        var table = new Table().Border(TableBorder.Rounded).AddColumns("pod", "node", "state", "addresses", "CNI ADD");
        foreach (var pod in pods)
        {
            table.AddRow(
                Markup.Escape($"{pod.Namespace}/{pod.Name}"),
                Markup.Escape(pod.Node),
                pod.Ready ? "[green]ready[/]" : $"[yellow]{Markup.Escape(pod.Phase)}[/] {Markup.Escape(pod.Problem)}",
                Markup.Escape(string.Join("  ", pod.Addresses)),
                pod.CniAddMilliseconds is { } ms ? string.Create(CultureInfo.InvariantCulture, $"{ms:0} ms") : "");
        }

        AnsiConsole.Write(table);
    }

    private static async Task<bool> ShowMatrixAsync(IReadOnlyList<PodView> pods, CancellationToken ct)
    {
        if (pods.Count < 2)
        {
            return true;
        }

        var cells = await PingMatrix.RunAsync(pods, ct);
        var table = new Table().Border(TableBorder.Rounded).Title("ping, IPv4 / IPv6, from row to column").AddColumn("");
        foreach (var pod in pods)
        {
            table.AddColumn(Markup.Escape(pod.Name));
        }

        for (var from = 0; from < pods.Count; from++)
        {
            table.AddRow([Markup.Escape(pods[from].Name), .. pods.Select((_, to) => Cell(cells, from, to))]);
        }

        AnsiConsole.Write(table);
        return cells.Values.All(c => c);
    }

    private static string Cell(IReadOnlyDictionary<PingMatrix.Key, bool> cells, int from, int to) =>
        from == to
            ? "[grey]-[/]"
            : string.Join(" / ", ((AddressFamily[])[AddressFamily.InterNetwork, AddressFamily.InterNetworkV6]).Select(family =>
                cells.TryGetValue(new PingMatrix.Key(from, to, family), out var answered) ? answered ? "[green]ok[/]" : "[red]no[/]" : "[grey]-[/]"));
}
