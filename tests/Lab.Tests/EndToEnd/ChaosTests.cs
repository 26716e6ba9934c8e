using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Weft.Lab.Cluster;
using Weft.Lab.Kubelet;
using Weft.Lab.Net;
using Weft.TestSupport;

namespace Weft.Lab.Tests.EndToEnd;

/// <summary>Everything that can end does end, at random, while pods, Services and policies come and go and traffic goes on.</summary>
/// <remarks>
/// After each fault there is a quiet point: the switch and the host hold what an agent plans from nothing (<c>weft-agent --verify</c>),
/// pairs that may talk do, no address is there twice. Pairs that must not talk never do, not for one packet. What happens to agents and the control
/// plane costs no ping and no new connection. One thing is not the agent's: the lab's user-space switch drops its tunnel routes for a moment
/// (<c>route_table_reset</c>) whenever any link of its namespace comes or goes, so between nodes this is demanded in the rounds in which no pod comes
/// or goes, while Services, policies and tenants do; within a node it is demanded in all. WEFT_TEST_FULL=1 is the long form.
/// </remarks>
[Category("Chaos")]
public sealed class ChaosTests
{
    private const int ShortForm = 6;
    private const string Pods = "/api/v1/namespaces/default/pods";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Duration = TestLab.Full ? TimeSpan.FromMinutes(11) : TimeSpan.FromSeconds(75);
    private static readonly string[] Nodes = ["node1", "node2"];
    private const string TenantPods = "/api/v1/namespaces/blue/pods";
    private const string Services = "/api/v1/namespaces/default/services";
    private const string Policies = "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies";
    private const string Vpcs = "/apis/weft.dev/v1alpha1/vpcs";
    private const string Subnets = "/apis/weft.dev/v1alpha1/subnets";

    private readonly LabPrograms _programs = new();
    private TestLab _lab = null!;
    private TestPod[] _servers = [];
    private TestPod[] _clients = [];
    private TestPod[] _strangers = [];

    /// <summary>A fault: what is done, and whether a ping between pods that may talk may be lost meanwhile: never by what happens to agents and the control plane.</summary>
    private sealed record Fault(string Name, Func<Random, Task> Strike, bool MayLosePings = false);

    [OneTimeSetUp]
    public async Task StartLab()
    {
        _lab = await TestLab.UpAsync("cha");
        await CreateAsync(Policies, """
            {"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"servers"},"spec":{"podSelector":{"matchLabels":{"role":"server"}},
             "policyTypes":["Ingress"],"ingress":[{"from":[{"podSelector":{"matchLabels":{"role":"client"}}}]}]}}
            """);
        foreach (var (role, serves) in new[] { ("server", true), ("client", false), ("stranger", false) })
        {
            foreach (var node in Nodes)
            {
                await CreateAsync(Pods, PodOf($"{role}-{node}", node, role, serves ? "80" : null));
            }
        }

        await CreateAsync(Services, """
            {"apiVersion":"v1","kind":"Service","metadata":{"name":"servers"},"spec":{"selector":{"role":"server"},"ports":[{"port":80}]}}
            """);
        _servers = await Task.WhenAll(Nodes.Select(n => _lab.ReadyPodAsync($"server-{n}")));
        _clients = await Task.WhenAll(Nodes.Select(n => _lab.ReadyPodAsync($"client-{n}")));
        _strangers = await Task.WhenAll(Nodes.Select(n => _lab.ReadyPodAsync($"stranger-{n}")));
        await _lab.TenantAsync("blue", "10.10.0.0/24");
        await CreateTenantAsync("churn-first");
        await SettledAsync("the start");
        await QuietAsync("the start");
    }

    [OneTimeTearDown]
    public async Task EndLab()
    {
        if (_lab is not null)
        {
            await _lab.DisposeAsync();
        }
    }

