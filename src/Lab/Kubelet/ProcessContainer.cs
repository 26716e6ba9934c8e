using System.Diagnostics;
using Weft.Lab.Cluster;
using Weft.Lab.Net;
using Weft.Lab.State;

namespace Weft.Lab.Kubelet;

/// <summary>A container that is a plain process of this machine inside the pod's network namespace.</summary>
internal sealed class ProcessContainer : IRunningContainer
{
    private readonly Process _process;

    private ProcessContainer(Process process)
    {
        _process = process;
        Ended = WaitAsync();
    }

    public Task<int> Ended { get; }

    /// <summary>Starts the command in a session of its own, with its output in <paramref name="log"/>.</summary>
    public static ProcessContainer Start(
        KubeletContext node, Netns netns, IReadOnlyList<string> command, IReadOnlyDictionary<string, string> environment, string log)
    {
        const string ToLog = """log=$1; shift; exec "$@" >>"$log" 2>&1 </dev/null""";
        Directory.CreateDirectory(Path.GetDirectoryName(log)!);
        var start = new ProcessStartInfo(Shell.Find("setsid"));
        foreach (var argument in (string[])["sh", "-c", ToLog, "sh", log, .. node.OfPods(netns.Wrap(command))])
        {
            start.ArgumentList.Add(argument);
        }

        ProcessStarter.Mark(start, node.Layout);
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return new ProcessContainer(Process.Start(start)!);
    }

    public async Task StopAsync(TimeSpan grace)
    {
        // A session of its own: the negative id reaches everything that it started.
        ProcessTable.Signal(-_process.Id, ProcessTable.SigTerm);
        await Task.WhenAny(Ended, Task.Delay(grace));
        ProcessTable.Signal(-_process.Id, ProcessTable.SigKill);
        await Ended;
    }

    private async Task<int> WaitAsync()
    {
        await _process.WaitForExitAsync();
        return _process.ExitCode;
    }
}
