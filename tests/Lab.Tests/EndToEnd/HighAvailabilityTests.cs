using System.Diagnostics;
using System.Text.Json.Nodes;
using Weft.Lab.Cluster;
using Weft.Lab.Net;
using Weft.Lab.Probes;
using Weft.TestSupport;

namespace Weft.Lab.Tests.EndToEnd;

/// <summary>Two controllers, real agents and switches: the leader dies, and nothing of what is forwarded notices.</summary>
public sealed class HighAvailabilityTests
{
    private static readonly TimeSpan TakeOver = TimeSpan.FromSeconds(5);

    private TestLab _lab = null!;

    [OneTimeSetUp]
    public async Task StartLab() => _lab = await TestLab.UpAsync("ha", controllers: 2);

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
    public async Task When_the_leader_is_killed_the_standby_publishes_within_seconds_and_no_flow_or_ping_is_lost()
    {
        var pods = await _lab.PodsAsync("node1", "node2", "node1");
        await PolicyAsync("web", pods[0].Name, """[{"from":[{"podSelector":{}}]}]""");
        await Eventually.True("the policy's flows", async () => (await _lab.FlowsAsync("node1")).Any(l => l.Contains("conj", StringComparison.Ordinal)), TimeSpan.FromSeconds(20));
        await using var steady = await SteadyPing.StartAsync((pods[0], pods[1].V4), (pods[1], pods[0].V6));
        var (node1, node2) = (await _lab.AddedAtAsync("node1"), await _lab.AddedAtAsync("node2"));
        var leader = (await LeaderAsync())!;
        var standby = leader == "controller" ? "controller-2" : "controller";

        await _lab.Cluster.StopAsync(leader, force: true, CancellationToken.None);
        var clock = Stopwatch.StartNew();
        await PolicyAsync("late", pods[2].Name, "[]");
        await Eventually.True($"{standby} to publish the new policy", async () =>
            (await _lab.AddedAtAsync("node1")).Keys.Except(node1.Keys).Any(), TimeSpan.FromSeconds(20));
        var published = clock.Elapsed;
        await TestContext.Progress.WriteLineAsync($"a policy made when the leader died was in force after {published.TotalSeconds:0.0} s");
        Assert.That(published, Is.LessThan(TakeOver));
        Assert.That((await pods[1].Probe.PingAsync(pods[2].V4)).Outcome, Is.Not.EqualTo(ProbeOutcome.Connected));

        var lost = await steady.StopAsync();
        Assert.Multiple(async () =>
        {
            Assert.That(lost, Is.Empty, "pings");
            Assert.That(Lost(node1, await _lab.AddedAtAsync("node1")), Is.Empty, "flows of node1 that went or were added anew");
            Assert.That(Lost(node2, await _lab.AddedAtAsync("node2")), Is.Empty, "flows of node2 that went or were added anew");
        });
        _lab.Cluster.StartAgain(leader);
        await Eventually.True("both controllers", async () => await LeaderAsync() == standby);
    }

    [Test]
    [Order(2)]
    public async Task Agents_have_no_right_at_the_API_server_and_no_connection_to_it()
    {
        var token = (await File.ReadAllTextAsync(Path.Combine(_lab.Cluster.Layout.NodeFolder("node1"), "token"))).Trim();
        string[] paths =
        [
            "/api/v1/nodes", "/api/v1/nodes/node1", "/api/v1/pods", "/api/v1/namespaces", "/api/v1/services", "/api/v1/secrets", "/api/v1/namespaces/weft-system/configmaps",
            "/apis/networking.k8s.io/v1/networkpolicies", "/apis/discovery.k8s.io/v1/endpointslices", "/apis/topology.weft.dev/v1alpha1/logicalports",
            "/apis/weft.dev/v1alpha1/vpcs", "/apis/coordination.k8s.io/v1/namespaces/weft-system/leases",
        ];
        foreach (var path in paths)
        {
            var status = await InControlPlaneAsync("curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", "-H", $"Authorization: Bearer {token}",
                $"https://{LabCluster.ControlPlaneAddress}:6443{path}");
            Assert.That(status, Is.AnyOf("401", "403"), path);
        }

        var connections = await TestLab.InAsync(_lab.Cluster.Layout.Node("node1"), "ss", "-Htn", "state", "established");
        Assert.Multiple(() =>
        {
            Assert.That(connections, Does.Match($@"{LabCluster.ControlPlaneAddress}\]?:744"), "the agent is connected to a controller");
            Assert.That(connections, Does.Not.Contain(":6443"), "and to nothing else of the control plane");
        });
    }

    private Task<string> InControlPlaneAsync(params string[] command) => TestLab.InAsync(_lab.Cluster.Layout.ControlPlane, command);

    /// <summary>Flows that are not there any more, or are younger than they were.</summary>
    private static IEnumerable<string> Lost(Dictionary<string, DateTimeOffset> before, Dictionary<string, DateTimeOffset> after) =>
        before.Where(f => !after.TryGetValue(f.Key, out var added) || (added - f.Value).TotalSeconds > 1.5).Select(f => f.Key);

    /// <summary>The role of the controller that serves.</summary>
    private async Task<string?> LeaderAsync()
    {
        foreach (var (role, port) in new[] { ("controller", 7443), ("controller-2", 7444) })
        {
            // Without a token the leader asks for one; a standby says that it does not lead.
            string[] command = [.. _lab.Cluster.Layout.ControlPlane.Wrap(
            [
                Shell.Find("curl"), "-sk", "-o", "/dev/null", "-w", "%{http_code}", $"https://{LabCluster.ControlPlaneAddress}:{port}/v1/nodes/node1/stream",
            ])];
            var result = await Shell.TryRunAsync(command[0], command[1..], null, null, TimeSpan.FromSeconds(10), CancellationToken.None);
            if (result.Output.Trim() == "401")
            {
                return role;
            }
        }

        return null;
    }

    private Task PolicyAsync(string name, string pod, string ingress) => _lab.Api.CreateAsync("/apis/networking.k8s.io/v1/namespaces/default/networkpolicies", new JsonObject
    {
        ["apiVersion"] = "networking.k8s.io/v1",
        ["kind"] = "NetworkPolicy",
        ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = "default" },
        ["spec"] = new JsonObject
        {
            ["podSelector"] = new JsonObject { ["matchLabels"] = new JsonObject { ["pod"] = pod } },
            ["policyTypes"] = new JsonArray("Ingress"),
            ["ingress"] = JsonNode.Parse(ingress),
        },
    }, CancellationToken.None);
}
