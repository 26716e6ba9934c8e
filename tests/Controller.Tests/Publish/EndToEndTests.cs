using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Weft.TestSupport;
using Weft.Topology;

namespace Weft.Controller.Tests.Publish;

/// <summary>The whole controller against a scripted API server, read over HTTPS as an agent does.</summary>
public sealed class EndToEndTests
{
    private FakeApiServer _api = null!;
    private DirectoryInfo _folder = null!;
    private WebApplication? _controller;

    [SetUp]
    public async Task Start()
    {
        _folder = Directory.CreateTempSubdirectory("weft-controller-");
        _api = await FakeApiServer.StartAsync();
        _api.Put("/api/v1/nodes", Manifests.Node("node1", "172.30.0.11", "10.244.1.0/24", "fd00:10:244:1::/64"));
        _api.Put("/api/v1/nodes", Manifests.Node("node2", "172.30.0.12", "10.244.2.0/24", "fd00:10:244:2::/64"));
        _api.Put("/api/v1/namespaces", Manifests.Namespace("prod"));
    }

    [TearDown]
    public async Task Stop()
    {
        if (_controller is not null)
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(2));
            await _controller.StopAsync(limit.Token);
            await _controller.DisposeAsync();
        }

        await _api.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Test]
    public async Task An_agent_gets_a_snapshot_of_its_node_and_then_deltas()
    {
        _api.Put("/api/v1/pods", Manifests.Pod("prod", "a", "node1", "10.244.1.2"));
        _api.Put("/api/v1/pods", Manifests.Pod("prod", "b", "node2", "10.244.2.2"));
        await StartControllerAsync();
        await using var agent = await ConnectAsync("node1");
        var frames = await agent.ReadSnapshotAsync();
        var items = frames.OfType<SnapshotItem>().Select(f => f.Item).ToList();
        Assert.Multiple(() =>
        {
            Assert.That(items.OfType<ClusterSettings>().Single().Tunnel, Is.EqualTo(TunnelType.Gre));
            Assert.That(items.OfType<Topology.Network>().Single().Key, Is.EqualTo(Topology.Network.DefaultKey));
            Assert.That(items.OfType<NodeEndpoint>().Select(e => e.Id), Is.EquivalentTo(new[] { "node1", "node2" }));
            Assert.That(items.OfType<LogicalPort>().Select(p => p.Id), Is.EqualTo(new[] { "prod/a" }));
            Assert.That(items.OfType<LogicalSwitch>().Single().Subnets, Is.EqualTo(new[]
            {
                new SwitchSubnet("10.244.1.0/24", "10.244.1.1"), new SwitchSubnet("fd00:10:244:1::/64", "fd00:10:244:1::1"),
            }));
            Assert.That(items.OfType<LogicalRouter>().Single().Switches, Is.EqualTo(new[] { "node1" }));
        });

        _api.Put("/api/v1/pods", Manifests.Pod("prod", "c", "node1", null));
        var added = (Delta)await agent.ReadAsync();
        Assert.That(added.Upserts.OfType<LogicalPort>().Single().Id, Is.EqualTo("prod/c"));
        _api.Delete("/api/v1/pods", "prod", "a");
        var removed = (Delta)await agent.ReadAsync();
        Assert.That(removed.Deletes, Is.EqualTo(new[] { new ItemRef(ItemKind.LogicalPort, "prod/a") }));
    }

    [Test]
    public async Task An_agent_that_comes_back_gets_only_what_it_missed()
    {
        await StartControllerAsync();
        var first = await ConnectAsync("node1");
        var end = (SnapshotEnd)(await first.ReadSnapshotAsync())[^1];
        await first.DisposeAsync();
        _api.Put("/api/v1/pods", Manifests.Pod("prod", "late", "node1", null));
        await Eventually.True("the pod in the controller", () => Publisher.Read(n => n.PodCount) == 1);
        await using var again = await ConnectAsync("node1", $"?epoch={end.Epoch}&revision={end.Revision}");
        var delta = (Delta)await again.ReadAsync();
        Assert.That(delta.Upserts.Select(i => i.Id), Is.EqualTo(new[] { "prod/late" }));
    }

    [Test]
    public async Task An_agent_of_another_controller_that_has_everything_gets_no_snapshot()
    {
        _api.Put("/api/v1/pods", Manifests.Pod("prod", "a", "node1", "10.244.1.2"));
        _api.Put("/apis/networking.k8s.io/v1/networkpolicies", """{"metadata":{"namespace":"prod","name":"np"},"spec":{"podSelector":{},"ingress":[{"from":[{"podSelector":{}}]}]}}""");
        await StartControllerAsync();
        await using var first = await ConnectAsync("node1");
        var items = (await first.ReadSnapshotAsync()).OfType<SnapshotItem>().Select(i => i.Item).ToList();
        var digest = SliceDigest.ToText(SliceDigest.Of(items));

        await using var same = await ConnectAsync("node1", $"?epoch=another&revision=77&digest={digest}");
        var resumed = (Resumed)await same.ReadAsync();
        Assert.That(resumed.Epoch, Is.EqualTo(Publisher.Epoch));
        _api.Put("/api/v1/pods", Manifests.Pod("prod", "b", "node1", null));
        Assert.That(((Delta)await same.ReadAsync()).Upserts.OfType<LogicalPort>().Single().Id, Is.EqualTo("prod/b"));

        await using var different = await ConnectAsync("node1", $"?epoch=another&revision=77&digest={digest}");
        Assert.That(await different.ReadAsync(), Is.InstanceOf<SnapshotBegin>());
    }

    [Test]
    public async Task Nothing_is_sent_before_every_watch_is_in_sync()
    {
        var hold = new TaskCompletionSource();
        _api.Intercept = async http =>
        {
            if (http.Request.Path == "/apis/networking.k8s.io/v1/networkpolicies")
            {
                await hold.Task;
            }

            return false;
        };
        await StartControllerAsync(waitForSync: false);
        var connecting = ConnectAsync("node1");
        await Eventually.True("the pods' watch", () => _api.Requests.Any(r => r.StartsWith("GET /api/v1/pods?watch", StringComparison.Ordinal)));
        Assert.That(connecting.IsCompleted, Is.False);
        hold.SetResult();
        await using var agent = await connecting;
        Assert.That((await agent.ReadSnapshotAsync())[0], Is.InstanceOf<SnapshotBegin>());
    }

    [Test]
    public async Task A_node_without_pod_CIDR_gets_a_condition_and_an_event_and_others_go_on()
    {
        _api.Put("/api/v1/nodes", Manifests.Node("bare", "172.30.0.13"));
        await StartControllerAsync();
        await Eventually.True("the condition", () => Condition("bare")?.Contains("NoPodCIDR", StringComparison.Ordinal) == true);
        await Eventually.True("the event", () => _api.All("/api/v1/events").Any(e => e["reason"]!.GetValue<string>() == "NoPodCIDR"));
        await using var agent = await ConnectAsync("node1");
        Assert.That(await agent.ReadSnapshotAsync(), Is.Not.Empty);
        await using var bare = await ConnectAsync("bare");
        Assert.That((await bare.ReadSnapshotAsync()).OfType<SnapshotItem>().Any(i => i.Item is LogicalSwitch), Is.False);
    }

    [Test]
    public async Task A_report_of_realised_state_makes_the_network_available()
    {
        await StartControllerAsync();
        using var http = Client();
        var report = JsonSerializer.Serialize(new NodeReport { Node = "node1", Epoch = "e", Revision = 1 }, TopologyJson.Default.NodeReport);
        using var answer = await http.PostAsync(new Uri("/v1/nodes/node1/report", UriKind.Relative), new StringContent(report));
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.NoContent));
        await Eventually.True("NetworkUnavailable=False", () => Condition("node1")?.Contains("\"status\":\"False\"", StringComparison.Ordinal) == true);
    }

    [Test]
    public async Task What_an_agent_says_is_wrong_with_a_pod_is_an_event_of_the_pod()
    {
        _api.Put("/api/v1/pods", Manifests.Pod("prod", "a", "node1", null));
        await StartControllerAsync();
        using var http = Client();
        var report = JsonSerializer.Serialize(
            new NodeReport { Node = "node1", Problems = [new NodeProblem("PortFailed", "pod prod/a", "the port could not be opened"), new NodeProblem("PortFailed", "pod prod/nobody", "?")] },
            TopologyJson.Default.NodeReport);
        using var answer = await http.PostAsync(new Uri("/v1/nodes/node1/report", UriKind.Relative), new StringContent(report));
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.NoContent));
        await Eventually.True("the event", () => _api.All("/api/v1/events").Any(e => e["reason"]!.GetValue<string>() == "PortFailed"));
        var told = _api.All("/api/v1/events").Single(e => e["reason"]!.GetValue<string>() == "PortFailed");
        Assert.Multiple(() =>
        {
            Assert.That(told["involvedObject"]!["uid"]!.GetValue<string>(), Is.EqualTo("prod-a"), "kubectl describe finds events by the uid");
            Assert.That(told["message"]!.GetValue<string>(), Is.EqualTo("on node node1: the port could not be opened"));
        });
    }

    [Test]
    public async Task A_new_certificate_is_shown_to_new_connections_and_the_old_ones_go_on()
    {
        await StartControllerAsync();
        await using var agent = await ConnectAsync("node1");
        await agent.ReadSnapshotAsync();
        var before = await ShownAsync();
        var folder = Path.Combine(_folder.FullName, "tls");
        File.Delete(Path.Combine(folder, "tls.crt"));
        _ = new Controller.Publish.ServerCertificates(folder, ["localhost", "127.0.0.1"], TimeProvider.System);

        await using var late = await ConnectAsync("node2");
        Assert.That(await late.ReadSnapshotAsync(), Is.Not.Empty, "agents trust the authority, not the certificate");
        Assert.That(await ShownAsync(), Is.Not.EqualTo(before));
        _api.Put("/api/v1/pods", Manifests.Pod("prod", "after", "node1", null));
        Assert.That(((Delta)await agent.ReadAsync()).Upserts.Select(i => i.Id), Does.Contain("prod/after"));
    }

    [Test]
    public async Task A_kind_whose_list_is_slow_holds_back_the_first_word_but_nothing_that_is_known_later()
    {
        var slow = false;
        _api.Intercept = async http =>
        {
            if (slow && http.Request.Path == "/api/v1/services" && !http.Request.QueryString.Value!.Contains("watch", StringComparison.Ordinal))
            {
                await Task.Delay(Timeout.Infinite, http.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                return true;
            }

            return false;
        };
        await StartControllerAsync();
        await using var agent = await ConnectAsync("node1");
        await agent.ReadSnapshotAsync();

        // Everything is listed again, and the list of Services does not come: the others go on.
        slow = true;
        _api.Compact();
        _api.EndWatches();
        _api.Put("/api/v1/pods", Manifests.Pod("prod", "meanwhile", "node1", null));
        Assert.That(((Delta)await agent.ReadAsync()).Upserts.Select(i => i.Id), Does.Contain("prod/meanwhile"));
    }

    [Test]
    public async Task A_report_that_is_broken_or_of_another_node_is_refused_with_the_reason()
    {
        await StartControllerAsync();
        using var http = Client();
        using var broken = await http.PostAsync(new Uri("/v1/nodes/node1/report", UriKind.Relative), new StringContent("{"));
        using var foreign = await http.PostAsync(new Uri("/v1/nodes/node1/report", UriKind.Relative), new StringContent("""{"node":"node2"}"""));
        Assert.Multiple(() =>
        {
            Assert.That(broken.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest));
            Assert.That(foreign.StatusCode, Is.EqualTo(HttpStatusCode.BadRequest));
        });
        Assert.That(await foreign.Content.ReadAsStringAsync(), Does.Contain("node2"));
    }

    [Test]
    public async Task An_unknown_node_is_told_so()
    {
        await StartControllerAsync();
        using var http = Client();
        using var answer = await http.GetAsync(new Uri("/v1/nodes/nobody/stream", UriKind.Relative));
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
        Assert.That(await answer.Content.ReadAsStringAsync(), Does.Contain("nobody"));
    }

    [Test]
    public async Task Objects_that_cannot_be_read_or_used_are_skipped_and_the_others_go_on()
    {
        _api.Put("/api/v1/pods", """{"metadata":{"namespace":"prod","name":"odd"},"spec":{"nodeName":["x"]}}""");
        _api.Put("/api/v1/pods", Manifests.Pod("prod", "a", "node1", "10.244.1.2"));
        _api.Put("/apis/networking.k8s.io/v1/networkpolicies",
            """{"metadata":{"namespace":"prod","name":"bad"},"spec":{"podSelector":{},"ingress":[{"ports":[{"protocol":"ICMP"}]}]}}""");
        await StartControllerAsync();
        await using var agent = await ConnectAsync("node1");
        var ports = (await agent.ReadSnapshotAsync()).OfType<SnapshotItem>().Select(i => i.Item).OfType<LogicalPort>();
        Assert.That(ports.Select(p => p.Id), Is.EqualTo(new[] { "prod/a" }));
        await Eventually.True("an event that names the field", () => _api.All("/api/v1/events")
            .Any(e => e["message"]!.GetValue<string>().Contains("spec.ingress[0].ports[0].protocol", StringComparison.Ordinal)));
    }

    private Controller.Publish.Publisher Publisher => (Controller.Publish.Publisher)_controller!.Services.GetService(typeof(Controller.Publish.Publisher))!;

    private string? Condition(string node) => _api.Find("/api/v1/nodes", null, node)?["status"]?["conditions"]?.ToJsonString();

    private async Task StartControllerAsync(bool waitForSync = true)
    {
        _controller = ControllerWiring.Build(new ControllerOptions
        {
            Kubeconfig = _api.WriteKubeconfig(_folder.FullName),
            Listen = "127.0.0.1:0",
            TlsDir = Path.Combine(_folder.FullName, "tls"),
            Tunnel = "gre",
            AgentAuthentication = "none",
        });
        await _controller.StartAsync();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        await ((Leadership)_controller.Services.GetService(typeof(Leadership))!).WaitAsync(limit.Token);
        if (waitForSync)
        {
            await Publisher.Synced.WaitAsync(TimeSpan.FromSeconds(10));
        }
    }

    private HttpClient Client() => TestAgent.Client(_controller!.Urls.First(), Path.Combine(_folder.FullName, "tls", "ca.crt"));

    private Task<TestAgent> ConnectAsync(string node, string query = "") => TestAgent.ConnectAsync(Client(), node, query);

    /// <summary>The thumbprint of the certificate that a new connection is shown.</summary>
    private async Task<string> ShownAsync()
    {
        using var tcp = new System.Net.Sockets.TcpClient();
        var at = new Uri(_controller!.Urls.First());
        await tcp.ConnectAsync(at.Host, at.Port);
        await using var tls = new System.Net.Security.SslStream(tcp.GetStream(), leaveInnerStreamOpen: false, (_, _, _, _) => true);
        await tls.AuthenticateAsClientAsync("localhost");
        return tls.RemoteCertificate!.GetCertHashString();
    }
}
