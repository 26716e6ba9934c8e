using Weft.Lab.Net;

namespace Weft.Bench.NodeBench;

/// <summary>ADD and DEL of our plugin beside the standard <c>bridge</c> with <c>host-local</c>: 50 of each, alone and ten at a time, in one run.</summary>
/// <remarks>
/// Each plugin works on a node (namespace) of its own. The peer is measured twice: with <c>ipMasq</c>, as container runtimes ship its
/// configuration (containerd's and CRI-O's examples, the plugin's own documentation) and so that its pods reach the outside as ours do, and without
/// (<c>_bare</c>), where it does less than ours. All of this with IPv4 alone, and then with both families (<c>cni.dual_</c>).
/// </remarks>
internal static class CniBenchmark
{
    private const int Pods = 50;
    private const int AtATime = 10;
    private const string Bridge = "/usr/lib/cni/bridge";

    private sealed record Contestant(PluginCall Call, IReadOnlyList<Netns> Pods);

    public static async Task<int> RunAsync(string[] args)
    {
        _ = args;
        await CompareAsync("cni.", dual: false);
        await CompareAsync("cni.dual_", dual: true);
        return 0;
    }

    private static async Task CompareAsync(string prefix, bool dual)
    {
        await using var node = await BenchNode.StartAsync(1, BenchSlice.Of(node: 1, nodes: 2, pods: Pods, dual));
        node.StartAgent();
        await node.AgentTakesCallsAsync();
        var program = Environment.GetEnvironmentVariable("WEFT_CNI") ?? throw new InvalidOperationException("WEFT_CNI does not name the plugin: start this with scripts/bench");
        var ours = new Contestant(
            new PluginCall(program, $$"""{"cniVersion":"1.0.0","name":"weft","type":"weft-cni","socket":"{{node.CniSocket}}"}""", node.Netns),
            await node.PodNamespacesAsync("w", Pods));
        var peer = await PeerAsync(node, "peer", masquerade: true, dual);
        var bare = await PeerAsync(node, "bare", masquerade: false, dual);

        await FirstAsync(prefix, ours, peer);
        foreach (var command in (string[])["ADD", "DEL"])
        {
            var times = await MeasureAsync(command, 1, ours, peer, bare);
            Print($"{prefix}{command.ToLowerInvariant()}", times);
        }

        foreach (var command in (string[])["ADD", "DEL"])
        {
            var times = await MeasureAsync(command, AtATime, ours, peer, bare);
            Print($"{prefix}{command.ToLowerInvariant()}_{AtATime}_at_a_time", times);
        }
    }

    private static async Task<Contestant> PeerAsync(BenchNode owner, string name, bool masquerade, bool dual)
    {
        var configuration = """
            {"cniVersion":"1.0.0","name":"NAME","type":"bridge","bridge":"peer0","isGateway":true,"ipMasq":MASQUERADE,
             "ipam":{"type":"host-local","ranges":[[{"subnet":"10.63.0.0/20"}]RANGE],"routes":[{"dst":"0.0.0.0/0"}ROUTE],"dataDir":"FOLDER"}}
            """
            .Replace("RANGE", dual ? """,[{"subnet":"fd63::/64"}]""" : "", StringComparison.Ordinal)
            .Replace("ROUTE", dual ? """,{"dst":"::/0"}""" : "", StringComparison.Ordinal)
            .Replace("NAME", name, StringComparison.Ordinal)
            .Replace("MASQUERADE", masquerade ? "true" : "false", StringComparison.Ordinal)
            .Replace("FOLDER", Path.Combine(owner.Scratch, name), StringComparison.Ordinal);
        var node = (await owner.PodNamespacesAsync(name, 1))[0];
        return new Contestant(new PluginCall(Bridge, configuration, node), await owner.PodNamespacesAsync(name + "-", Pods));
    }

    /// <summary>The first pod after the agent's start.</summary>
    private static async Task FirstAsync(string prefix, Contestant ours, Contestant peer)
    {
        var times = new List<double>();
        foreach (var contestant in (Contestant[])[ours, peer])
        {
            times.Add(await contestant.Call.RunAsync("ADD", 0, contestant.Pods[0]));
            await contestant.Call.RunAsync("DEL", 0, contestant.Pods[0]);
        }

        new Figure($"{prefix}add_first_after_start", times[0], times[1], "ms").Print();
    }

    /// <summary>Turn by turn, so that what else the machine does meets all alike.</summary>
    private static async Task<List<double>[]> MeasureAsync(string command, int atATime, params Contestant[] contestants)
    {
        var times = contestants.Select(_ => new List<double>()).ToArray();
        for (var i = 0; i < Pods; i += atATime)
        {
            foreach (var (c, contestant) in contestants.Index())
            {
                times[c].AddRange(await Task.WhenAll(Enumerable.Range(i, atATime).Select(n => contestant.Call.RunAsync(command, n, contestant.Pods[n]))));
            }
        }

        return times;
    }

    private static void Print(string name, List<double>[] times)
    {
        foreach (var percent in (int[])[50, 99])
        {
            new Figure($"{name}_p{percent}", Percentile(times[0], percent), Percentile(times[1], percent), "ms").Print();
            new Figure($"{name}_p{percent}_bare", Percentile(times[0], percent), Percentile(times[2], percent), "ms").Print();
        }
    }

    private static double Percentile(List<double> values, int percent) => values.Order().ElementAt(Math.Min(values.Count - 1, values.Count * percent / 100));
}
