using System.Formats.Tar;
using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Weft.Ctl.Clusters;
using Weft.Ctl.Nodes;
using Weft.Ctl.Tracing;
using Weft.Lab.Net;
using Weft.Lab.Probes;
using Weft.Lab.Tests.EndToEnd;
using Weft.TestSupport;
using YamlDotNet.Serialization;

namespace Weft.Ctl.Tests;

/// <summary>weftctl and rights on one lab of two nodes with three policies whose effect is known.</summary>
public sealed partial class LookingInsideTests
{
    private const string DbFromApi = "NetworkPolicy/default/db-from-api";
    private const string ApiFromWeb = "NetworkPolicy/default/api-from-web";
    private const string WebToApi = "NetworkPolicy/default/web-to-api";
    private static readonly string[] Names = ["web-0", "web-1", "web-2", "api-0", "api-1", "db-0", "db-1", "other-0"];
    private readonly List<ProbeServer> _servers = [];
    private readonly Dictionary<string, TestPod> _pods = new(StringComparer.Ordinal);
    private TestLab _lab = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _lab = await TestLab.UpAsync("ctl");
        await Task.WhenAll(Names.Select(async (name, i) =>
        {
            await _lab.CreatePodAsync($"node{(i % 2) + 1}", name);
            await _lab.Api.PatchAsync(TestLab.PodPath(name), new JsonObject { ["metadata"] = new JsonObject { ["labels"] = new JsonObject { ["app"] = AppOf(name) } } }, CancellationToken.None);
        }));
        foreach (var name in Names)
        {
            var pod = _pods[name] = await _lab.ReadyPodAsync(name);
            _servers.Add(await pod.ServeAsync());
        }

