using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Weft.Lab.Net;
using Weft.Lab.Probes;
using Weft.TestSupport;

namespace Weft.Lab.Tests.EndToEnd;

/// <summary>A node's host network and its tenant pods, while the kubelet and the agent come and go.</summary>
public sealed class HostNetworkTests
{
    private static readonly AddressFamily[] Families = [AddressFamily.InterNetwork, AddressFamily.InterNetworkV6];
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(400);
    private static readonly ProbeOutcome[] All = [ProbeOutcome.Connected, ProbeOutcome.Connected, ProbeOutcome.Connected];
    private TestLab _lab = null!;
    private TenantPod _pod = null!;
    private ProbeServer? _server;

    [OneTimeSetUp]
    public async Task StartLab()
    {
        _lab = await TestLab.UpAsync("hn", nodes: 1);
        if (_lab.Cluster.State.Cgroups is null)
        {
            Assert.Ignore($"the lab has no cgroups: {_lab.Cluster.State.WhyNoCgroups}");
        }

        await _lab.TenantAsync("red", "10.0.0.0/24", "fd00:a::/64");
    }

    [OneTimeTearDown]
    public async Task EndLab()
    {
        if (_lab is not null)
        {
            await _lab.DisposeAsync();
        }
    }

    [SetUp]
    public async Task MakePod()
    {
        var container = new JsonObject
        {
            ["name"] = "main",
            ["image"] = "none",
            ["command"] = TenantLab.HttpServer(8080),
            ["readinessProbe"] = JsonNode.Parse("""{"httpGet":{"port":8080},"periodSeconds":1,"failureThreshold":1}"""),
            ["livenessProbe"] = JsonNode.Parse("""{"tcpSocket":{"port":8080},"periodSeconds":1,"failureThreshold":5}"""),
        };
        _pod = await _lab.TenantPodAsync("red", "probed", "node1", container: container);
        _server = await _pod.ServeAsync();
    }

