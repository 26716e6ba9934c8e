using System.Net;
using Weft.Lab.Cluster;
using Weft.Lab.Net;
using Weft.TestSupport;

namespace Weft.Lab.Tests.EndToEnd;

/// <summary>
/// Whatever of API server, controller, ovsdb-server, ovs-vswitchd and agent is killed, alone or together, while pods start and end, and in whatever order
/// it starts again: the node is as a fresh agent would plan it, the pods that were there talk, the pod that was to start starts, the one that was to end
/// is gone. A few orders at random; WEFT_TEST_FULL=1: all 325.
/// </summary>
[Category("Soak")]
public sealed class RestartOrderTests
{
    private static readonly string[] Roles = ["apiserver", "controller", "node1/ovsdb-server", "node1/ovs-vswitchd", "node1/agent"];
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly LabPrograms _programs = new();
    private TestLab _lab = null!;

    [OneTimeSetUp]
    public async Task StartLab() => _lab = await TestLab.UpAsync("ord", nodes: 1);

    [OneTimeTearDown]
    public async Task EndLab()
    {
        if (_lab is not null)
        {
            await _lab.DisposeAsync();
        }
    }

    [Test]
    public async Task Every_order_of_restarts_ends_with_the_node_as_planned()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        var pods = await _lab.PodsAsync("node1", "node1");
        var pinging = await PingAsync(pods);
        Assert.That(pinging, Is.True);
        await _lab.PodAsync("node1", "turn-0");
        var all = Orders([]).Where(o => o.Length > 0).ToArray();
        random.Shuffle(all);
        string[][] orders = TestLab.Full ? all : [.. all.Where(o => o.Length == Roles.Length).Take(1), .. all.Take(4)];
        foreach (var (number, order) in orders.Index())
        {
            await InOrderAsync(number, order, random, pods, $"seed {seed}, {number + 1} of {orders.Length}, {string.Join(", ", order)}");
        }

        TestContext.Out.WriteLine($"seed {seed}: {orders.Length} orders");
    }

    private static IEnumerable<string[]> Orders(string[] begun) =>
        Roles.Except(begun).SelectMany(r => Orders([.. begun, r])).Prepend(begun);

    private async Task InOrderAsync(int number, string[] order, Random random, TestPod[] pods, string story)
    {
        // One pod is about to start and one to end when everything stops.
        await _lab.CreatePodAsync("node1", $"turn-{number + 1}");
        await _lab.Api.DeleteAsync(TestLab.PodPath($"turn-{number}"), CancellationToken.None);
        if (order.Contains("node1/ovs-vswitchd") && random.Next(2) == 0)
        {
            story += ", flow-restore-wait";
            await _lab.OvsAsync("node1", "ovs-vsctl", "--no-wait", "set", "Open_vSwitch", ".", "other_config:flow-restore-wait=true");
        }

        await Task.Delay(random.Next(150));
        await Task.WhenAll(order.Select(r => _lab.Cluster.StopAsync(r, force: true, CancellationToken.None)));
        foreach (var role in order)
        {
            _lab.Cluster.StartAgain(role);
            await Task.Delay(random.Next(300));
        }

        await Eventually.True($"the agent ready after {story}", () => _lab.IsAgentReadyAsync("node1"), Patience);
        await Eventually.True($"pod turn-{number} gone after {story}", async () => await _lab.Api.FindAsync(TestLab.PodPath($"turn-{number}"), CancellationToken.None) is null, Patience);
        await Eventually.True($"pod turn-{number + 1} ready after {story}", async () => await _lab.ReadyPodAsync($"turn-{number + 1}") is not null, Patience);
        var differences = "";
        await Eventually.True("node1 as planned", async () => (differences = await VerifyAsync()).Length == 0, Patience)
            .ContinueWith(t => t.IsFaulted ? throw new TimeoutException($"node1 is not as planned after {story}:\n{differences}", t.Exception) : t, TaskScheduler.Default);
        await Eventually.True($"the pods ping each other after {story}", async () => await PingAsync([.. pods, await _lab.ReadyPodAsync($"turn-{number + 1}")]), Patience);
        await Eventually.True($"no wait for flows left after {story}", async () =>
            !(await _lab.OvsAsync("node1", "ovs-vsctl", "get", "Open_vSwitch", ".", "other_config")).Contains("flow-restore-wait", StringComparison.Ordinal), Patience);

        // Three pods, each with one lease, one port and one link; and nothing of those that went.
        var left = Array.Empty<string>();
        await Eventually.True($"what three pods have after {story}", async () => (left = await OfPodsAsync()).Length == 9, Patience)
            .ContinueWith(t => t.IsFaulted ? throw new TimeoutException($"three pods have three leases, ports and links; after {story} there is {string.Join(", ", left)}", t.Exception) : t, TaskScheduler.Default);
        var addresses = (await _lab.Cluster.PodsAsync(CancellationToken.None)).SelectMany(p => p.Addresses).ToList();
        Assert.That(addresses, Is.Unique.And.Count.EqualTo(6), $"addresses after {story}");
    }

    private async Task<string[]> OfPodsAsync() => [.. (await Leftovers.ReadAsync(_lab)).Where(l =>
        l.StartsWith("node1 lease ", StringComparison.Ordinal) || l.StartsWith("node1 link w", StringComparison.Ordinal) && !l.Contains("weft", StringComparison.Ordinal)
        || l.StartsWith("node1 interface w", StringComparison.Ordinal) && !l.Contains("weft", StringComparison.Ordinal))];

    private static async Task<bool> PingAsync(TestPod[] pods)
    {
        foreach (var (from, to) in pods.Zip(pods.Skip(1).Append(pods[0])))
        {
            foreach (var address in (IPAddress[])[to.V4, to.V6])
            {
                if ((await from.Probe.PingAsync(address)).Outcome != Probes.ProbeOutcome.Connected)
                {
                    return false;
                }
            }
        }

        return true;
    }

    private async Task<string> VerifyAsync()
    {
        string[] command = [.. _lab.Cluster.Layout.Node("node1").Wrap([.. _programs.Agent, "--config", Path.Combine(_lab.Cluster.Layout.NodeFolder("node1"), "agent.json"), "--verify"])];
        var result = await Shell.TryRunAsync(command[0], command[1..], null, null, Patience, CancellationToken.None);
        return result.ExitCode == 0 ? "" : result.Output + result.Error;
    }
}
