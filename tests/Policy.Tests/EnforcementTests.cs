using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Weft.Lab.Cluster;
using Weft.Lab.Kubelet;
using Weft.Lab.Net;
using Weft.Lab.Probes;
using Weft.Lab.Tests.EndToEnd;
using Weft.TestSupport;

namespace Weft.Policy.Tests;

/// <summary>That there is no moment in which a policy does not hold: at a pod's start, after a change, without controller and agent, and when addresses come again.</summary>
public sealed partial class EnforcementTests
{
    private const string Policies = "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies";
    private const string SharedAddress = "240";
    private const string AddressAgain = "241";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Denied = TimeSpan.FromMilliseconds(300);
    private static readonly string[] Nodes = ["node1", "node2"];

    private TestLab _lab = null!;
    private TestPod[] _servers = [];
    private TestPod[] _clients = [];
    private TestPod[] _strangers = [];
    private TestPod _echo = null!;
    private readonly Dictionary<string, string[]> _prefixes = [];

    [OneTimeSetUp]
    public async Task StartLab()
    {
        _lab = await TestLab.UpAsync("pe");
        var crd = Kubernetes.YamlText.Documents(await File.ReadAllTextAsync(
            Directory.EnumerateFiles(Path.Combine(new LabPrograms().Root, "deploy/helm/weft/files/policy-crds"), "*clusternetworkpolicies*").Single()))[0].Root.AsObject();
        Loosen(crd);
        await _lab.Api.CreateAsync("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd, default);
        foreach (var node in Nodes)
        {
            var cidrs = (await _lab.Api.GetAsync($"/api/v1/nodes/{node}", default))["spec"]!["podCIDRs"]!.AsArray().Select(c => ((string)c!).Split('/')[0]);
            _prefixes[node] = [.. cidrs.Select(c => c.Contains(':', StringComparison.Ordinal) ? c : c[..(c.LastIndexOf('.') + 1)])];
        }

        await CreateAsync(Policies, """
            {"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"guarded"},"spec":{"podSelector":{"matchLabels":{"role":"guarded"}},"policyTypes":["Ingress"]}}
            """);
        await CreateAsync(Policies, """
            {"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"servers"},"spec":{"podSelector":{"matchLabels":{"role":"server"}},"policyTypes":["Ingress"],
             "ingress":[{"from":[{"podSelector":{"matchLabels":{"role":"client"}}}]}]}}
            """);
        _servers = await Task.WhenAll(Nodes.Select(n => PodAsync($"server-{n}", n, "server")));
        _clients = await Task.WhenAll(Nodes.Select(n => PodAsync($"client-{n}", n, "client")));
        _strangers = await Task.WhenAll(Nodes.Select(n => PodAsync($"stranger-{n}", n, "stranger")));

        _echo = await PodAsync("echo", "node1", "echo");

        // Released addresses rest for 30 s; those of the last tests begin to rest now.
        await CreateAsync("/api/v1/namespaces/default/pods", PodOf("completed", "node1", "client", SharedAddress, "[\"true\"]"));
        await PodAsync("again-1", "node1", "client", AddressAgain);
        await _lab.Api.DeleteAsync(TestLab.PodPath("again-1"), default);
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
    [Order(1)]
    public async Task A_new_pod_under_default_deny_never_gets_a_packet_through()
    {
        const int pods = 200;
        var clock = Stopwatch.StartNew();
        var (creations, early, knocks) = (0, 0, 0L);
        await Task.WhenAll(Nodes.Select(async (node, n) =>
        {
            // Both clients, of the pod's own node and of the other, aim at the address before there is a pod.
            await using var near = Knocker.Start(_clients[n].Netns);
            await using var far = Knocker.Start(_clients[1 - n].Netns);
            for (var i = 0; i <= pods / Nodes.Length; i++)
            {
                var isOpen = i == pods / Nodes.Length;
                var (name, host) = ($"new-{node}-{i}", (20 + i).ToString(CultureInfo.InvariantCulture));
                var address = AddressOf(node, host);
                near.Aim(address);
                far.Aim(address);
                await Eventually.True("knocking", () => near.Knocks > 0 && far.Knocks > 0);
                var before = near.Knocks;
                var pod = await PodAsync(name, node, isOpen ? "open" : "guarded", host);
                Assert.That(pod.V4, Is.EqualTo(address[0]));
                var (ready, readyFar) = (near.Knocks, far.Knocks);
                await Eventually.True($"knocking goes on after {name} is ready", () => near.Knocks > ready + 20 && far.Knocks > readyFar + 20);
                if (isOpen)
                {
                    // That a pod without a policy hears them shows that the others could have.
                    await Eventually.True($"{name}, which has no policy, answers both", () => address.All(a => near.Heard(a) && far.Heard(a)));
                    continue;
                }

                Assert.That(await ReceivedAsync(pod.Netns), Is.Empty, $"what {name} received");
                Assert.That(near.Answers.Concat(far.Answers), Is.Empty, $"after {name}");
                Interlocked.Increment(ref creations);
                Interlocked.Add(ref early, ready - before);
                await _lab.Api.DeleteAsync(TestLab.PodPath(name), default);
            }

            Interlocked.Add(ref knocks, near.Knocks + far.Knocks);
        }));
        TestContext.Out.WriteLine($"{creations} creations in {clock.Elapsed.TotalSeconds:0} s; {knocks} knocks, {early} of the near client between the pod's creation and its readiness; no packet through");
    }

    [Test]
    [Order(2)]
    public async Task A_deny_stops_established_connections_within_a_second()
    {
        var worst = TimeSpan.Zero;
        var cases = new (string Name, Func<Task> Deny, Func<Task> Allow)[]
        {
            ("an ingress NetworkPolicy", () => ApplyAsync(DenyOf("echo", "Ingress")), () => KubectlAsync(null, "delete", "networkpolicy", "deny")),
            ("an egress NetworkPolicy", () => ApplyAsync(DenyOf("client", "Egress")), () => KubectlAsync(null, "delete", "networkpolicy", "deny")),
            ("an Admin ClusterNetworkPolicy", () => ApplyAsync("""
                {"apiVersion":"policy.networking.k8s.io/v1alpha2","kind":"ClusterNetworkPolicy","metadata":{"name":"deny"},"spec":{"tier":"Admin","priority":1,
                 "subject":{"pods":{"podSelector":{"matchLabels":{"role":"echo"}},"namespaceSelector":{}}},"ingress":[{"action":"Deny","from":[{"namespaces":{}}]}]}}
                """), () => KubectlAsync(null, "delete", "clusternetworkpolicy", "deny")),
            ("a label that a policy selects", () => KubectlAsync(null, "label", "--overwrite", "pod", "echo", "role=guarded"), () => KubectlAsync(null, "label", "--overwrite", "pod", "echo", "role=echo")),
            ("a label of the namespace", () => KubectlAsync(null, "label", "namespace", "default", "quarantine=yes"), () => KubectlAsync(null, "label", "namespace", "default", "quarantine-")),
        };
        await CreateAsync("/apis/policy.networking.k8s.io/v1alpha2/clusternetworkpolicies", """
            {"apiVersion":"policy.networking.k8s.io/v1alpha2","kind":"ClusterNetworkPolicy","metadata":{"name":"quarantine"},"spec":{"tier":"Admin","priority":2,
             "subject":{"namespaces":{"matchLabels":{"quarantine":"yes"} } },"ingress":[{"action":"Deny","from":[{"namespaces":{} }],"protocols":[{"tcp":{"destinationPort":{"range":{"start":90,"end":99} } } }]}]} }
            """);
        foreach (var (name, deny, allow) in cases)
        {
            var streams = await Task.WhenAll(
                StreamAsync("IPv4 on one node", _clients[0], _echo, v6: false, 90), StreamAsync("IPv6 on one node", _clients[0], _echo, v6: true, 91),
                StreamAsync("IPv4 across nodes", _clients[1], _echo, v6: false, 92), StreamAsync("IPv6 across nodes", _clients[1], _echo, v6: true, 93));
            try
            {
                var begun = Stopwatch.GetTimestamp();
                await deny();
                var accepted = Stopwatch.GetTimestamp();
                await Eventually.True($"silence after {name}", () => streams.All(s => Stopwatch.GetElapsedTime(s.LastEcho) > TimeSpan.FromMilliseconds(700)));
                foreach (var stream in streams)
                {
                    var after = Stopwatch.GetElapsedTime(accepted, Math.Max(accepted, stream.LastEcho));
                    worst = after > worst ? after : worst;
                    TestContext.Out.WriteLine($"{name}: last echo of {stream.Name} {after.TotalMilliseconds:0} ms after kubectl ended, {Stopwatch.GetElapsedTime(begun, stream.LastEcho).TotalMilliseconds:0} ms after it began");
                    Assert.That(after, Is.LessThan(TimeSpan.FromSeconds(1)), $"{name}, {stream.Name}");
                }

                var echoes = streams.Select(s => s.Echoes).ToList();
                await allow();
                foreach (var (stream, before) in streams.Zip(echoes))
                {
                    await Eventually.True($"{stream.Name} goes on after the end of {name}", () => stream.Echoes > before, Patience);
                }
            }
            finally
            {
                await Task.WhenAll(streams.Select(s => s.DisposeAsync().AsTask()));
            }
        }

        TestContext.Out.WriteLine($"at most {worst.TotalMilliseconds:0} ms");
    }

    [Test]
    [Order(3)]
    public async Task Policies_hold_while_the_controller_is_away_and_agents_and_switches_start_again()
    {
        await using var forbidden = ForbiddenTraffic.Start(_strangers, _servers);
        await using var knocker = Knocker.Start(_strangers[1].Netns);
        knocker.Aim([.. _servers.SelectMany(s => new[] { s.V4, s.V6 })]);
        await _lab.Cluster.StopAsync("controller", force: true, default);
        try
        {
            await RestartAsync("node1/agent", "node2/agent");
            await ReachAsync("after agents started again without a controller");
            await RestartAsync("node1/agent", "node1/ovs-vswitchd");
            await ReachAsync("after an agent and its switch started again without a controller");
        }
        finally
        {
            _lab.Cluster.StartAgain("controller");
        }

        await ReachAsync("after the controller started again");
        var (attempts, knocks) = (forbidden.Attempts, knocker.Knocks);
        await Eventually.True("some more attempts", () => forbidden.Attempts > attempts + 20 && knocker.Knocks > knocks + 100, Patience);
        Assert.That(forbidden.Answers, Is.Empty);
        Assert.That(knocker.Answers, Is.Empty);
        TestContext.Out.WriteLine($"{forbidden.Attempts} forbidden attempts and {knocker.Knocks} knocks, none answered");
    }

    [Test]
    [Order(11)]
    public async Task An_address_that_comes_again_is_judged_by_the_pod_that_has_it_now()
    {
        // The address was a client's; the pod that has it now is none.
        var again = await PodAsync("again-2", "node1", "stranger", AddressAgain);
        Assert.That(again.V4, Is.EqualTo(AddressOf("node1", AddressAgain)[0]));
        await KeptOutAsync(again, "a pod with the address that a client had");
    }

    [Test]
    [Order(12)]
    public async Task A_completed_pod_says_nothing_about_the_running_one_that_has_its_address()
    {
        const string completed = "completed";
        var shared = AddressOf("node1", SharedAddress)[0].ToString();
        var running = await PodAsync("running", "node1", "stranger", SharedAddress);
        var old = await _lab.Api.GetAsync(TestLab.PodPath(completed), default);
        Assert.That((string?)old["status"]!["phase"], Is.EqualTo("Succeeded"));
        await _lab.Api.PatchAsync(TestLab.PodPath(completed) + "/status", new JsonObject
        {
            ["status"] = new JsonObject { ["podIP"] = shared, ["podIPs"] = new JsonArray(new JsonObject { ["ip"] = shared }) },
        }, default);
        Assert.That(running.V4.ToString(), Is.EqualTo(shared));
        await KeptOutAsync(running, "a pod with the address of a completed client");

        await KubectlAsync(null, "label", "--overwrite", "pod", "running", "role=client");
        await Eventually.True("the running pod is let in as a client", () => ConnectsAsync(running, _servers[1], TimeSpan.FromSeconds(1)), Patience);
        await _lab.DeletePodAsync(completed);

        // Longer than a change needs to arrive: the end of the completed pod must take nothing away.
        var until = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(until) < TimeSpan.FromSeconds(1))
        {
            Assert.That(await ConnectsAsync(running, _servers[1], TimeSpan.FromSeconds(2)), Is.True, "the running client after the completed one was deleted");
        }
    }

    /// <summary>Not once, from the first packet, for a second.</summary>
    private async Task KeptOutAsync(TestPod pod, string what)
    {
        await using var knocker = Knocker.Start(pod.Netns);
        knocker.Aim([.. _servers.Select(s => s.V4)]);
        await Eventually.True("a second of knocking", () => knocker.Knocks > 300, Patience);
        Assert.That(knocker.Answers, Is.Empty, what);
        Assert.That(await ConnectsAsync(pod, _servers[0], Denied) || await ConnectsAsync(pod, _servers[1], Denied), Is.False, what);
    }

    private async Task ReachAsync(string when)
    {
        foreach (var (client, server) in _clients.SelectMany(c => _servers, (c, s) => (c, s)))
        {
            await Eventually.True($"{client} reaches {server} {when}", () => ConnectsAsync(client, server, TimeSpan.FromSeconds(1)), Patience);
        }
    }

    private async Task RestartAsync(params string[] roles)
    {
        await Task.WhenAll(roles.Select(r => _lab.Cluster.StopAsync(r, force: true, default)));
        foreach (var role in roles.Reverse())
        {
            _lab.Cluster.StartAgain(role);
        }

        foreach (var node in roles.Select(r => r.Split('/')[0]).Distinct())
        {
            await Eventually.True($"the agent of {node} answering again", () => _lab.IsAgentReadyAsync(node), Patience);
        }
    }

    private static async Task<bool> ConnectsAsync(TestPod from, TestPod to, TimeSpan timeout) =>
        (await from.Probe.TcpAsync(new IPEndPoint(to.V4, 80), timeout)).Outcome == ProbeOutcome.Connected;

    private static Task<EchoStream> StreamAsync(string name, TestPod from, TestPod to, bool v6, int port) =>
        EchoStream.StartAsync(name, from.Netns, to.Netns, new IPEndPoint(v6 ? to.V6 : to.V4, port));

    /// <summary>The counters of what came in from others that are not zero.</summary>
    private static Task<List<string>> ReceivedAsync(Netns netns) => netns.RunInsideAsync(() =>
    {
        var found = new Dictionary<string, long>();
        var lines = File.ReadAllLines("/proc/thread-self/net/snmp");
        for (var i = 0; i + 1 < lines.Length; i += 2)
        {
            var (names, values) = (lines[i].Split(' '), lines[i + 1].Split(' '));
            for (var c = 1; c < names.Length; c++)
            {
                found[names[0].TrimEnd(':') + names[c]] = long.Parse(values[c], CultureInfo.InvariantCulture);
            }
        }

        foreach (var line in File.ReadLines("/proc/thread-self/net/snmp6").Select(l => l.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries)))
        {
            found[line[0]] = long.Parse(line[1], CultureInfo.InvariantCulture);
        }

        // Both families count in TcpInSegs.
        string[] watched = ["IpInReceives", "TcpInSegs", "UdpInDatagrams", "UdpNoPorts", "IcmpInEchos", "Udp6InDatagrams", "Udp6NoPorts", "Icmp6InEchos"];
        return watched.Where(w => found[w] != 0).Select(w => $"{w} {found[w]}").ToList();
    });