    [TearDown]
    public async Task RemovePod()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        await _lab.DeleteTenantPodAsync("red", "probed");
    }

    [Test]
    public async Task A_pod_of_the_host_network_is_refused_and_kubectl_has_its_own_way_in()
    {
        await TestLab.NeedsKubectlWithWebSocketsAsync();
        await _lab.CreatePodAsync("node1", "host", command: ["sleep", "600"], more: new JsonObject { ["hostNetwork"] = true });
        await _lab.ReadyPodAsync("host");
        foreach (var family in Families)
        {
            var url = $"http://{new IPEndPoint(_pod.Alias(family), 8080)}/";
            Assert.That(await CurlAsync("exec", "host", "--", "curl", "-sg", "-m", "5", "-o", "/dev/null", "-w", "%{http_code} %{time_total}", url), Does.Match("^000 [0-3][.]"), $"refused at once: {url}");
            Assert.That(await CurlAsync("exec", "-n", "red", "probed", "--", "curl", "-sg", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}", $"http://localhost:8080/"), Is.EqualTo("200"));
        }

        await _lab.DeletePodAsync("host");

        // What curl says of a failure is not kubectl's.
        async Task<string> CurlAsync(params string[] arguments) => (await _lab.KubectlAsync([.. arguments[..(Array.IndexOf(arguments, "--") + 1)], "sh", "-c", """ "$@" || true""", "sh", .. arguments[(Array.IndexOf(arguments, "--") + 1)..]])).Trim();
    }

    [Test]
    public async Task A_kubelet_that_restarts_probes_again_at_once()
    {
        Assert.That(await AsKubeletAsync(), Is.EqualTo(All));
        await _lab.Cluster.StopAsync("kubelets", force: true, CancellationToken.None);
        try
        {
            var kubelet = _lab.Cluster.State.Cgroups!.Folder("kubelet");
            await Eventually.True("the old cgroup removed", () => IsRemoved(kubelet), TimeSpan.FromSeconds(20));
            Directory.CreateDirectory(kubelet);
            var begun = Stopwatch.GetTimestamp();
            await Eventually.True("the new cgroup is let through", async () => (await AsKubeletAsync()).SequenceEqual(All), TimeSpan.FromSeconds(20));
            TestContext.Out.WriteLine($"a new kubelet reaches its pods after {Stopwatch.GetElapsedTime(begun).TotalMilliseconds:0} ms, one try included");
            await NobodyElseAsync();
        }
        finally
        {
            _lab.Cluster.StartAgain("kubelets");
        }

        // The hollow kubelet makes its pods anew; they are ready only when its probes reach them.
        await _server!.DisposeAsync();
        _server = null;
        await Eventually.True("the pod in a new sandbox", async () => (await _lab.ReadTenantPodAsync("red", "probed")) is { } pod && pod.Netns != _pod.Netns, TimeSpan.FromSeconds(60));
        _pod = await _lab.ReadTenantPodAsync("red", "probed");
        _server = await _pod.ServeAsync();
        await NobodyElseAsync();
    }

    [Test]
    public async Task It_stays_closed_while_the_agent_is_dead_and_while_it_starts()
    {
        await _lab.Cluster.StopAsync("node1/agent", force: true, CancellationToken.None);
        await NobodyElseAsync();
        Assert.That(await AsKubeletAsync(), Is.EqualTo(All));

        using var stop = new CancellationTokenSource();
        var trying = Task.Run(async () =>
        {
            var connected = 0;
            for (var tries = 1; ; tries++)
            {
                var results = await Task.WhenAll(Families.SelectMany(f => new[] { Host.TcpAsync(Alias(f), Short), Host.UdpAsync(Alias(f), Short) }));
                connected += results.Count(r => r.Outcome == ProbeOutcome.Connected);
                if (stop.IsCancellationRequested)
                {
                    return (connected, tries);
                }
            }
        });
        _lab.Cluster.StartAgain("node1/agent");
        var second = await _lab.TenantPodAsync("red", "second", "node1");
        await stop.CancelAsync();
        var (reached, tried) = await trying;
        Assert.That(reached, Is.Zero, $"of {tried} rounds");
        Assert.That(tried, Is.GreaterThan(1));
        Assert.That(await AsKubeletAsync(), Is.EqualTo(All));

        // A pod's alias is closed when its ADD returns, and free when it is gone.
        Assert.That((await Host.PingAsync(second.Alias(AddressFamily.InterNetwork), timeout: Short)).Outcome, Is.Not.EqualTo(ProbeOutcome.Connected));
        Assert.That(await ListAsync(), Does.Contain(second.Alias(AddressFamily.InterNetwork).ToString()).And.Contain(second.Alias(AddressFamily.InterNetworkV6).ToString()));
        await _lab.DeleteTenantPodAsync("red", "second");
        Assert.That(await ListAsync(), Does.Not.Contain(second.Alias(AddressFamily.InterNetwork) + " ").And.Not.Contain(second.Alias(AddressFamily.InterNetworkV6) + " "));
    }

    [Test]
    public async Task A_node_whose_kubelet_cannot_be_told_says_so_and_its_probes_go_on()
    {
        var file = Path.Combine(_lab.Cluster.Layout.NodeFolder("node1"), "agent.json");
        var before = await File.ReadAllTextAsync(file);
        try
        {
            await RestartAgentAsync(before.Replace("/kubelet\"", "/nowhere\"", StringComparison.Ordinal));
            await ProblemsAsync(p => p.Contains("TenantsOpenToHostNetwork: processes of the host network reach this node's tenant pods: the node has no cgroup", StringComparison.Ordinal) && p.Contains("set tenants.kubeletCgroup", StringComparison.Ordinal));
            Assert.That(await AsKubeletAsync(), Is.EqualTo(All));
            Assert.That((await _lab.ReadTenantPodAsync("red", "probed")).Netns, Is.EqualTo(_pod.Netns), "it is as ready as it was");
        }
        finally
        {
            await RestartAgentAsync(before);
        }

        await ProblemsAsync(p => !p.Contains("TenantsOpenToHostNetwork", StringComparison.Ordinal));
        await NobodyElseAsync();
    }

    /// <summary>The kernel counts a process that ended until its parent has taken note.</summary>
    private static bool IsRemoved(string cgroup)
    {
        try
        {
            Directory.Delete(cgroup);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private NetnsProbe Host => new(_lab.Cluster.Layout.Node("node1"));

    private IPEndPoint Alias(AddressFamily family) => new(_pod.Alias(family), 80);

    private async Task<ProbeOutcome[]> AsKubeletAsync() =>
        [.. (await Task.WhenAll(Families.Select(f => _lab.AsKubeletAsync("node1", Alias(f))))).Aggregate(All, (a, b) => [.. a.Zip(b, (x, y) => x == ProbeOutcome.Connected ? y : x)])];

    private async Task NobodyElseAsync()
    {
        foreach (var family in Families)
        {
            var results = await Task.WhenAll(Host.TcpAsync(Alias(family), Short), Host.UdpAsync(Alias(family), Short), Host.PingAsync(Alias(family).Address, timeout: Short));
            Assert.That(results.Select(r => r.Outcome), Has.None.EqualTo(ProbeOutcome.Connected), $"a process of the host network to {Alias(family)}");
        }
    }

    private Task<string> ListAsync() => TestLab.InAsync(_lab.Cluster.Layout.Node("node1"), "sh", "-c", "nft list table inet weft_tenants | tr ',' ' '");

    private async Task RestartAgentAsync(string configuration)
    {
        await _lab.Cluster.StopAsync("node1/agent", force: true, CancellationToken.None);
        await File.WriteAllTextAsync(Path.Combine(_lab.Cluster.Layout.NodeFolder("node1"), "agent.json"), configuration);
        _lab.Cluster.StartAgain("node1/agent");
    }

    private async Task ProblemsAsync(Func<string, bool> expected)
    {
        var seen = "";
        await Eventually.True("the node's problems", async () =>
        {
            var state = await _lab.Api.FindAsync("/apis/topology.weft.dev/v1alpha1/nodestates/node1", CancellationToken.None);
            seen = state?["status"]?["problems"] is JsonArray problems ? string.Join("\n", problems.Select(p => $"{p!["reason"]}: {p["message"]}")) : "";
            return state is not null && expected(seen);
        }, TimeSpan.FromSeconds(60)).ContinueWith(t => t.IsFaulted ? throw new TimeoutException($"{t.Exception.InnerException!.Message}: {seen}") : 0, TaskScheduler.Default);
    }
}
