using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Agent;
using Weft.Agent.CniServer;
using Weft.Agent.Facts;
using Weft.Agent.Sync;
using Weft.TestSupport;

namespace Weft.Bench.NodeBench;

/// <summary>How long a restarted agent takes until everything is compared and nothing was to change: 250 pods, 10,000 Services, 1,000 policies.</summary>
internal static class RestartBenchmark
{
    private const int Pods = 250;
    private const int Services = 10_000;
    private const int Policies = 1_000;
    private const int Rounds = 3;

    public static async Task<int> RunAsync(string[] args)
    {
        _ = args;
        await using var node = await BenchNode.StartAsync(
            1, [.. BenchSlice.Of(node: 1, nodes: 2, pods: Pods), .. BenchSlice.Services(Services), .. BenchSlice.Policies(Policies, Pods)]);
        await AttachAsync(node);

        // The first agent fills the switch.
        node.StartAgent();
        await node.AgentInSyncAsync();
        await node.StopAgentAsync();

        var times = new List<double>();
        SyncStatus status = null!;
        var sent = 0L;
        for (var round = 0; round < Rounds; round++)
        {
            var clock = Stopwatch.GetTimestamp();
            node.StartAgent();
            status = await node.AgentInSyncAsync();
            times.Add(Stopwatch.GetElapsedTime(clock).TotalSeconds);
            sent += status.FlowsSent + status.GroupsSent;
            if (round == Rounds - 1)
            {
                // What the start needed is given back a moment later.
                await Task.Delay(TimeSpan.FromSeconds(4));
                new Figure("restart.memory_in_sync", node.AgentMegabytes(), 150, "MB").Print();
            }

            await node.StopAgentAsync();
        }

        new Figure("restart.agent_start_to_in_sync", times.Order().ElementAt(Rounds / 2), 3, "s").Print();
        new Figure("restart.flow_and_group_mods_sent", sent, null, "messages").Print();
        new Figure("restart.flows_held", status.Flows, null, "flows").Print();
        return 0;
    }

    /// <summary>Rows of pods as an earlier agent would have left them, with veth pairs that lead nowhere.</summary>
    private static async Task AttachAsync(BenchNode node)
    {
        var options = new AgentOptions { NodeName = BenchSlice.NodeName(1), Ovsdb = node.Database.Remote, OvsRunDir = node.Database.Folder, DatapathType = "netdev" };
        await using var rows = new BridgeRows(options, NullLogger<BridgeRows>.Instance);
        using var stop = new CancellationTokenSource();
        var following = rows.RunAsync(_ => { }, stop.Token);
        var facts = new NodeFacts { NodeName = options.NodeName, Slice = BenchSlice.Make(BenchSlice.Of(1, 2, 0)) };
        await Eventually.True("the bridge", async () =>
        {
            await rows.EnsureInfrastructureAsync(facts, CancellationToken.None);
            return rows.Find("weft-gw0")?.OfPort is > 0;
        });
        await node.Netns.IpAsync(CancellationToken.None, [.. Enumerable.Range(0, Pods).Select(i => $"link add {PodInterface.HostNameOf(Container(i), "eth0")} type veth peer name p{i}")]);
        for (var i = 0; i < Pods; i++)
        {
            var container = Container(i);
            var attachment = new Attachment
            {
                Pod = BenchSlice.PodId(i),
                Uid = BenchSlice.PodUid(i),
                ContainerId = container,
                IfName = "eth0",
                Netns = "/run/netns/" + container,
                HostInterface = PodInterface.HostNameOf(container, "eth0"),
                Mac = string.Create(CultureInfo.InvariantCulture, $"0a:58:0a:40:10:{i + 2:x2}"),
                Addresses = [string.Create(CultureInfo.InvariantCulture, $"10.64.{16 + ((i + 2) / 256)}.{(i + 2) % 256}")],
            };

            // All at once is quicker than one after the other; vswitchd opens them meanwhile.
            await rows.AddPortAsync(new AttachedPort(attachment, i + 1), Task.CompletedTask, CancellationToken.None);
        }

        await stop.CancelAsync();
        await following;
    }

    private static string Container(int pod) => string.Create(CultureInfo.InvariantCulture, $"c{pod}");
}
