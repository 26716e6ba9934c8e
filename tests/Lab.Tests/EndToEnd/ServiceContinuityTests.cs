using System.Net;
using System.Text.Json.Nodes;
using Weft.Lab.Probes;
using Weft.TestSupport;

namespace Weft.Lab.Tests.EndToEnd;

/// <summary>New connections through a Service while things change under it: 200 a second, and none may fail.</summary>
public sealed class ServiceContinuityTests
{
    private const int PerSecond = 200;

    // A SYN that is lost is sent again after 1 s and once more after 3 s: what fails after this has really failed.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    // Ends slowly, as programs that drain do; the server itself is the test's own. Longer than a lost SYN takes: a user-space switch loses packets
    // to other nodes whenever a link of its node comes or goes (route_table_reset), and conntrack keeps the endpoint that the first SYN was given.
    private static readonly string[] Draining = ["sh", "-c", "trap 'sleep 3.5; exit 0' TERM; while :; do sleep 0.1; done"];

    private readonly List<ProbeServer> _servers = [];
    private TestLab _lab = null!;
    private TestPod _client = null!;
    private IPEndPoint _service = null!;

    [OneTimeSetUp]
    public async Task StartLab()
    {
        _lab = await TestLab.UpAsync("sc");
        _client = await _lab.PodAsync("node1");
        var service = await _lab.Api.CreateAsync("/api/v1/namespaces/default/services", JsonNode.Parse("""
            {"apiVersion":"v1","kind":"Service","metadata":{"name":"web"},"spec":{"selector":{"app":"web"},"ports":[{"port":8000,"targetPort":80}]}}
            """)!.AsObject(), CancellationToken.None);
        _service = new IPEndPoint(IPAddress.Parse((string)service["spec"]!["clusterIP"]!), 8000);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(i => AddServerAsync($"old-{i}")));
        await ServersAreAsync("old-", 4);
    }

    [OneTimeTearDown]
    public async Task EndLab()
    {
        foreach (var server in _servers)
        {
            await server.DisposeAsync();
        }

        if (_lab is not null)
        {
            await _lab.DisposeAsync();
        }
    }

    [Test]
    [Order(3)]
    public async Task A_rolling_update_fails_no_request()
    {
        await using var load = SteadyConnections.Start(_client.Probe, _service, PerSecond, Patience);
        for (var i = 0; i < 4; i++)
        {
            await AddServerAsync($"new-{i}", i % 2 == 0 ? "node1" : "node2");
            await _lab.DeletePodAsync($"old-{i}");
        }

        // And one of the other node goes, too.
        await AddServerAsync("new-4", "node2");
        await _lab.DeletePodAsync("new-1");
        await ServersAreAsync("new-", 4);
        var results = await load.StopAsync();
        await TestContext.Progress.WriteLineAsync($"rolling update: {results.Count} requests in {load.Now.TotalSeconds:0.0} s, slowest {results.Max(r => r.Result.Elapsed).TotalMilliseconds:0} ms");
        Assert.That(string.Join('\n', SteadyConnections.Failures(results).Take(10)), Is.Empty);
    }

    [Test]
    [Order(1)]
    public async Task Restarting_the_agent_fails_no_connection()
    {
        const string Agent = "node1/agent";
        var restarts = TestLab.Full ? 20 : 3;
        await using var load = SteadyConnections.Start(_client.Probe, _service, PerSecond, Patience);
        for (var i = 0; i < restarts; i++)
        {
            await _lab.Cluster.StopAsync(Agent, force: true, CancellationToken.None);
            _lab.Cluster.StartAgain(Agent);
            await Eventually.True("the agent answering again", () => _lab.IsAgentReadyAsync("node1"), TimeSpan.FromSeconds(20));
        }

        var results = await load.StopAsync();
        await TestContext.Progress.WriteLineAsync($"{restarts} agent restarts: {results.Count} connections, slowest {results.Max(r => r.Result.Elapsed).TotalMilliseconds:0} ms");
        Assert.That(string.Join('\n', SteadyConnections.Failures(results).Take(10)), Is.Empty);
    }

    [Test]
    [Order(2)]
    public async Task A_restarted_switch_serves_again_within_two_seconds()
    {
        const string Switch = "node1/ovs-vswitchd";
        await using var load = SteadyConnections.Start(_client.Probe, _service, PerSecond, TimeSpan.FromMilliseconds(300));
        await Eventually.True("load under way", () => load.Now > TimeSpan.FromSeconds(0.5));
        var stopped = load.Now;
        await _lab.Cluster.StopAsync(Switch, force: true, CancellationToken.None);
        _lab.Cluster.StartAgain(Switch);
        var back = load.Now;
        await Eventually.True("the switch answering", () => _lab.IsSwitchUpAsync("node1"), TimeSpan.FromSeconds(20));
        var answering = load.Now;
        await Eventually.True("the Service answering again", async () =>
            (await _client.Probe.TcpAsync(_service, TimeSpan.FromMilliseconds(300))).Outcome == ProbeOutcome.Connected, TimeSpan.FromSeconds(30));
        var serving = load.Now;
        await Eventually.True("some more load", () => load.Now > serving + TimeSpan.FromSeconds(1));
        var results = await load.StopAsync();
        var lastFailure = results.Where(r => r.Result.Outcome != ProbeOutcome.Connected).Select(r => r.At).DefaultIfEmpty(stopped).Max();
        await TestContext.Progress.WriteLineAsync(
            $"ovs-vswitchd restarted: without service for {(lastFailure - stopped).TotalMilliseconds:0} ms, of it {(lastFailure - answering).TotalMilliseconds:0} ms after it answered OpenFlow, {(lastFailure - back).TotalMilliseconds:0} ms after it was started");
        Assert.That(lastFailure - answering, Is.LessThan(TimeSpan.FromSeconds(2)));
    }

    private async Task AddServerAsync(string name, string node = "node1")
    {
        await _lab.CreatePodAsync(node, name, Draining, new JsonObject { ["terminationGracePeriodSeconds"] = 10 });
        var pod = await _lab.ReadyPodAsync(name);
        _servers.Add(await pod.ServeAsync());
        // Only now is it an endpoint: the server answers before the first connection can come.
        await _lab.Api.PatchAsync(TestLab.PodPath(name), new JsonObject { ["metadata"] = new JsonObject { ["labels"] = new JsonObject { ["app"] = "web" } } }, CancellationToken.None);
    }

    private async Task ServersAreAsync(string prefix, int count)
    {
        await Eventually.True($"all servers are {prefix}", async () =>
        {
            var seen = new HashSet<string>();
            for (var i = 0; i < 40; i++)
            {
                seen.Add((await _client.Probe.TcpAsync(_service)).Server);
            }

            return seen.Count == count && seen.All(s => s.StartsWith(prefix, StringComparison.Ordinal));
        }, TimeSpan.FromSeconds(20));
    }
}
