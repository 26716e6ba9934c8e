using Weft.Lab.Net;
using Weft.Lab.Probes;
using Weft.Lab.State;
using Weft.TestSupport;

namespace Weft.Lab.Tests.EndToEnd;

/// <summary>Nothing is lost when the agent goes, and nothing is left when pods go.</summary>
public sealed class ContinuityTests
{
    private TestLab _lab = null!;

    [OneTimeSetUp]
    public async Task StartLab() => _lab = await TestLab.UpAsync("con");

    [OneTimeTearDown]
    public async Task EndLab()
    {
        if (_lab is not null)
        {
            await _lab.DisposeAsync();
        }
    }

    [Test]
    [Order(1)]
    public async Task Killing_and_restarting_an_agent_loses_no_ping_and_leaves_the_flows_as_they_were()
    {
        const string Agent = "node1/agent";
        var pods = await _lab.PodsAsync("node1", "node1", "node2");
        await pods[0].Probe.PingAsync(pods[1].V4);
        var flows = await _lab.FlowsAsync("node1");

        // No pod comes or goes while it pings: a user-space switch forgets the way to other nodes for a moment whenever a link
        // of its node changes (route_table_reset), with or without an agent.
        await using var steady = await SteadyPing.StartAsync(
            (pods[0], pods[1].V4), (pods[0], pods[1].V6), (pods[0], pods[2].V4), (pods[2], pods[0].V6));
        for (var kill = 0; kill < 2; kill++)
        {
            await _lab.Cluster.StopAsync(Agent, force: true, CancellationToken.None);
            _lab.Cluster.StartAgain(Agent);
            await Eventually.True("the agent answering again", () => _lab.IsAgentReadyAsync("node1"), TimeSpan.FromSeconds(20));
        }

        var lost = await steady.StopAsync();
        var late = await _lab.PodAsync("node1");
        await _lab.DeletePodAsync(late.Name);
        var flowsAfter = await FlowsSettleAsync("node1", flows);

        Assert.Multiple(() =>
        {
            Assert.That(lost, Is.Empty);
            Assert.That(flowsAfter, Is.EqualTo(flows));
        });
    }

    [Test]
    [Order(2)]
    public async Task A_restarted_agent_sends_no_flow_when_nothing_changed()
    {
        const string Agent = "node1/agent";
        await _lab.PodAsync("node1", "witness");
        var folder = _lab.Cluster.Layout.OvsFolder("node1");
        var before = await _lab.AddedAtAsync("node1");

        await _lab.Cluster.StopAsync(Agent, force: true, CancellationToken.None);
        // The switch reports what a connection did when it ends; it has seen that end when it answers somebody else.
        await _lab.FlowsAsync("node1");
        var logBefore = (await File.ReadAllLinesAsync($"{folder}/ovs-vswitchd.log")).Length;
        _lab.Cluster.StartAgain(Agent);
        // It answers when it has synchronised: CHECK looks at the switch.
        await Eventually.True("the agent answering again", () => File.Exists(_lab.Cluster.Layout.CniSocket("node1")));
        await Eventually.True("the agent connected to the switch", async () =>
            (await _lab.OvsAsync("node1", "ovs-appctl", "coverage/show")).Length > 0
            && await _lab.IsAgentReadyAsync("node1"), TimeSpan.FromSeconds(20));
        await _lab.Cluster.StopAsync(Agent, force: true, CancellationToken.None);
        var after = await _lab.AddedAtAsync("node1");
        _lab.Cluster.StartAgain(Agent);

        var sent = (await File.ReadAllLinesAsync($"{folder}/ovs-vswitchd.log")).Skip(logBefore)
            .Where(l => l.Contains("br-int", StringComparison.Ordinal) && l.Contains("flow_mods", StringComparison.Ordinal));
        Assert.Multiple(() =>
        {
            Assert.That(sent, Is.Empty, "flow mods that the switch counted");
            Assert.That(after.Keys, Is.EquivalentTo(before.Keys));
            Assert.That(
                after.Where(f => Math.Abs((f.Value - before.GetValueOrDefault(f.Key)).TotalSeconds) > 1).Select(f => f.Key),
                Is.Empty, "flows that were added anew");
        });
        await _lab.DeletePodAsync("witness");
    }