    private IPAddress[] AddressOf(string node, string host) => [.. _prefixes[node].Select(p => IPAddress.Parse(p + host))];

    private async Task<TestPod> PodAsync(string name, string node, string role, string? host = null)
    {
        await CreateAsync("/api/v1/namespaces/default/pods", PodOf(name, node, role, host, "[\"weft-serve\",\"--tcp=80\",\"--udp=80\"]"));
        JsonObject json = null!;
        await Eventually.True($"pod {name} ready", async () => PodView.Read(json = await _lab.Api.GetAsync(TestLab.PodPath(name), default)) is { Ready: true, Addresses.Count: > 1 }, TimeSpan.FromSeconds(60));
        return new TestPod(_lab, PodView.Read(json), (string)json["metadata"]!["uid"]!);
    }

    private string PodOf(string name, string node, string role, string? host, string command)
    {
        var ips = host is null ? "" : $",\"annotations\":{{\"{Annotations.Ips}\":\"{string.Join(',', AddressOf(node, host).Select(a => a.ToString()))}\"}}";
        return $$$"""
            {"apiVersion":"v1","kind":"Pod","metadata":{"name":"{{{name}}}","labels":{"role":"{{{role}}}"}{{{ips}}} },
             "spec":{"nodeName":"{{{node}}}","terminationGracePeriodSeconds":1,"restartPolicy":"Never","containers":[{"name":"main","image":"none","command":{{{command}}} }]}}
            """;
    }

    private static string DenyOf(string role, string direction) => $$$"""
        {"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"deny"},"spec":{"podSelector":{"matchLabels":{"role":"{{{role}}}"}},"policyTypes":["{{{direction}}}"]}}
        """;

    private Task CreateAsync(string path, string body) => _lab.Api.CreateAsync(path, JsonNode.Parse(body)!.AsObject(), default);

    private Task ApplyAsync(string manifest) => KubectlAsync(manifest, "apply", "-f", "-");

    private Task KubectlAsync(string? input, params string[] arguments)
    {
        string[] whole = [.. _lab.Cluster.Layout.ControlPlane.Wrap([Shell.Find("kubectl"), $"--kubeconfig={_lab.Cluster.Kubeconfig}", $"--cache-dir={_lab.Cluster.Layout.Folder}/kubectl", .. arguments])];
        return Shell.RunAsync(whole[0], whole[1..], input);
    }
}
