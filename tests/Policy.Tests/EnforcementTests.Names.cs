using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using Weft.Lab.Cluster;
using Weft.Lab.Net;
using Weft.Lab.Probes;
using Weft.Lab.Tests.EndToEnd;
using Weft.TestSupport;

namespace Weft.Policy.Tests;

/// <summary>Rules with domain names, and pods younger than an agent's last moment.</summary>
public sealed partial class EnforcementTests
{
    /// <summary>TCP tries a second and a third time: a user-space switch loses packets while links of its node come and go.</summary>
    private static readonly TimeSpan Surely = TimeSpan.FromSeconds(3.5);

    private const string ClusterPolicies = "/apis/policy.networking.k8s.io/v1alpha2/clusternetworkpolicies";

    [Test]
    [Order(8)]
    public async Task A_domain_name_means_what_the_pod_itself_was_told_until_it_expires_whatever_happens_to_the_agent()
    {
        const uint life = 20;
        var (asker, other, server, target) = (await PodAsync("asker", "node1", "named"), await PodAsync("no-asker", "node1", "named"), await PodAsync("names", "node2", "names"), await PodAsync("target", "node2", "target"));
        await using var names = await NameServer.StartAsync(server, new Dictionary<string, IPAddress[]>
        {
            ["www.example.test"] = [target.V4, target.V6], ["example.test"] = [target.V4], ["www.another.test"] = [target.V4],
        }, life);
        await CreateAsync(ClusterPolicies, """
            {"apiVersion":"policy.networking.k8s.io/v1alpha2","kind":"ClusterNetworkPolicy","metadata":{"name":"names"},"spec":{"tier":"Admin","priority":3,
             "subject":{"pods":{"podSelector":{"matchLabels":{"role":"named"} },"namespaceSelector":{} } },
             "egress":[{"action":"Accept","to":[{"pods":{"podSelector":{"matchLabels":{"role":"names"} },"namespaceSelector":{} } }],"protocols":[{"udp":{"destinationPort":{"number":53} } },{"tcp":{"destinationPort":{"number":53} } }]},
                       {"action":"Accept","to":[{"domainNames":["*.Example.test."]}]},
                       {"action":"Deny","to":[{"networks":["0.0.0.0/0","::/0"]}]}]} }
            """);
        await Eventually.True("the pods are fenced in", async () => !await ConnectsAsync(asker, target, Denied) && !await ConnectsAsync(other, target, Denied), Patience);

        // Names that no rule means open nothing.
        foreach (var name in new[] { "example.test", "www.another.test" })
        {
            await Eventually.True($"an answer about {name}", async () => await NameServer.AskAsync(asker.Netns, server.V4, name) is [var a] && a.Equals(target.V4), Patience);
            Assert.That(await ConnectsAsync(asker, target, Denied), Is.False, name);
        }

        var learned = Stopwatch.GetTimestamp();
        await Eventually.True("an answer about www.example.test", async () => await NameServer.AskAsync(asker.Netns, server.V4, "www.example.test") is [var a] && a.Equals(target.V4), Patience);

        // At once: TCP would try again only after a second.
        Assert.That((await asker.Probe.TcpAsync(new IPEndPoint(target.V4, 80), AtOnce)).Outcome, Is.EqualTo(ProbeOutcome.Connected), "the flows were there before the answer");
        Assert.That(await ConnectsAsync(other, target, Denied), Is.False, "what one pod was told is nothing to another");
        Assert.That((await asker.Probe.TcpAsync(new IPEndPoint(target.V6, 80), Denied)).Outcome, Is.Not.EqualTo(ProbeOutcome.Connected), "IPv6 was not asked for");
        await Eventually.True("an answer by TCP", async () => await NameServer.AskAsync(asker.Netns, server.V4, "www.example.test", v6: true, tcp: true) is [var a] && a.Equals(target.V6), Patience);
        Assert.That((await asker.Probe.TcpAsync(new IPEndPoint(target.V6, 80), AtOnce)).Outcome, Is.EqualTo(ProbeOutcome.Connected), "the flows were there before the answer by TCP");
        Assert.That(await VerifyAsync("node1"), Is.Empty);

        await using var stream = await StreamAsync("a connection that exists", asker, target, v6: false, 94);
        await RestartAsync("node1/agent");
        await Eventually.True("the agent compared the switch", async () => (bool?)(await SyncAsync("node1"))["synced"] == true, Patience);
        Assert.That((long)(await SyncAsync("node1"))["flowsSent"]!, Is.Zero, "another agent plans the same");
        if (Stopwatch.GetElapsedTime(learned) < TimeSpan.FromSeconds(life - 4))
        {
            Assert.That(await ConnectsAsync(asker, target, Surely), Is.True, $"{Stopwatch.GetElapsedTime(learned).TotalSeconds:0} s after it was learned, with another agent");
        }

        await Eventually.True("the address expires", async () => !await ConnectsAsync(asker, target, Surely), Patience);
        Assert.That(Stopwatch.GetElapsedTime(learned).TotalSeconds, Is.GreaterThanOrEqualTo(life - 1), "not before its time");
        var echoes = stream.Echoes;
        await Eventually.True("the connection that exists goes on", () => stream.Echoes > echoes + 20, Patience);
        await Eventually.True("the switch is as planned", async () => await VerifyAsync("node1") == "", Patience);
        await Eventually.True("another answer opens it again", async () => await NameServer.AskAsync(asker.Netns, server.V4, "www.example.test") is not null && await ConnectsAsync(asker, target, Surely), Patience);
        await _lab.Api.DeleteAsync(ClusterPolicies + "/names", default);
    }

