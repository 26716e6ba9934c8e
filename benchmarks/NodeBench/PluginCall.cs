using System.Diagnostics;
using Weft.Lab.Net;

namespace Weft.Bench.NodeBench;

/// <summary>Runs a CNI plugin as a runtime does, and measures from the start of the process to its end.</summary>
/// <param name="Program">The plugin.</param>
/// <param name="Configuration">What it reads on standard input.</param>
/// <param name="Node">The namespace that it runs in.</param>
internal sealed record PluginCall(string Program, string Configuration, Netns Node)
{
    /// <summary>Runs one command on a thread inside the node's namespace, so that nothing but the plugin itself is measured.</summary>
    /// <returns>Milliseconds.</returns>
    public Task<double> RunAsync(string command, int number, Netns pod) => Node.RunInsideAsync(() =>
    {
        var start = new ProcessStartInfo(Program) { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.Environment["CNI_COMMAND"] = command;
        start.Environment["CNI_CONTAINERID"] = pod.Name;
        start.Environment["CNI_NETNS"] = pod.Path;
        start.Environment["CNI_IFNAME"] = "eth0";
        start.Environment["CNI_PATH"] = Path.GetDirectoryName(Program);
        start.Environment["CNI_ARGS"] = $"IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME={BenchSlice.PodId(number)[8..]};K8S_POD_UID={BenchSlice.PodUid(number)}";
        var clock = Stopwatch.GetTimestamp();
        using var process = Process.Start(start)!;
        process.StandardInput.Write(Configuration);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        var elapsed = Stopwatch.GetElapsedTime(clock).TotalMilliseconds;
        return process.ExitCode == 0 ? elapsed : throw new InvalidOperationException($"{Path.GetFileName(Program)} {command} of {pod.Name} failed: {output}");
    });
}