    [Test]
    [Order(3)]
    public async Task Pods_that_come_and_go_at_random_leave_nothing_behind()
    {
        var patience = TestLab.Full ? TimeSpan.FromMinutes(5) : TimeSpan.FromSeconds(20);
        await Eventually.True("no pod left of earlier tests", async () => await PodCountAsync() == 0 || await DeleteAllAsync(), TimeSpan.FromSeconds(20));

        // A pod that was attached proves that the node's own flows are in the switch: they belong to what stays.
        foreach (var node in new[] { "node1", "node2" })
        {
            await _lab.PodAsync(node, "settled-" + node);
            await _lab.DeletePodAsync("settled-" + node);
        }

        var quiet = await Leftovers.ReadAsync(_lab);
        await Eventually.True("no flow or port of earlier tests' pods", async () =>
            !(quiet = await Leftovers.ReadAsync(_lab)).Any(l => l.Contains("in_port=w", StringComparison.Ordinal) && !l.Contains("in_port=\"weft", StringComparison.Ordinal)));
        var seed = Environment.TickCount;
        var random = new Random(seed);
        using var time = new CancellationTokenSource(patience);
        var (made, alive) = (0, new List<string>());

        while (!time.IsCancellationRequested)
        {
            if (alive.Count < 12 && random.Next(3) > 0)
            {
                var name = $"churn-{made++}";
                await _lab.CreatePodAsync($"node{1 + random.Next(2)}", name);
                alive.Add(name);
                // Sometimes it is deleted while its ADD is under way.
                if (random.Next(4) > 0)
                {
                    await _lab.ReadyPodAsync(name);
                }
            }
            else if (alive.Count > 0)
            {
                var name = alive[random.Next(alive.Count)];
                alive.Remove(name);
                await _lab.Api.DeleteAsync(TestLab.PodPath(name), CancellationToken.None);
            }
        }

        await DeleteAllAsync();
        await Eventually.True("all pods gone", async () => await PodCountAsync() == 0, TimeSpan.FromSeconds(40));
        var left = await Leftovers.ReadAsync(_lab);
        await Eventually.True("only what was there before", async () => (left = await Leftovers.ReadAsync(_lab)).SequenceEqual(quiet), TimeSpan.FromSeconds(10))
            .ContinueWith(_ => { }, TaskScheduler.Default);
        Assert.Multiple(() =>
        {
            Assert.That(left.Except(quiet), Is.Empty, $"left behind by {made} pods, seed {seed}");
            Assert.That(quiet.Except(left), Is.Empty, $"missing after {made} pods, seed {seed}");
        });
        TestContext.Out.WriteLine($"{made} pods in {patience.TotalSeconds:0} s");
    }

    private async Task<int> PodCountAsync() => (await _lab.Cluster.PodsAsync(CancellationToken.None)).Count;

    private async Task<bool> DeleteAllAsync()
    {
        await Task.WhenAll((await _lab.Cluster.PodsAsync(CancellationToken.None))
            .Select(p => _lab.Api.DeleteAsync(TestLab.PodPath(p.Name), CancellationToken.None)));
        return false;
    }

    private async Task<string[]> FlowsSettleAsync(string node, string[] expected)
    {
        var flows = await _lab.FlowsAsync(node);
        await Eventually.True("the same flows", async () => (flows = await _lab.FlowsAsync(node)).SequenceEqual(expected), TimeSpan.FromSeconds(10))
            .ContinueWith(_ => { }, TaskScheduler.Default);
        return flows;
    }
}