    [Test]
    [Order(9)]
    public async Task A_pod_that_is_younger_than_the_crash_of_controller_and_agent_is_guarded_all_the_same()
    {
        const string host = "230";
        await using var near = Knocker.Start(_clients[0].Netns);
        await using var far = Knocker.Start(_clients[1].Netns);
        near.Aim(AddressOf("node1", host));
        far.Aim(AddressOf("node1", host));
        var pod = await PodAsync("youngest", "node1", "guarded", host);
        await Task.WhenAll(_lab.Cluster.StopAsync("controller", force: true, default), _lab.Cluster.StopAsync("node1/agent", force: true, default));
        try
        {
            _lab.Cluster.StartAgain("node1/agent");
            await Eventually.True("the agent answering again", () => _lab.IsAgentReadyAsync("node1"), Patience);
            await Eventually.True("the agent compared the switch", async () => (bool?)(await SyncAsync("node1"))["synced"] == true, Patience);
            var (knocks, knocksFar) = (near.Knocks, far.Knocks);
            await Eventually.True("knocking goes on", () => near.Knocks > knocks + 100 && far.Knocks > knocksFar + 100, Patience);
        }
        finally
        {
            _lab.Cluster.StartAgain("controller");
        }

        Assert.That(await ReceivedAsync(pod.Netns), Is.Empty);
        Assert.That(near.Answers.Concat(far.Answers), Is.Empty);
        await ReachAsync("after the controller started again");
    }

    private async Task<JsonNode> SyncAsync(string node) =>
        JsonNode.Parse(await TestLab.InAsync(_lab.Cluster.Layout.Node(node), "curl", "-s", "http://127.0.0.1:10351/sync"))!;

    /// <summary>What <c>weft-agent --verify</c> says; empty when the node is as planned.</summary>
    private async Task<string> VerifyAsync(string node)
    {
        string[] command = [.. _lab.Cluster.Layout.Node(node).Wrap([.. new LabPrograms().Agent, "--config", Path.Combine(_lab.Cluster.Layout.NodeFolder(node), "agent.json"), "--verify"])];
        var result = await Shell.TryRunAsync(command[0], command[1..], null, null, Patience, CancellationToken.None);
        return result.ExitCode == 0 ? "" : result.Output + result.Error;
    }
}
