using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Weft.Agent.Plan.Pipeline;
using Weft.Lab.Cluster;
using Weft.Lab.Net;
using Weft.Lab.Probes;
using Weft.Lab.Tests.EndToEnd;
using Weft.TestSupport;

namespace Weft.Ctl.Tests;

/// <summary>The pages for Prometheus, on a lab in which everything that is measured happens.</summary>
public sealed partial class MetricsTests
{
    private TestLab _lab = null!;
    private TestPod _target = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _lab = await TestLab.UpAsync("met");
        _target = await _lab.PodAsync("node2", "target");
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        if (_lab is not null)
        {
            await _lab.DisposeAsync();
        }
    }

    [Test, Order(1)]
    public async Task Every_documented_metric_is_there_and_moves()
    {
        var before = await ReadMetricsAsync();
        var pages = before.Text;
        foreach (var page in new[] { await AgentPageAsync(), await ControllerPageAsync() })
        {
            await Promtool.AcceptsMetricsAsync(page);
        }

        Assert.That(Documented(), Is.EquivalentTo(HelpPattern().Matches(pages).Select(m => m.Groups[1].Value).Distinct()), "docs/reference/metrics.md lists what the pages have");

        var moved = new HashSet<string>(StringComparer.Ordinal);
        async Task SeeAsync(string what, params string[] names) => await Eventually.True(what, async () =>
        {
            moved.UnionWith((await ReadMetricsAsync()).Changed(before));
            return names.All(moved.Contains);
        }, TimeSpan.FromSeconds(40)).ContinueWith(
            t => t.IsFaulted ? throw new TimeoutException($"{what}: these did not move: {string.Join(", ", names.Except(moved))}", t.Exception) : true, TaskScheduler.Default);

        await ProvokeWorkAsync();
        await SeeAsync("what a lab does all day, drift, and what is wrong with objects and ports",
            "weft_agent_drift_repaired_total", "weft_agent_rows_repaired_total", "weft_agent_denials_answered_total", "weft_agent_denials_logged_total", "weft_agent_drops", "weft_agent_flows_installed", "weft_controller_events_total", "weft_controller_problems", "weft_agent_problems");
        await ProvokeRefusalAsync();
        await SeeAsync("a flow that finds its table full", "weft_agent_flows_refused");
        await RestartSwitchAsync();
        await SeeAsync("new connections to the switch and its database", "weft_agent_openflow_connections", "weft_ovsdb_sessions_total", "weft_ovsdb_failures_total");
        await _lab.Cluster.StopAsync("controller", force: true, CancellationToken.None);
        await SeeAsync("an agent without controller", "weft_agent_controller_connected");
        await StartWithoutApiAsync(async () =>
        {
            await SeeAsync("a controller that knows nothing yet, and an agent that knows no network", "weft_controller_leader", "weft_controller_synced", "weft_agent_ipam_capacity");
            // Counters begin anew in a new process.
            before = await ReadMetricsAsync();
        });
        await SeeAsync("every metric", [.. Documented()]);

        await _lab.OvsAsync("node1", "ovs-vsctl", "del-port", "br-int", "nodevice");
        await Eventually.True("all is well again", async () => await ReadMetricsAsync() is var m
            && m["weft_controller_problems"] == 0 && m["weft_controller_nodes_behind"] == 0 && m["weft_agent_flows_refused"] == 0 && m["weft_controller_leader"] == 1, TimeSpan.FromSeconds(40));
    }

    [Test, Order(2)]
    public async Task Both_programs_send_their_states_by_OTLP_though_nobody_reads_their_pages()
    {
        var controlPlane = _lab.Cluster.Layout.ControlPlane;
        await using var receiver = await OtlpReceiver.StartAsync(controlPlane, new IPEndPoint(IPAddress.Parse("172.30.0.2"), 4317));
        await RestartWithAsync("controller", Path.Combine(_lab.Cluster.Layout.ControllerFolder, "controller.json"));
        await RestartWithAsync("node2/agent", Path.Combine(_lab.Cluster.Layout.NodeFolder("node2"), "agent.json"));
        string[] missing = [];
        await Eventually.True("every state that is documented, of both programs", () =>
        {
            missing = [.. States().Where(s => !receiver.Metrics.Keys.Any(k => IsIt(k, s)))];
            return Task.FromResult(missing.Length == 0);
        }, TimeSpan.FromSeconds(40)).ContinueWith(t => t.IsFaulted ? throw new TimeoutException($"not received: {string.Join(", ", missing)}") : true, TaskScheduler.Default);
        await Eventually.True("the figures are those of the lab", () => Task.FromResult(
            receiver.Metrics["weft-agent/node2/weft.agent.pods [{pod}]"] == 1
            && receiver.Metrics["weft-agent/node2/weft.agent.flows.desired [{flow}]"] > 50
            && receiver.Metrics["weft-agent/node2/weft.agent.flows.installed [{flow}]"] == receiver.Metrics["weft-agent/node2/weft.agent.flows.desired [{flow}]"]
            && receiver.Metrics.Single(m => m.Key.EndsWith("/weft.controller.streams [{stream}]", StringComparison.Ordinal)).Value == 2), TimeSpan.FromSeconds(40));

        async Task RestartWithAsync(string role, string file)
        {
            var options = Object(await File.ReadAllTextAsync(file));
            options["otlpEndpoint"] = "http://172.30.0.2:4317";
            await File.WriteAllTextAsync(file, options.ToJsonString());
            await _lab.Cluster.StopAsync(role, force: false, CancellationToken.None);
            _lab.Cluster.StartAgain(role);
        }

        static bool IsIt(string received, string documented) =>
            received.Split('/')[^1].Split(' ')[0].Replace('.', '_') == documented && received.StartsWith(documented.StartsWith("weft_agent", StringComparison.Ordinal) ? "weft-agent/node2/" : "weft-controller/", StringComparison.Ordinal);
    }

    [Test]
    public async Task The_dashboard_asks_for_documented_metrics_only()
    {
        var dashboard = Object(File.ReadAllText(Path.Combine(new LabPrograms().Root, "deploy/helm/weft/files/dashboard.json")));
        var panels = dashboard["panels"]!.AsArray().Select(p => p!.AsObject()).ToList();
        var asked = panels.SelectMany(p => p["targets"]!.AsArray()).Select(t => (string)t!["expr"]!).ToList();
        Assert.That(panels.Select(p => (int)p["id"]!), Is.Unique);
        Assert.That(asked, Has.Count.AtLeast(panels.Count).And.All.Contains("weft_"));
        var types = File.ReadAllLines(Reference).Select(l => l.Split('|', StringSplitOptions.TrimEntries)).Where(c => c.Length > 3 && c[1].StartsWith("`weft_", StringComparison.Ordinal))
            .ToDictionary(c => c[1].Trim('`'), c => c[2], StringComparer.Ordinal);
        var known = types.SelectMany(t => t.Value == "histogram" ? (string[])[t.Key + "_bucket", t.Key + "_sum", t.Key + "_count"] : [t.Key]).ToHashSet(StringComparer.Ordinal);
        Assert.That(asked.SelectMany(e => NamePattern().Matches(e)).Select(m => m.Value).Except(known), Is.Empty);
        foreach (var expression in asked)
        {
            Assert.That(types.Where(t => t.Value == "counter" && expression.Contains(t.Key, StringComparison.Ordinal)).All(_ => expression.Contains("rate(", StringComparison.Ordinal) || expression.Contains("increase(", StringComparison.Ordinal)), expression);
        }

        await Promtool.AcceptsExpressionsAsync(asked);
    }

    /// <summary>A pod comes, a policy acts and another cannot be, somebody meddles, a pod lies, a port has no device.</summary>
    private async Task ProvokeWorkAsync()
    {
        var pod = await _lab.PodAsync("node1", "moves");
        await _lab.Api.PatchAsync(TestLab.PodPath("moves"), Object("""{"metadata":{"labels":{"app":"moves"} } }"""), CancellationToken.None);
        await _lab.Api.EnsureAsync("/apis/networking.k8s.io/v1/namespaces/default/networkpolicies", Object("""{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"moves"},"spec":{"podSelector":{"matchLabels":{"app":"moves"} },"policyTypes":["Ingress"],"ingress":[]} }"""), CancellationToken.None);
        await _lab.Api.PatchAsync("/apis/networking.k8s.io/v1/namespaces/default/networkpolicies/moves",
            Object("""{"metadata":{"annotations":{"weft.dev/deny-action":"reject","weft.dev/log-denied":"true"} } }"""), CancellationToken.None);

        // Before the policy is in force, the pod itself refuses.
        await Eventually.True("a denial is answered", async () => (await _target.Probe.TcpAsync(new IPEndPoint(pod.V4, 80))).Outcome == ProbeOutcome.Refused
            && (await ReadMetricsAsync())["weft_agent_denials_logged_total"] > 0, TimeSpan.FromSeconds(20));
        await ProvokeNamesAsync(pod);
        await TestLab.InAsync(pod.Netns, "ip", "address", "add", "10.99.99.99/32", "dev", "lo");
        await Shell.TryRunAsync("ip", ["netns", "exec", pod.Netns.Name, "ping", "-c", "1", "-W", "1", "-I", "10.99.99.99", _target.V4.ToString()], null, null, TimeSpan.FromSeconds(10), CancellationToken.None);
        await _lab.OvsAsync("node1", "ovs-ofctl", "-O", "OpenFlow13", "add-flow", "br-int", "table=0,priority=8,actions=drop");
        await _lab.OvsAsync("node1", "ovs-vsctl", "clear", "Bridge", "br-int", "flow_tables");
        await Eventually.True("the foreign flow is gone", async () => !(await _lab.FlowsAsync("node1")).Any(f => f.Contains("priority=8 ", StringComparison.Ordinal)));
        await _lab.OvsAsync("node1", ["ovs-vsctl", "add-port", "br-int", "nodevice", "--", "set", "Interface", "nodevice", "external_ids:weft-owner=pod", "external_ids:weft-interface=nodevice",
            "external_ids:weft-pod=default/moves", $"external_ids:weft-pod-uid={pod.Uid}", "external_ids:weft-container-id=ghost", "external_ids:weft-ifname=eth1",
            $"external_ids:weft-netns={pod.Netns.Path}", "external_ids:weft-ips=10.10.0.250", "external_ids:weft-mac=\"0a:58:0a:0a:00:fa\"", "external_ids:weft-network=\"1\""]);
    }

    /// <summary>A policy with a domain name selects the pod, which asks for it.</summary>
    private async Task ProvokeNamesAsync(TestPod pod)
    {
        var crd = Kubernetes.YamlText.Documents(await File.ReadAllTextAsync(Path.Combine(new LabPrograms().Root, "deploy/helm/weft/files/policy-crds/clusternetworkpolicies.yaml")))[0].Root.AsObject();
        await _lab.Api.EnsureAsync("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd, CancellationToken.None);
        await Eventually.True("the kind is served", async () =>
        {
            await _lab.Api.EnsureAsync("/apis/policy.networking.k8s.io/v1alpha2/clusternetworkpolicies", Object("""
                {"apiVersion":"policy.networking.k8s.io/v1alpha2","kind":"ClusterNetworkPolicy","metadata":{"name":"names"},"spec":{"tier":"Admin","priority":1,
                 "subject":{"pods":{"podSelector":{"matchLabels":{"app":"moves"} },"namespaceSelector":{} } },"egress":[{"action":"Accept","to":[{"domainNames":["*.example.test"]}]}]} }
                """), CancellationToken.None);
            return true;
        });
        await using var server = await NameServer.StartAsync(_target, new Dictionary<string, IPAddress[]> { ["www.example.test"] = [_target.V4] }, life: 600);
        await Eventually.True("a name is learned", async () =>
        {
            await NameServer.AskAsync(pod.Netns, _target.V4, "www.example.test");
            return (await ReadMetricsAsync())["weft_agent_names"] > 0;
        }, TimeSpan.FromSeconds(20));
    }

    /// <summary>A Service comes whose flows find no room.</summary>
    private async Task ProvokeRefusalAsync()
    {
        await _lab.OvsAsync("node1", "ovs-vsctl", "set", "Flow_Table", Tables.ServiceLb.Name, "flow_limit=1", "overflow_policy=refuse");
        await _lab.Api.EnsureAsync("/api/v1/namespaces/default/services", Object("""{"apiVersion":"v1","kind":"Service","metadata":{"name":"moves"},"spec":{"selector":{"app":"moves"},"ports":[{"port":80}]} }"""), CancellationToken.None);
    }

    /// <summary>The switch and its database end and come back, with room in its tables.</summary>
    private async Task RestartSwitchAsync()
    {
        await _lab.OvsAsync("node1", "ovs-vsctl", "clear", "Flow_Table", Tables.ServiceLb.Name, "flow_limit", "overflow_policy");
        await _lab.Cluster.StopAsync("node1/ovs-vswitchd", force: true, CancellationToken.None);
        await _lab.Cluster.StopAsync("node1/ovsdb-server", force: true, CancellationToken.None);
        _lab.Cluster.StartAgain("node1/ovsdb-server");
        _lab.Cluster.StartAgain("node1/ovs-vswitchd");
    }

    /// <summary>Controller and agent start while Kubernetes answers nothing, the agent with nothing remembered.</summary>
    private async Task StartWithoutApiAsync(Func<Task> look)
    {
        var api = $"{_lab.Cluster.State.Process("apiserver").Pid}";
        await Shell.RunAsync("kill", ["-STOP", api]);
        try
        {
            await _lab.Cluster.StopAsync("node1/agent", force: true, CancellationToken.None);
            File.Delete(Path.Combine(_lab.Cluster.Layout.NodeFolder("node1"), "state/node-state.ndjson"));
            _lab.Cluster.StartAgain("node1/agent");
            _lab.Cluster.StartAgain("controller");
            await look();
        }
        finally
        {
            await Shell.RunAsync("kill", ["-CONT", api]);
        }
    }

    private static string Reference => Path.Combine(new LabPrograms().Root, "docs/reference/metrics.md");

    private static IEnumerable<string> States() => File.ReadLines(Reference).Where(l => l.Contains("| gauge |", StringComparison.Ordinal)).Select(l => DocumentedPattern().Match(l).Groups[1].Value);

    private static List<string> Documented() => [.. DocumentedPattern().Matches(File.ReadAllText(Reference)).Select(m => m.Groups[1].Value)];

    private static JsonObject Object(string json) => JsonNode.Parse(json)!.AsObject();

    private async Task<Metrics> ReadMetricsAsync()
    {
        return new Metrics(await AgentPageAsync() + await ControllerPageAsync());
    }

    private Task<string> AgentPageAsync() => TestLab.InAsync(_lab.Cluster.Layout.Node("node1"), "curl", "-s", "http://127.0.0.1:10351/metrics");

    /// <summary>Empty while it does not run.</summary>
    private async Task<string> ControllerPageAsync() => (await Shell.TryRunAsync(
        "ip", ["netns", "exec", _lab.Cluster.Layout.ControlPlane.Name, "curl", "-s", "http://172.30.0.2:10350/metrics"], null, null, TimeSpan.FromSeconds(10), CancellationToken.None)).Output;

    [GeneratedRegex(@"^# HELP (\S+)", RegexOptions.Multiline)]
    private static partial Regex HelpPattern();

    [GeneratedRegex(@"\bweft_\w+")]
    private static partial Regex NamePattern();

    [GeneratedRegex(@"^\| `(weft_\w+)`", RegexOptions.Multiline)]
    private static partial Regex DocumentedPattern();

    [GeneratedRegex(@"^(weft_\w+?)(?:_bucket|_sum|_count)?(\{[^}]*\})? (\S+)$", RegexOptions.Multiline)]
    private static partial Regex SamplePattern();

    private sealed record Metrics(string Text)
    {
        private readonly Dictionary<string, string> _values = SamplePattern().Matches(Text)
            .GroupBy(m => m.Groups[1].Value, StringComparer.Ordinal).ToDictionary(g => g.Key, g => string.Join(' ', g.Select(m => m.Groups[2].Value + m.Groups[3].Value)), StringComparer.Ordinal);

        public double? this[string name] => _values.TryGetValue(name, out var text) ? double.Parse(text, CultureInfo.InvariantCulture) : null;

        public IEnumerable<string> Changed(Metrics before) => _values.Where(v => before._values.GetValueOrDefault(v.Key) != v.Value).Select(v => v.Key);
    }
}
