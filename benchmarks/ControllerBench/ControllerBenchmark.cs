using System.Diagnostics;

namespace Weft.Bench.ControllerBench;

/// <summary>The controller's benchmarks. Each case runs in a process of its own, so that its peak memory is its own.</summary>
internal static class ControllerBenchmark
{
    private static readonly string[] Cases = ["a", "b", "c", "d", "e"];

    public static async Task<int> RunAsync(string[] args)
    {
        if (args is ["--here", var only])
        {
            return await RunCaseAsync(only);
        }

        var code = 0;
        foreach (var name in args.Length > 0 ? args : Cases)
        {
            using var process = Process.Start(Environment.ProcessPath!, [typeof(ControllerBenchmark).Assembly.Location, "controller", "--here", name]);
            await process.WaitForExitAsync();
            code |= process.ExitCode;
        }

        return code;
    }

    private static async Task<int> RunCaseAsync(string name)
    {
        switch (name)
        {
            // Peers: Antrea's benchmark of the shape, measured on a machine of this size (seconds, MB).
            case "a":
                await InitialComputation.RunAsync("a-25000-namespaces", ClusterShape.SmallNamespaces(25_000), 9.8, 2100);
                return 0;
            case "b":
                await InitialComputation.RunAsync("b-one-namespace", ClusterShape.OneNamespace(10_000), 3.6, 870);
                return 0;
            case "c":
                await InitialComputation.RunAsync("c-100-large-namespaces", ClusterShape.LargeNamespaces(100), 4.0, 1100);
                return 0;
            case "d":
                SingleChanges.Run();
                return 0;
            case "e":
                await ManyAgents.RunAsync();
                return 0;
            default:
                Console.Error.WriteLine($"no case '{name}': {string.Join(", ", Cases)}");
                return 2;
        }
    }
}
