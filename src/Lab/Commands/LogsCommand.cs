using Weft.Lab.Cluster;

namespace Weft.Lab.Commands;

/// <summary><c>lab logs</c>.</summary>
internal static class LogsCommand
{
    public static async Task<int> RunAsync(LabCluster lab, string? which, CancellationToken ct)
    {
        if (which is null)
        {
            lab.State.Processes.ToList().ForEach(p => Console.WriteLine($"{p.Role,-24} {p.Log}"));
            return 0;
        }

        var logs = Find(lab, which);
        foreach (var log in logs)
        {
            await using var content = new FileStream(log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            await content.CopyToAsync(Console.OpenStandardOutput(), ct);
        }

        return 0;
    }

    private static IReadOnlyList<string> Find(LabCluster lab, string which)
    {
        if (lab.State.Processes.FirstOrDefault(p => p.Role == which) is { } process)
        {
            return [process.Log];
        }

        var folder = Path.Combine(lab.Layout.Folder, "pods");
        var logs = Directory.Exists(folder) ? Directory.GetFiles(folder, which.Replace('/', '_') + "_*.log") : [];
        return logs.Length > 0 ? logs : throw new LabException(
            $"there is no log of '{which}'; there are {string.Join(", ", lab.State.Processes.Select(p => p.Role))}, and NAMESPACE/POD of pods with a command");
    }
}
