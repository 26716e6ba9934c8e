using Microsoft.Extensions.Logging.Abstractions;
using Weft.Agent.Facts;
using Weft.Agent.Tests.Faults;
using Weft.Agent.Tests.Plan;
using Weft.TestSupport;
using Weft.Topology;
using Endpoint = Weft.Topology.Endpoint;

namespace Weft.Agent.Tests.Sync;

/// <summary>A restarted agent begins with the slice on disk. What the controller says first must be planned before the switch is touched.</summary>
public sealed class CaughtUpTests
{
    private static readonly LoadBalancer Web = new() { Id = "default/web/80/4", Service = "default/web", Key = 7, Port = 80, ClusterIp = "10.96.0.7", Endpoints = "web" };

    [Test]
    public async Task The_controllers_first_word_is_planned_before_the_switch_connects_though_a_batch_of_older_facts_is_under_way()
    {
        var now = PlanCases.TwoPods(Web, Endpoints("10.244.1.11"));
        var before = PlanCases.TwoPods(Web, Endpoints("10.244.1.11", "10.244.2.99"));

        // The switch has what an earlier agent was told last; the disk is a moment older.
        await using var node = await AgentBench.StartAsync(now);
        await node.StopAgentAsync();
        await node.StartLoopAsync(before.Slice, connect: false);
        var loop = node.Loop;
        using var held = new ManualResetEventSlim();
        var holds = new TaskCompletionSource();
        void Hold(AgentState state)
        {
            holds.TrySetResult();
            held.Wait();
        }

        loop.Changed += Hold;
        loop.Wake();
        await holds.Task;
        loop.Post(new SliceChange(now.Slice, [new ItemRef(ItemKind.EndpointSet, "web")]));
        var caughtUp = loop.CaughtUpAsync(CancellationToken.None);
        Assert.That(caughtUp.IsCompleted, Is.False, "the batch before is not over");
        loop.Changed -= Hold;
        held.Set();
        await caughtUp;
        node.Connect();
        await Eventually.True("the agent in sync", () => loop.Published.Synced);
        Assert.That((node.Flows.FlowsSent, node.Flows.GroupsSent), Is.EqualTo((0L, 0L)), "the endpoint that went came back for a moment");
    }

    private static EndpointSet Endpoints(params string[] addresses) => new() { Id = "web", Endpoints = [.. addresses.Select(a => new Endpoint { Address = a, Port = 8080 })] };
}