        await PolicyAsync("db-from-api", "db", """ "policyTypes":["Ingress"],"ingress":[{"from":[{"podSelector":{"matchLabels":{"app":"api"} } }],"ports":[{"port":80}]}] """);
        await PolicyAsync("api-from-web", "api", """ "policyTypes":["Ingress"],"ingress":[{"from":[{"podSelector":{"matchLabels":{"app":"web"} } }]}] """);
        await PolicyAsync("web-to-api", "web", """ "policyTypes":["Egress"],"egress":[{"to":[{"podSelector":{"matchLabels":{"app":"api"} } }]}] """);
        await _lab.Api.EnsureAsync("/api/v1/namespaces/default/services", Object("""
            {"apiVersion":"v1","kind":"Service","metadata":{"name":"api"},"spec":{"ipFamilyPolicy":"RequireDualStack","selector":{"app":"api"},"ports":[{"port":8000,"targetPort":80}]} }
            """), CancellationToken.None);
        await Eventually.True("all policies are realised", async () =>
            (await ProbeAsync("web-0", "other-0", 80)).Outcome == ProbeOutcome.TimedOut && (await ProbeAsync("other-0", "api-1", 80)).Outcome == ProbeOutcome.TimedOut
            && (await ProbeAsync("other-0", "db-0", 80)).Outcome == ProbeOutcome.TimedOut && (await ProbeAsync("other-0", "db-1", 80)).Outcome == ProbeOutcome.TimedOut, TimeSpan.FromSeconds(20));
    }

    [OneTimeTearDown]
    public async Task StopAsync()
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
    public async Task Trace_says_of_every_pair_what_packets_do_and_which_policy_decides()
    {
        using var cluster = new LabAccess(_lab.Cluster.Layout.Name);
        var directory = await NodeDirectory.LoadAsync(cluster, CancellationToken.None);
        var tracer = new Tracer(directory);
        var pairs = (from a in Names from b in Names where a != b from port in (int[])[80, 81] select (From: a, To: b, Port: port)).ToList();
        Assert.That(pairs, Has.Count.AtLeast(60));
        var seen = await Task.WhenAll(pairs.Select(p => ProbeAsync(p.From, p.To, p.Port)));
        foreach (var (pair, real) in pairs.Zip(seen))
        {
            var packet = new TracePacket("tcp", _pods[pair.From].V4, _pods[pair.To].V4, 40000, pair.Port);
            var verdict = (await tracer.TraceAsync(directory.Pod(pair.From), pair.To, packet, CancellationToken.None)).Verdict;
            // Nobody listens at port 81: what arrives there is refused by the pod.
            var arrived = real.Outcome is ProbeOutcome.Connected or ProbeOutcome.Refused;
            Assert.Multiple(() =>
            {
                Assert.That(verdict.IsGood, Is.EqualTo(arrived), $"{pair}: {real}; {verdict.Sentence}");
                Assert.That(verdict.Policies, Is.EquivalentTo(Expected(pair.From, pair.To, pair.Port)), $"{pair}: {verdict.Sentence}");
            });
        }
    }

    [TestCase("tcp", false)]
    [TestCase("udp", true)]
    public async Task Policies_flows_and_switches_agree_on_every_pair(string protocol, bool v6)
    {
        var report = await Weftctl.JsonAsync(_lab.Cluster, ExitCodes.Ok, ["verify", "-n", "default", "--port", "80", "81", "--protocol", protocol, .. v6 ? (string[])["-6"] : []]);
        Assert.That((int)report["checked"]!, Is.EqualTo(Names.Length * (Names.Length - 1) * 2));
        Assert.That((int)report["different"]!, Is.Zero, report.ToJsonString());
    }

    [Test]
    public async Task Trace_ends_in_words_and_an_exit_code()
    {
        var good = await Weftctl.OutputAsync(_lab.Cluster, ExitCodes.Ok, "trace", "--from", "default/api-0", "--to", "default/db-0", "--port", "80");
        Assert.That(good.TrimEnd(), Does.EndWith($"delivered to pod default/db-0 on node2: allowed by {DbFromApi}"));
        var bad = await Weftctl.OutputAsync(_lab.Cluster, ExitCodes.No, "trace", "--from", "default/other-0", "--to", "default/db-0", "--port", "80");
        Assert.That(bad.TrimEnd(), Does.EndWith($"dropped on node2 in table IngressPolicy: pod default/db-0 accepts only what this policy allows, and it does not allow this: {DbFromApi}"));
        var service = await Weftctl.JsonAsync(_lab.Cluster, ExitCodes.Ok, "trace", "--from", "web-0", "--to", "service/default/api");
        Assert.That((string?)service["sentence"], Does.StartWith("delivered to pod default/api-").And.Contains(":80: allowed by"));
        var outside = await Weftctl.JsonAsync(_lab.Cluster, ExitCodes.Ok, "trace", "--from", "db-0", "--to", "203.0.113.10", "--protocol", "udp", "--port", "53");
        Assert.That((string?)outside["verdict"], Is.EqualTo("leaves"));
        var nowhere = await Weftctl.JsonAsync(_lab.Cluster, ExitCodes.No, "trace", "--from", "other-0", "--to", "10.10.0.200", "--port", "80");
        Assert.That((string?)nowhere["reason"], Is.EqualTo("NoRoute"));
    }

    [Test]
    public async Task Exit_codes_tell_a_wrong_question_from_a_wrong_word()
    {
        var unknown = await Weftctl.RunAsync(["trace", "--from", "default/nobody", "--to", "default/db-0", "--port", "80", "--lab", _lab.Cluster.Layout.Name]);
        Assert.That((unknown.ExitCode, unknown.Error), Is.EqualTo((ExitCodes.Failed, "weftctl: no pod default/nobody runs on any node: see 'kubectl get pods -A -o wide'\n")));
        Assert.That((await Weftctl.RunAsync(["trace", "--form", "x"])).ExitCode, Is.EqualTo(ExitCodes.Usage));
        Assert.That((await Weftctl.RunAsync(["status", "--lab", "nolab"])).ExitCode, Is.EqualTo(ExitCodes.Failed));
    }

    [TestCase("no pod default/db-00 runs on any node: did you mean 'default/db-0'?", "trace", "--from", "default/api-0", "--to", "default/db-00", "--port", "80")]
    [TestCase("no pod web/db-0 runs on any node: did you mean 'default/db-0'?", "flows", "--pod", "web/db-0")]
    [TestCase("there is no Service default/apy: did you mean 'default/api'?", "trace", "--from", "web-0", "--to", "service/default/apy")]
    [TestCase("there is no Service 'default/apx': did you mean", "flows", "--service", "default/apx")]
    [TestCase("there is no node 'nod2': did you mean 'node2'?", "flows", "--node", "nod2")]
    [TestCase("there is no node 'elsewhere': there are node1, node2", "capture", "--at", "gateway", "--node", "elsewhere")]
    [TestCase("no node that was asked has a policy 'default/db-from-app': did you mean 'default/db-from-api'?", "flows", "--policy", "default/db-from-app")]
    [TestCase("no node that was asked has a network 'defualt': did you mean 'default'?", "flows", "--network", "defualt")]
    public async Task A_name_that_means_nothing_is_answered_with_the_one_that_was_meant(string expected, params string[] arguments)
    {
        var result = await Weftctl.RunAsync([.. arguments, "--lab", _lab.Cluster.Layout.Name]);
        Assert.That((result.ExitCode, result.Error), Is.EqualTo((ExitCodes.Failed, result.Error)));
        Assert.That(result.Error, Does.StartWith($"weftctl: {expected}"));
    }

    [TestCase("status")]
    [TestCase("topology")]
    [TestCase("flows", "--node", "node1")]
    [TestCase("trace", "--from", "default/api-0", "--to", "default/db-0", "--port", "80")]
    [TestCase("verify", "--from", "default/api-0", "--to", "default/db-0", "--all")]
    [TestCase("policy", "explain", "--from", "default/api-0", "--to", "default/db-0", "--port", "80/tcp")]
    [TestCase("policy", "stats")]
    public async Task Programs_read_every_answer_as_JSON_and_as_YAML(params string[] arguments)
    {
        var json = await Weftctl.JsonAsync(_lab.Cluster, ExitCodes.Ok, arguments);
        var yaml = await Weftctl.OutputAsync(_lab.Cluster, ExitCodes.Ok, [.. arguments, "-o", "yaml"]);
        var read = new DeserializerBuilder().Build().Deserialize<object>(yaml);
        Assert.That(Shape(read), Is.EqualTo(Shape(json)));

        // Counters and revisions move between two calls: what must be the same is which fields there are.
        static string Shape(object? value) => value switch
        {
            JsonObject map => string.Join(',', map.Select(p => $"{p.Key}:{Shape(p.Value)}")),
            JsonArray list => $"[{Shape(list.FirstOrDefault())}]",
            IDictionary<object, object> map => string.Join(',', map.Select(p => $"{p.Key}:{Shape(p.Value)}")),
            IList<object> list => $"[{Shape(list.FirstOrDefault())}]",
            _ => "",
        };
    }

    [Test]
    public async Task Status_shows_every_node_in_line()
    {
        var report = await Weftctl.JsonAsync(_lab.Cluster, ExitCodes.Ok, "status");
        Assert.That(report["nodes"]!.AsArray().Select(n => ((string?)n!["name"], (bool)n["ready"]!, (int)n["pods"]!)), Is.EqualTo(new[] { ("node1", true, 4), ("node2", true, 4) }));
        Assert.That((string?)report["leader"], Is.Not.Empty);
        Assert.That(await Weftctl.OutputAsync(_lab.Cluster, ExitCodes.Ok, "status"), Does.Contain("all is well, 2 of 2 nodes in line, 8 pods attached"));
    }

    [Test]
    public async Task Flows_are_found_by_pod_service_policy_and_network()
    {
        async Task<List<JsonNode>> FlowsAsync(params string[] filter) => [.. (await Weftctl.JsonAsync(_lab.Cluster, ExitCodes.Ok, ["flows", .. filter])).AsArray().OfType<JsonNode>()];
        var pod = await FlowsAsync("--pod", "default/db-0");
        Assert.That(pod.Select(f => (string?)f["owner"]).Distinct(), Is.EqualTo(new[] { "pod default/db-0" }));
        Assert.That(pod.Select(f => (string?)f["table"]).Distinct(), Is.SupersetOf(["Classifier", "SpoofGuard", "Routing", "Forwarding", "IngressPolicy"]));
        var service = await FlowsAsync("--service", "default/api", "--node", "node1");
        Assert.That(service.Select(f => (string?)f["explanation"]), Has.Some.EqualTo("choose an endpoint"));
        var policy = await FlowsAsync("--policy", "default/db-from-api", "--node", "node2");
        Assert.That(policy.Select(f => (string?)f["match"]), Has.Some.Contains("conj_id=").And.Some.Contains("tp_dst=80"));
        var network = await FlowsAsync("--network", "default", "--node", "node1");
        Assert.That(network, Is.Not.Empty.And.All.Matches<JsonNode>(f => $"{f["match"]}{f["actions"]}".Contains("0x1", StringComparison.Ordinal)));
        Assert.That((await FlowsAsync()).Select(f => (string?)f["owner"]), Has.None.EqualTo("foreign"));
    }

    [TestCase("pod", "--pod", "default/other-0", "icmp")]
    [TestCase("tunnel", "--node", "node2", "")]
    public async Task Capture_writes_what_passes_and_ends(string at, string option, string what, string filter)
    {
        using var folder = new TemporaryFolder();
        var file = folder.File("c.pcap");
        var capture = Weftctl.OutputAsync(_lab.Cluster, ExitCodes.Ok, "capture", "--at", at, option, what, "--filter", filter, "--count", "4", "--seconds", "20", "--write", file);
        // other-0 is on node2, api-0 too; web-0 is on node1.
        while (!capture.IsCompleted)
        {
            await _pods["other-0"].Probe.PingAsync(_pods["web-0"].V4, timeout: TimeSpan.FromMilliseconds(200));
        }

        await capture;
        var packets = await Shell.RunAsync("tcpdump", ["-nr", file]);
        Assert.That(packets.Split('\n', StringSplitOptions.RemoveEmptyEntries), Has.Length.EqualTo(4));
        Assert.That(packets, at == "pod" ? Does.Contain("ICMP echo request") : Does.Contain("Geneve"));
    }

    [Test]
    public async Task A_bundle_has_what_one_needs_and_no_secret()
    {
        const string secret = "hunter2-is-not-for-others";
        await _lab.Api.EnsureAsync("/api/v1/namespaces/default/secrets", Object($$"""{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"},"stringData":{"password":"{{secret}}"} }"""), CancellationToken.None);
        await _lab.Api.EnsureAsync("/api/v1/namespaces/default/pods", Object($$"""
            {"apiVersion":"v1","kind":"Pod","metadata":{"name":"told"},"spec":{"schedulingGates":[{"name":"weft.dev/never"}],"containers":[{"name":"c","image":"none","args":["{{secret}}"],"env":[{"name":"P","value":"{{secret}}"}]}]} }
            """), CancellationToken.None);
        using var folder = new TemporaryFolder();
        var file = folder.File("b.tar.gz");
        await Weftctl.OutputAsync(_lab.Cluster, ExitCodes.Ok, "bundle", "--write", file);
        await _lab.DeletePodAsync("told");
        var contents = await ReadAsync(file);
        Assert.That(contents.Keys, Is.SupersetOf(["api/pods.json", "controller.log", "nodes/node1/flows.txt", "nodes/node2/agent.log", "nodes/node2/nftables.txt"]));
        Assert.That(contents["nodes/node1/flows.txt"], Does.Contain("table=IngressPolicy"));
        Assert.That(contents["api/pods.json"], Does.Contain("\"told\""));
        var token = (await File.ReadAllTextAsync(Path.Combine(_lab.Cluster.Layout.NodeFolder("node1"), "token"))).Trim();
        Assert.That(contents.Where(c => c.Value.Contains(secret, StringComparison.Ordinal) || c.Value.Contains(token, StringComparison.Ordinal)).Select(c => c.Key), Is.Empty);
    }

    [Test]
    public async Task Tokens_open_exactly_what_the_chart_says()
    {
        var controller = await File.ReadAllTextAsync(Path.Combine(_lab.Cluster.Layout.ControllerFolder, "token"));
        var agent = await File.ReadAllTextAsync(Path.Combine(_lab.Cluster.Layout.NodeFolder("node1"), "token"));
        Assert.That(await AskAsync(controller, "/api/v1/pods"), Is.EqualTo("200"));
        foreach (var path in (string[])["/api/v1/secrets", "/api/v1/namespaces/default/configmaps", "/apis/rbac.authorization.k8s.io/v1/clusterroles"])
        {
            Assert.That(await AskAsync(controller, path), Is.EqualTo("403"), path);
        }

        Assert.That(await AskAsync(agent, "/api/v1/pods"), Is.EqualTo("401"), "the agent's token is for the controller only");

        async Task<string> AskAsync(string token, string path) => await TestLab.InAsync(_lab.Cluster.Layout.ControlPlane,
            "curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", "-H", $"Authorization: Bearer {token.Trim()}", $"https://172.30.0.2:6443{path}");
    }

    [Test]
    public async Task A_log_level_changes_without_a_restart()
    {
        var (file, log) = (Path.Combine(_lab.Cluster.Layout.NodeFolder("node1"), "agent.json"), Path.Combine(_lab.Cluster.Layout.NodeFolder("node1"), "agent.log"));
        var before = await File.ReadAllTextAsync(file);
        var pid = _lab.Cluster.State.Process("node1/agent").Pid;
        try
        {
            await ReplaceAsync(Object(before), o => o["logLevels"] = new JsonObject { ["Default"] = "Loud" });
            await Eventually.True("the wrong level is named", async () => (await File.ReadAllTextAsync(log)).Contains("logLevels.Default is 'Loud'", StringComparison.Ordinal));
            await ReplaceAsync(Object(before), o => o["uplinkMtu"] = 1400);
            await Eventually.True("the field that asks for a restart is named", async () => (await File.ReadAllTextAsync(log)).Contains("Changes of uplinkMtu take effect after a restart", StringComparison.Ordinal));
            await ReplaceAsync(Object(before), o => o["logLevels"] = new JsonObject { ["Default"] = "None" });
            await Eventually.True("the agent is silent", async () =>
            {
                var size = new FileInfo(log).Length;
                await TestLab.InAsync(_lab.Cluster.Layout.Node("node1"), "env", $"OVS_RUNDIR={_lab.Cluster.Layout.OvsFolder("node1")}", "ovs-ofctl", "-O", "OpenFlow13", "add-flow", "br-int", "table=0,priority=7,actions=drop");
                await Eventually.True("the foreign flow is gone", async () => !(await _lab.FlowsAsync("node1")).Any(f => f.Contains("priority=7 ", StringComparison.Ordinal)));
                return new FileInfo(log).Length == size;
            });
        }
        finally
        {
            await File.WriteAllTextAsync(file, before);
        }

        Assert.That(Directory.Exists($"/proc/{pid}"), "the same process");

        Task ReplaceAsync(JsonObject options, Action<JsonObject> change)
        {
            change(options);
            return File.WriteAllTextAsync(file, options.ToJsonString());
        }
    }

    [Test]
    public async Task A_real_cluster_is_reached_by_kubectl_and_the_agents_pods()
    {
        using var folder = new TemporaryFolder();
        var lab = _lab.Cluster.Layout;
        // Plays kubectl: the lab has no containers to execute in, so that one word is done by the node's namespace.
        await File.WriteAllTextAsync(folder.File("kubectl"), $$"""
            #!/bin/bash
            [ "$1" = --kubeconfig={{lab.Kubeconfig}} ] || exit 9
            shift
            case "$*" in
              "get --raw /api/v1/namespaces/weft-system/pods?labelSelector=app.kubernetes.io/name%3Dweft-agent&fieldSelector=spec.nodeName%3D"*)
                last="${@: -1}"; echo "{\"items\":[{\"metadata\":{\"name\":\"weft-agent-${last##*%3D}\"},\"status\":{\"phase\":\"Running\"} }]}" ;;
              "get --raw "*) exec ip netns exec {{lab.ControlPlane.Name}} {{Shell.Find("kubectl")}} --kubeconfig={{lab.Kubeconfig}} "$@" ;;
              "-n weft-system exec pod/weft-agent-"*" -c agent -- cat /var/lib/weft/node-state.ndjson")
                node=${4##*-}; exec cat {{lab.Folder}}/$node/state/node-state.ndjson ;;
              "-n weft-system exec pod/weft-agent-"*" -c agent -- "*)
                node=${4##*-}; shift 7; exec ip netns exec {{lab.Name}}-$node env OVS_RUNDIR={{lab.Folder}}/$node/ovs OVS_DBDIR={{lab.Folder}}/$node/ovs "$@" ;;
              *) echo "not expected: $*" >&2; exit 8 ;;
            esac
            """);
        await Shell.RunAsync("chmod", ["755", folder.File("kubectl")]);
        var environment = new Dictionary<string, string> { ["PATH"] = $"{folder.Path}:{Environment.GetEnvironmentVariable("PATH")}" };
        var trace = await Weftctl.RunAsync(["trace", "--kubeconfig", lab.Kubeconfig, "--from", "other-0", "--to", "db-0", "--port", "80"], environment);
        Assert.That((trace.ExitCode, trace.Error), Is.EqualTo((ExitCodes.No, "")));
        Assert.That(trace.Output, Does.Contain(DbFromApi));
        var status = await Weftctl.RunAsync(["status", "--kubeconfig", lab.Kubeconfig], environment);
        Assert.That(status.Output, Does.Contain("2 of 2 nodes in line"), status.Error);
    }

    [Test]
    public async Task A_real_kubectl_that_cannot_says_why()
    {
        using var folder = new TemporaryFolder();
        var lab = _lab.Cluster.Layout;
        // The API server is in a network namespace; the rest is the program that people have.
        await File.WriteAllTextAsync(folder.File("kubectl"), $"#!/bin/sh\nexec ip netns exec {lab.ControlPlane.Name} {Shell.Find("kubectl")} \"$@\"\n");
        await Shell.RunAsync("chmod", ["755", folder.File("kubectl")]);
        var environment = new Dictionary<string, string> { ["PATH"] = $"{folder.Path}:{Environment.GetEnvironmentVariable("PATH")}" };
        async Task<(int, string)> AskAsync(Dictionary<string, string> with, params string[] more)
        {
            var result = await Weftctl.RunAsync(["trace", "--from", "other-0", "--to", "db-0", "--port", "80", .. more], with);
            return (result.ExitCode, result.Error.Trim());
        }

        // The lab runs agents as processes: pods and nodes are read, and then there is no pod to execute in.
        Assert.That(await AskAsync(environment, "--kubeconfig", lab.Kubeconfig), Is.EqualTo(
            (ExitCodes.Failed, "weftctl: no agent runs on node2: see 'kubectl -n weft-system get pods -o wide'")));
        var (code, error) = await AskAsync(environment, "--kubeconfig", lab.Kubeconfig, "--context", "elsewhere");
        Assert.That((code, error), Is.EqualTo((ExitCodes.Failed, error)));
        Assert.That(error, Does.StartWith($"weftctl: the cluster of {lab.Kubeconfig}: ").And.Contains("elsewhere"));
        (code, error) = await AskAsync(new() { ["PATH"] = folder.File("nothing") }, "--kubeconfig", lab.Kubeconfig);
        Assert.That((code, error), Is.EqualTo((ExitCodes.Failed, error)));
        Assert.That(error, Does.StartWith("weftctl: ").And.Contains("kubectl").And.Contains("not").And.Not.Contains("   at "));
    }

    private static string[] Expected(string from, string to, int port) => (AppOf(from), AppOf(to), port) switch
    {
        ("web", "api", _) => [WebToApi, ApiFromWeb],
        ("web", _, _) => [WebToApi],
        ("api", "db", 80) => [DbFromApi],
        (_, "db", _) => [DbFromApi],
        (_, "api", _) => [ApiFromWeb],
        _ => [],
    };

    private static string AppOf(string name) => name.Split('-')[0];

    private static JsonObject Object(string json) => JsonNode.Parse(json)!.AsObject();

    private static async Task<Dictionary<string, string>> ReadAsync(string file)
    {
        var contents = new Dictionary<string, string>(StringComparer.Ordinal);
        await using var zip = new GZipStream(File.OpenRead(file), CompressionMode.Decompress);
        await using var tar = new TarReader(zip);
        while (await tar.GetNextEntryAsync(copyData: true) is { } entry)
        {
            contents[entry.Name] = entry.DataStream is null ? "" : await new StreamReader(entry.DataStream, Encoding.UTF8).ReadToEndAsync();
        }

        return contents;
    }

    private Task<ProbeResult> ProbeAsync(string from, string to, int port) =>
        _pods[from].Probe.TcpAsync(new IPEndPoint(_pods[to].V4, port), TimeSpan.FromSeconds(1.5));

    private Task PolicyAsync(string name, string app, string rest) => _lab.Api.EnsureAsync("/apis/networking.k8s.io/v1/namespaces/default/networkpolicies", Object(
        $$"""{"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"{{name}}"},"spec":{"podSelector":{"matchLabels":{"app":"{{app}}"} },{{rest}}} }"""), CancellationToken.None);
}
