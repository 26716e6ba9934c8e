using System.Diagnostics;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Weft.Controller.Tests.Publish;
using Weft.TestSupport;
using Weft.Topology;

namespace Weft.Controller.Tests;

/// <summary>Two controllers at one API server: each reaches it through a path of its own, which the test can cut.</summary>
public sealed class FailoverTests
{
    private FakeApiServer _api = null!;
    private TemporaryFolder _folder = null!;
    private readonly List<WebApplication> _controllers = [];
    private volatile string _cut = "none";

    [SetUp]
    public async Task Start()
    {
        _folder = new TemporaryFolder();
        _api = await FakeApiServer.StartAsync();
        _api.Put("/api/v1/nodes", Manifests.Node("node1", "172.30.0.11", "10.244.1.0/24"));
        _api.Put("/api/v1/pods", Manifests.Pod("prod", "a", "node1", "10.244.1.2"));
        _cut = "none";
        _api.Intercept = http =>
        {
            var path = http.Request.Path.Value!;
            if (path.StartsWith($"/{_cut}/", StringComparison.Ordinal))
            {
                http.Abort();
                return Task.FromResult(true);
            }

            http.Request.Path = path[2..];
            return Task.FromResult(false);
        };
    }

    [TearDown]
    public async Task Stop()
    {
        foreach (var controller in _controllers)
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(1));
            await controller.StopAsync(limit.Token);
            await controller.DisposeAsync();
        }

        _controllers.Clear();
        await _api.DisposeAsync();
        _folder.Dispose();
    }

    [Test]
    public async Task When_the_leader_loses_Kubernetes_the_standby_serves_within_five_seconds_without_a_snapshot()
    {
        var first = await StartAsync("a");
        await Eventually.True("the first controller to lead", () => Leads(first));
        var second = await StartAsync("b");
        await using var agent = await TestAgent.ConnectAsync(Client(first), "node1", "");
        var items = (await agent.ReadSnapshotAsync()).OfType<SnapshotItem>().Select(i => i.Item).ToList();
        Assert.That((await StatusAsync(second)), Is.EqualTo(HttpStatusCode.ServiceUnavailable), "a standby does not serve");

        _cut = "a";
        _api.EndWatches();
        var clock = Stopwatch.StartNew();
        await Eventually.True("the second controller to lead", () => Leads(second), TimeSpan.FromSeconds(8));
        await using var moved = await TestAgent.ConnectAsync(Client(second), "node1", $"?epoch=old&revision=9&digest={SliceDigest.ToText(SliceDigest.Of(items))}");
        Assert.That(await moved.ReadAsync(), Is.InstanceOf<Resumed>());
        Assert.That(clock.Elapsed, Is.LessThan(TimeSpan.FromSeconds(5.5)));
        Assert.That(Leads(first), Is.False, "the old leader must have stopped before the new one started");
        Assert.That(async () => await agent.ReadAsync(), Throws.InstanceOf<Exception>(), "its streams have ended");
    }

    [Test]
    public async Task A_leader_that_stops_gives_its_place_up_at_once()
    {
        var first = await StartAsync("a");
        await Eventually.True("the first controller to lead", () => Leads(first));
        var second = await StartAsync("b");
        var clock = Stopwatch.StartNew();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await first.StopAsync(limit.Token);
        await Eventually.True("the second controller to lead", () => Leads(second));
        Assert.That(clock.Elapsed, Is.LessThan(TimeSpan.FromSeconds(3.5)));
    }

    private static bool Leads(WebApplication controller) => controller.Services.GetRequiredService<Leadership>().IsLeader;

    private HttpClient Client(WebApplication controller) => TestAgent.Client(controller.Urls.First(), _folder.File("tls/ca.crt"));

    private async Task<HttpStatusCode> StatusAsync(WebApplication controller)
    {
        using var http = Client(controller);
        using var answer = await http.GetAsync(new Uri("/v1/nodes/node1/stream", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
        return answer.StatusCode;
    }

    private async Task<WebApplication> StartAsync(string name)
    {
        Directory.CreateDirectory(_folder.File(name));
        var kubeconfig = _api.WriteKubeconfig(_folder.File(name));
        await File.WriteAllTextAsync(kubeconfig, (await File.ReadAllTextAsync(kubeconfig)).Replace(_api.Url.ToString(), $"{_api.Url}{name}", StringComparison.Ordinal));
        var controller = ControllerWiring.Build(new ControllerOptions
        {
            Kubeconfig = kubeconfig, Listen = "127.0.0.1:0", TlsDir = _folder.File("tls"), AgentAuthentication = "none",
        });
        _controllers.Add(controller);
        await controller.StartAsync();
        await controller.Services.GetRequiredService<Controller.Publish.Publisher>().Synced.WaitAsync(TimeSpan.FromSeconds(10));
        return controller;
    }
}
