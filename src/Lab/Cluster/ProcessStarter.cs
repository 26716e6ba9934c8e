using System.Diagnostics;
using Weft.Lab.Net;
using Weft.Lab.State;

namespace Weft.Lab.Cluster;

/// <summary>Starts the lab's long-lived processes: apart from the terminal, with their output in a file, marked as the lab's.</summary>
internal static class ProcessStarter
{
    /// <summary>Starts a process; it outlives this one.</summary>
    /// <exception cref="LabException">It ended at once; the message has the end of its log.</exception>
    public static LabProcess Start(LabLayout layout, string role, Netns? netns, string log, IEnumerable<string> command)
    {
        string[] whole = [.. netns is null ? command : netns.Wrap(command)];
        return Start(layout, new LabProcess(role, 0, 0, log, whole));
    }

    /// <summary>Starts a process of the state again.</summary>
    public static LabProcess Start(LabLayout layout, LabProcess process)
    {
        // Every step replaces the one before (exec), so the id that we get is the program's own.
        const string ToLog = """log=$1; shift; exec "$@" >>"$log" 2>&1 </dev/null""";
        Directory.CreateDirectory(Path.GetDirectoryName(process.Log)!);
        var start = new ProcessStartInfo(Shell.Find("setsid"));
        foreach (var argument in (string[])["sh", "-c", ToLog, "sh", process.Log, .. process.Command])
        {
            start.ArgumentList.Add(argument);
        }

        Mark(start, layout);
        var started = Process.Start(start)!;
        return ProcessTable.StartTime(started.Id) is { } time
            ? process with { Pid = started.Id, StartTime = time }
            : throw new LabException($"{process.Role} ended at once:\n{Tail(process.Log)}");
    }

    /// <summary>Sets what the lab's processes have in common.</summary>
    public static void Mark(ProcessStartInfo start, LabLayout layout)
    {
        start.Environment[LabLayout.ProcessMark] = layout.Name;
        // Many small processes on few cores: no background collector threads, no server heaps, no second tier of profiling.
        start.Environment["DOTNET_gcConcurrent"] = "0";
        start.Environment["DOTNET_gcServer"] = "0";
        start.Environment["DOTNET_TieredPGO"] = "0";
        start.Environment["DOTNET_NOLOGO"] = "1";
    }

    /// <summary>The last lines of a log.</summary>
    public static string Tail(string log, int lines = 15) =>
        File.Exists(log) ? string.Join('\n', File.ReadLines(log).TakeLast(lines)) : "(no log)";
}