    [Test]
    public async Task Random_faults_under_churn_leave_the_node_as_planned_and_let_nobody_through()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        var told = new List<string>();
        var faults = TestLab.Full ? Faults() : Faults()[..ShortForm];
        var begun = Stopwatch.GetTimestamp();
        await using var forbidden = ForbiddenTraffic.Start(_strangers, _servers);
        for (var round = 0; Stopwatch.GetElapsedTime(begun) < Duration; round++)
        {
            // Each in turn first, then at random.
            var fault = round < faults.Count ? faults[(round + seed % faults.Count + faults.Count) % faults.Count] : faults[random.Next(faults.Count)];
            told.Add($"{Stopwatch.GetElapsedTime(begun).TotalSeconds:0} s {fault.Name}");
            var story = $"seed {seed}: {string.Join(", ", told)}";
            var links = fault.MayLosePings || round % 2 == 1;
            await using var near = await SteadyPing.StartAsync([.. Nodes.Select((_, n) => (_clients[n], _servers[n].V4)), (_clients[0], _servers[0].V6)]);
            await using var far = await SteadyPing.StartAsync([(_clients[0], _servers[1].V4), (_clients[1], _servers[0].V4), (_clients[0], _servers[1].V6)]);
            await using var nearConnections = Connections(_clients[1], _servers[1]);
            await using var farConnections = Connections(_clients[1], _servers[0]);
            using var churn = new CancellationTokenSource();
            var churning = ChurnAsync(random.Next(), links, churn.Token);
            await fault.Strike(random);
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(200, 1500)));
            await churn.CancelAsync();
            await churning;
            await SettledAsync(story);

            // Removing the pods of the churn is quiet for nobody: what is measured ends before.
            string[] lost = [.. await near.StopAsync(), .. SteadyConnections.Failures(await nearConnections.StopAsync())];
            string[] lostBetween = [.. await far.StopAsync(), .. SteadyConnections.Failures(await farConnections.StopAsync())];
            await QuietAsync(story);
            Assert.That(fault.MayLosePings ? [] : lost, Is.Empty, $"lost within a node, {story}");
            Assert.That(links ? [] : lostBetween, Is.Empty, $"lost between nodes, {story}");
            Assert.That(forbidden.Answers, Is.Empty, $"forbidden packets, {story}");
        }

        TestContext.Out.WriteLine($"seed {seed}: {string.Join(", ", told)}; {forbidden.Attempts} forbidden attempts");
    }

    /// <summary>The short form takes the first <see cref="ShortForm"/>.</summary>
    private List<Fault> Faults() =>
    [
        new("API server killed", _ => RestartAsync("apiserver")),
        new("ovsdb-server killed", r => RestartAsync($"{Any(r)}/ovsdb-server"), MayLosePings: true),
        new("ovs-vswitchd killed", r => RestartAsync($"{Any(r)}/ovs-vswitchd"), MayLosePings: true),
        new("OVSDB connections cut", r => ControlAsync(Any(r), "ovsdb-server", "ovsdb-server/reconnect"), MayLosePings: true),
        new("OpenFlow connections cut", r => ControlAsync(Any(r), "ovs-vswitchd", "bridge/reconnect", "br-int"), MayLosePings: true),
        new("all flows and groups deleted", async r =>
        {
            var node = Any(r);
            await _lab.OvsAsync(node, "ovs-ofctl", "-O", "OpenFlow13", "del-flows", "br-int");
            await _lab.OvsAsync(node, "ovs-ofctl", "-O", "OpenFlow13", "del-groups", "br-int");
        }, MayLosePings: true),
        new("agent killed", r => RestartAsync($"{Any(r)}/agent")),
        new("controller killed", _ => RestartAsync("controller")),
        new("agent and controller killed", r => RestartAsync($"{Any(r)}/agent", "controller")),
        new("everything of a node killed", r => Any(r) is var n ? RestartAsync($"{n}/agent", $"{n}/ovs-vswitchd", $"{n}/ovsdb-server") : Task.CompletedTask, MayLosePings: true),
        new("several killed", r => RestartAsync([.. Roles.Where(_ => r.Next(2) == 0).OrderBy(_ => r.Next())]), MayLosePings: true),
        new("everything killed", _ => RestartAsync(Roles), MayLosePings: true),
        new("host routes, addresses and rules deleted", async r =>
        {
            var netns = _lab.Cluster.Layout.Node(Any(r));
            await TestLab.InAsync(netns, "ip", "route", "flush", "proto", "87");
            await TestLab.InAsync(netns, "ip", "addr", "flush", "dev", "weft-gw0");
            await TestLab.InAsync(netns, "nft", "delete", "table", "inet", "weft");
        }, MayLosePings: true), // In user space the switch's own tunnels go by the host's routes.
        // Not fail_mode=standalone: that tells the switch to forward like a hub, which no agent can take back before it happened (Agent.Tests: DriftTests).
        new("rows changed", async r => await _lab.OvsAsync(Any(r), "ovs-vsctl", "--no-wait", "clear", "Bridge", "br-int", "flow_tables", "--", "del-port", "br-int", "weft-tun0"), MayLosePings: true),
        new("agent killed twice", async r =>
        {
            var agent = $"{Any(r)}/agent";
            await RestartAsync(agent);
            await Task.Delay(TimeSpan.FromMilliseconds(r.Next(600)));
            await RestartAsync(agent);
        }),
    ];

    private static readonly string[] Roles = ["apiserver", "controller", .. Nodes.SelectMany(n => (string[])[$"{n}/ovsdb-server", $"{n}/ovs-vswitchd", $"{n}/agent"])];

    private static SteadyConnections Connections(TestPod from, TestPod to) => SteadyConnections.Start(from.Probe, new IPEndPoint(to.V4, 80), perSecond: 20, TimeSpan.FromSeconds(4));

    private static string Any(Random random) => Nodes[random.Next(Nodes.Length)];

    /// <summary>Kills all, then starts them in the other order: what others need comes last and first.</summary>
    private async Task RestartAsync(params string[] roles)
    {
        await Task.WhenAll(roles.Select(r => _lab.Cluster.StopAsync(r, force: true, CancellationToken.None)));
        foreach (var role in roles.Reverse())
        {
            _lab.Cluster.StartAgain(role);
        }
    }

    private Task ControlAsync(string node, string program, params string[] command)
    {
        var folder = _lab.Cluster.Layout.OvsFolder(node);
        var pid = File.ReadAllText($"{folder}/{program}.pid").Trim();
        return _lab.OvsAsync(node, ["ovs-appctl", "-t", $"{folder}/{program}.{pid}.ctl", .. command]);
    }

    /// <summary>Waits until what was killed works again: the API server and every agent answer.</summary>
    private async Task SettledAsync(string after)
    {
        await Eventually.True($"the API server answers after {after}", async () => await TryAsync(() => _lab.Api.GetAsync(Pods, CancellationToken.None)), Patience);
        foreach (var node in Nodes)
        {
            await Eventually.True($"the agent of {node} ready after {after}", () => _lab.IsAgentReadyAsync(node), Patience);
        }
    }

    /// <summary>Waits until everything is as a fresh agent plans it, then looks whether those who may talk do.</summary>
    private async Task QuietAsync(string after)
    {
        await Eventually.True($"no churn pod is left after {after}", async () =>
        {
            await DeleteChurnAsync();
            return (await _lab.Cluster.PodsAsync(CancellationToken.None)).All(p => !p.Name.StartsWith("churn", StringComparison.Ordinal));
        }, Patience);
        foreach (var node in Nodes)
        {
            var differences = "";
            await Eventually.True($"{node} as planned", async () => (differences = await VerifyAsync(node)).Length == 0, Patience)
                .ContinueWith(t => t.IsFaulted ? throw new TimeoutException($"{node} is not as planned after {after}:\n{differences}", t.Exception) : t, TaskScheduler.Default);
        }

        foreach (var (client, server) in _clients.SelectMany(c => _servers, (c, s) => (c, s)))
        {
            await Eventually.True($"{client} reaches {server} after {after}", async () =>
                (await client.Probe.TcpAsync(new IPEndPoint(server.V4, 80))).Outcome == Probes.ProbeOutcome.Connected, TimeSpan.FromSeconds(20));
        }

        var addresses = (await _lab.Cluster.PodsAsync(CancellationToken.None)).SelectMany(p => p.Addresses).ToList();
        Assert.That(addresses, Is.Unique, $"addresses of pods after {after}");
    }

    /// <summary>What <c>weft-agent --verify</c> says; empty when the node is as planned.</summary>
    private async Task<string> VerifyAsync(string node)
    {
        string[] command = [.. _lab.Cluster.Layout.Node(node).Wrap([.. _programs.Agent, "--config", Path.Combine(_lab.Cluster.Layout.NodeFolder(node), "agent.json"), "--verify"])];
        var result = await Shell.TryRunAsync(command[0], command[1..], null, null, Patience, CancellationToken.None);
        return result.ExitCode == 0 ? "" : result.Output + result.Error;
    }

    /// <summary>Services, policies and tenants come and go, and when asked for, pods, which are links.</summary>
    private async Task ChurnAsync(int seed, bool links, CancellationToken ct)
    {
        var random = new Random(seed);
        for (var i = 0; !ct.IsCancellationRequested; i++)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"churn-{seed:x}-{i}");
            await TryAsync(() => random.Next(links ? 7 : 3) switch
            {
                0 => CreateAsync(Services, $$$"""
                    {"apiVersion":"v1","kind":"Service","metadata":{"name":"{{{name}}}"},"spec":{"selector":{"role":"{{{(random.Next(2) == 0 ? "server" : "churn")}}}"},"ports":[{"port":{{{random.Next(1, 60000)}}} }]}}
                    """),
                1 => CreateAsync(Policies, $$$"""
                    {"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"{{{name}}}"},"spec":{"podSelector":{"matchLabels":{"role":"churn"}},
                     "ingress":[{"from":[{"podSelector":{"matchLabels":{"role":"{{{(random.Next(2) == 0 ? "client" : "stranger")}}}"} } }]}]}}
                    """),
                2 => CreateTenantAsync(name),
                3 => CreateAsync(TenantPods, PodOf(name, Any(random), "churn", null)),
                _ => CreateAsync(Pods, PodOf(name, Any(random), "churn", null)),
            });
            if (random.Next(5) == 0)
            {
                await TryAsync(DeleteChurnAsync);
            }

            await Task.Delay(random.Next(50, 250), CancellationToken.None);
        }
    }

    private async Task DeleteChurnAsync()
    {
        foreach (var path in (string[])[Pods, TenantPods, Services, Policies, Subnets, Vpcs])
        {
            var items = (await _lab.Api.GetAsync(path, CancellationToken.None))["items"]!.AsArray();
            foreach (var name in items.Select(i => (string)i!["metadata"]!["name"]!).Where(n => n.StartsWith("churn", StringComparison.Ordinal)))
            {
                await _lab.Api.DeleteAsync($"{path}/{name}", CancellationToken.None);
            }
        }
    }

    private async Task CreateTenantAsync(string name)
    {
        await CreateAsync(Vpcs, $$$"""{"apiVersion":"weft.dev/v1alpha1","kind":"Vpc","metadata":{"name":"{{{name}}}"},"spec":{} }""");
        await CreateAsync(Subnets, $$$"""{"apiVersion":"weft.dev/v1alpha1","kind":"Subnet","metadata":{"name":"{{{name}}}"},"spec":{"vpc":"{{{name}}}","cidrs":["10.10.0.0/24"],"namespaces":["{{{name}}}"]} }""");
    }

    /// <summary>The API server may be away, and what is deleted may be gone.</summary>
    private static async Task<bool> TryAsync(Func<Task> work)
    {
        try
        {
            await work();
            return true;
        }
        catch (Exception e) when (e is HttpRequestException or ClusterApiException or IOException)
        {
            return false;
        }
    }

    private Task CreateAsync(string path, string body) => _lab.Api.CreateAsync(path, JsonNode.Parse(body)!.AsObject(), CancellationToken.None);

    private static string PodOf(string name, string node, string role, string? port)
    {
        var command = port is null ? "" : $",\"command\":[\"weft-serve\",\"--tcp={port}\"]";
        return $$$"""
            {"apiVersion":"v1","kind":"Pod","metadata":{"name":"{{{name}}}","labels":{"role":"{{{role}}}"}},"spec":{"nodeName":"{{{node}}}","terminationGracePeriodSeconds":1,
             "containers":[{"name":"main","image":"none"{{{command}}} }]}}
            """;
    }
}
