using System.Diagnostics;
using System.Globalization;
using Weft.TestSupport;

namespace Weft.Bench.ControllerBench;

/// <summary>e) Thousands of agents at one controller process, over TLS and HTTP/2 on loopback, each with a connection of its own.</summary>
internal static class ManyAgents
{
    /// <summary>The marks are for 5,000; WEFT_BENCH_AGENTS takes fewer on a machine that has other work.</summary>
    private static readonly int Agents = int.TryParse(Environment.GetEnvironmentVariable("WEFT_BENCH_AGENTS"), out var given) ? given : 5000;

    private const int ConnectAtOnce = 64;
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(20);
    private const string Address = "127.0.0.1:17543";

    public static async Task RunAsync()
    {
        using var folder = new TemporaryFolder();
        await using var api = await FakeApiServer.StartAsync();
        for (var i = 0; i < Agents; i++)
        {
            api.Put("/api/v1/nodes", $$"""{"metadata":{"name":"node-{{i}}"},"spec":{"podCIDRs":["10.{{i / 256}}.{{i % 256}}.0/24"]},"status":{"addresses":[{"type":"InternalIP","address":"172.16.{{i / 256}}.{{i % 256}}"}]} }""");
            api.Put("/api/v1/pods", $$"""{"metadata":{"namespace":"a","name":"pod-{{i}}","uid":"{{i}}","labels":{"app":"x"} },"spec":{"nodeName":"node-{{i}}"},"status":{"phase":"Running","podIPs":[{"ip":"10.{{i / 256}}.{{i % 256}}.2"}]} }""");
        }

        await File.WriteAllTextAsync(folder.File("controller.json"),
            $$"""{"kubeconfig":"{{api.WriteKubeconfig(folder.Path)}}","listen":"{{Address}}","tlsDir":"{{folder.File("tls")}}","agentAuthentication":"none"}""");
        var controller = Start(folder);
        var agents = Enumerable.Range(0, Agents).Select(i => new BenchAgent($"https://{Address}", $"node-{i}")).ToArray();
        try
        {
            await agents[0].ConnectAsync();
            var before = Resident(controller);
            var clock = Stopwatch.StartNew();
            await ConnectAllAsync(agents[1..]);
            Console.Error.WriteLine($"e: {Agents} agents have their snapshots after {clock.Elapsed.TotalSeconds:0.0} s");
            // Idle: the garbage of the snapshots is not part of what an idle agent needs.
            await Task.Delay(Settle);
            new Figure("controller-e-memory-per-agent", (Resident(controller) - before) / Agents, 100, "kB").Print();

            clock.Restart();
            api.Put("/apis/networking.k8s.io/v1/networkpolicies", """{"metadata":{"namespace":"a","name":"np"},"spec":{"podSelector":{},"ingress":[{"from":[{"ipBlock":{"cidr":"10.0.0.0/8"} }]}]} }""");
            await Task.WhenAll(agents.Select(a => a.NextDeltaAsync()));
            new Figure("controller-e-policy-at-last-agent", clock.Elapsed.TotalSeconds, 1, "s").Print();

            controller.Kill();
            await controller.WaitForExitAsync();
            controller.Dispose();
            clock.Restart();
            controller = Start(folder);
            await ConnectAllAsync(agents);
            new Figure("controller-e-reconnect-after-restart", clock.Elapsed.TotalSeconds, 20, "s").Print();
            new Figure("controller-e-snapshots-after-restart", agents.Count(a => !a.WasResumed), null, "agents").Print();
        }
        finally
        {
            Array.ForEach(agents, a => a.Dispose());
            controller.Kill();
            await controller.WaitForExitAsync();
            controller.Dispose();
        }
    }

    private static Process Start(TemporaryFolder folder)
    {
        var program = Path.Combine(AppContext.BaseDirectory, "weft-controller.dll");
        return Process.Start(new ProcessStartInfo(Environment.ProcessPath!, [program, "--config", folder.File("controller.json")]) { RedirectStandardOutput = true })!;
    }

    private static Task ConnectAllAsync(BenchAgent[] agents) => Parallel.ForEachAsync(
        agents, new ParallelOptions { MaxDegreeOfParallelism = ConnectAtOnce }, async (agent, _) => await agent.ConnectAsync());

    /// <summary>The process's resident size in kB (10^3 bytes).</summary>
    private static double Resident(Process process) => double.Parse(
        File.ReadLines($"/proc/{process.Id}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture) * 1.024;
}
