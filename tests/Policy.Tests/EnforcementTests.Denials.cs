using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Weft.Lab.Probes;
using Weft.Lab.Tests.EndToEnd;
using Weft.TestSupport;

namespace Weft.Policy.Tests;

/// <summary>Denials with an answer and a line in the log, where annotations ask for them.</summary>
public sealed partial class EnforcementTests
{
    private static readonly TimeSpan AtOnce = TimeSpan.FromMilliseconds(900);

    [Test]
    [Order(4)]
    public async Task Isolation_that_is_to_reject_answers_with_a_reset_or_an_ICMP_error_and_logs_the_policy()
    {
        var refusing = await PodAsync("refusing", "node1", "refusing");
        await CreateAsync(Policies, """
            {"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"refusing","annotations":{"weft.dev/deny-action":"reject","weft.dev/log-denied":"true"} },
             "spec":{"podSelector":{"matchLabels":{"role":"refusing"} },"policyTypes":["Ingress"],"ingress":[{"from":[{"podSelector":{"matchLabels":{"role":"client"} } }]}]} }
            """);
        await CreateAsync("/api/v1/namespaces/default/services", """
            {"apiVersion":"v1","kind":"Service","metadata":{"name":"refusing"},"spec":{"ipFamilyPolicy":"RequireDualStack","selector":{"role":"refusing"},"ports":[{"port":8000,"targetPort":80}]} }
            """);
        var service = (await _lab.Api.GetAsync("/api/v1/namespaces/default/services/refusing", default))["spec"]!["clusterIPs"]!.AsArray().Select(a => new IPEndPoint(IPAddress.Parse((string)a!), 8000));
        await Eventually.True("a client is let in by the Service", () => ReachesAsync(_clients[1], service.First()), Patience);
        foreach (var stranger in _strangers)
        {
            foreach (var to in service.Append(new IPEndPoint(refusing.V4, 80)).Append(new IPEndPoint(refusing.V6, 80)))
            {
                await Eventually.True($"{stranger} is refused by {to}", async () => (await stranger.Probe.TcpAsync(to, AtOnce)).Outcome == ProbeOutcome.Refused, Patience);
            }

            foreach (var address in new[] { refusing.V4, refusing.V6 })
            {
                // A user-space switch loses tunnelled packets while links of its node come and go, as those of deleted pods do.
                await Eventually.True($"UDP from {stranger} is refused by {address}", async () => (await stranger.Probe.UdpAsync(new IPEndPoint(address, 80), AtOnce)).Outcome == ProbeOutcome.Unreachable, Patience);
            }
        }

        Assert.That(await ReachesAsync(_clients[0], new IPEndPoint(refusing.V4, 80)), Is.True, "the client that the policy names");
        const string line = "Denied Ingress of pod default/refusing: TCP ";
        var words = $" -> {new IPEndPoint(refusing.V4, 80)} by NetworkPolicy/default/refusing isolation: rejected";
        await Eventually.True("a line of the log", async () => (await LogAsync("node1")).Split('\n').Any(l => l.Contains(line, StringComparison.Ordinal) && l.Contains(words, StringComparison.Ordinal)), Patience);
        await _lab.Api.DeleteAsync(Policies + "/refusing", default);
        await Eventually.True("everybody is let in again", () => ReachesAsync(_strangers[1], new IPEndPoint(refusing.V4, 80)), Patience);
    }

    [Test]
    [Order(5)]
    public async Task A_denying_rule_that_is_to_reject_answers_at_either_end()
    {
        const string path = "/apis/policy.networking.k8s.io/v1alpha2/clusternetworkpolicies";
        foreach (var (direction, peers, subject) in new[] { ("ingress", "from", "echo"), ("egress", "to", "stranger") })
        {
            await CreateAsync(path, $$$"""
                {"apiVersion":"policy.networking.k8s.io/v1alpha2","kind":"ClusterNetworkPolicy","metadata":{"name":"refuse","annotations":{"weft.dev/deny-action":"reject","weft.dev/log-denied":"true"} },
                 "spec":{"tier":"Admin","priority":1,"subject":{"pods":{"podSelector":{"matchLabels":{"role":"{{{subject}}}"} },"namespaceSelector":{} } },
                 "{{{direction}}}":[{"action":"Deny","name":"nobody","{{{peers}}}":[{"namespaces":{} }],"protocols":[{"tcp":{"destinationPort":{"number":80} } }]}]} }
                """);
            foreach (var stranger in _strangers)
            {
                foreach (var address in new[] { _echo.V4, _echo.V6 })
                {
                    await Eventually.True($"{stranger} is refused by {address}, {direction}", async () => (await stranger.Probe.TcpAsync(new IPEndPoint(address, 80), AtOnce)).Outcome == ProbeOutcome.Refused, Patience);
                    Assert.That((await stranger.Probe.UdpAsync(new IPEndPoint(address, 80))).Outcome, Is.EqualTo(ProbeOutcome.Connected), "the rule names TCP alone");
                }
            }

            await Eventually.True("the condition", async () => (string?)(await AcceptedAsync(path + "/refuse"))?["status"] == "True", Patience);
            await Eventually.True("a line of the log", async () => (await LogAsync("node1")).Contains($" by ClusterNetworkPolicy/refuse {direction}[0]: rejected", StringComparison.Ordinal), Patience);
            await _lab.Api.DeleteAsync(path + "/refuse", default);
            await Eventually.True("everybody is let in again", () => ReachesAsync(_strangers[1], new IPEndPoint(_echo.V4, 80)), Patience);
        }
    }

    [Test]
    [Order(6)]
    public async Task A_namespace_says_it_for_its_policies_and_what_is_logged_has_a_limit()
    {
        Assert.That(await _lab.OvsAsync("node1", "ovs-ofctl", "-O", "OpenFlow13", "dump-meters", "br-int"), Does.Contain("meter=controller pktps").And.Contain("rate=1000").And.Not.Contain("slowpath"));
        await AnnotateAsync("reject", "true");
        await Eventually.True("a stranger is refused", async () => (await _strangers[0].Probe.TcpAsync(new IPEndPoint(_servers[0].V4, 80), AtOnce)).Outcome == ProbeOutcome.Refused, Patience);
        using (var flood = await _strangers[1].Probe.OpenAsync(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp))
        {
            for (var i = 0; i < 5000; i++)
            {
                await flood.SendToAsync("?"u8.ToArray(), new IPEndPoint(_servers[0].V4, 7777));
            }
        }

        await Eventually.True("the flood in the log", async () => (await LinesAsync()) > 0, Patience);
        await AnnotateAsync("drop", null);
        await Eventually.True("a stranger hears nothing", async () => (await _strangers[0].Probe.TcpAsync(new IPEndPoint(_servers[0].V4, 80), Denied)).Outcome == ProbeOutcome.TimedOut, Patience);
        Assert.That(await LinesAsync(), Is.LessThan(20), "5000 packets of one kind, a line a second");

        async Task<int> LinesAsync() => (await LogAsync("node1")).Split('\n').Count(l => l.Contains($"{_servers[0].V4}:7777 by NetworkPolicy/default/servers isolation", StringComparison.Ordinal));
    }

    [Test]
    [Order(7)]
    public async Task A_rule_that_cannot_be_used_is_an_event_and_the_rest_is_in_force()
    {
        // The API server refuses what cannot be, unless the CRDs are somebody else's: networks have no named ports.
        const string path = "/apis/policy.networking.k8s.io/v1alpha2/clusternetworkpolicies";
        await CreateAsync(path, """
            {"apiVersion":"policy.networking.k8s.io/v1alpha2","kind":"ClusterNetworkPolicy","metadata":{"name":"mistaken"},"spec":{"tier":"Admin","priority":1,
             "subject":{"pods":{"podSelector":{"matchLabels":{"role":"stranger"} },"namespaceSelector":{} } },
             "egress":[{"action":"Accept","to":[{"networks":["0.0.0.0/0"]}],"protocols":[{"destinationNamedPort":"web"}]},
                       {"action":"Deny","to":[{"namespaces":{} }],"protocols":[{"tcp":{"destinationPort":{"number":80} } }]}]} }
            """);
        await Eventually.True("the event", async () => (await _lab.Api.GetAsync("/api/v1/namespaces/default/events", default))["items"]!.AsArray().Any(e =>
            (string?)e!["reason"] == "InvalidForWeft" && (string?)e["involvedObject"]!["name"] == "mistaken" && (string?)e["involvedObject"]!["kind"] == "ClusterNetworkPolicy"
            && ((string)e["message"]!).StartsWith("spec.egress[0]: a named port stands beside networks", StringComparison.Ordinal)), Patience);
        await Eventually.True("the condition", async () => await AcceptedAsync(path + "/mistaken") is { } accepted && (string?)accepted["status"] == "False"
            && (string?)accepted["reason"] == "PartlyInvalid" && ((string)accepted["message"]!).StartsWith("spec.egress[0]: a named port", StringComparison.Ordinal), Patience);
        await Eventually.True("the other rule denies", async () => (await _strangers[0].Probe.TcpAsync(new IPEndPoint(_echo.V4, 80), Denied)).Outcome == ProbeOutcome.TimedOut, Patience);
        Assert.That((await _strangers[0].Probe.UdpAsync(new IPEndPoint(_echo.V4, 80))).Outcome, Is.EqualTo(ProbeOutcome.Connected), "no rule denies it");
        Assert.That(await ReachesAsync(_clients[1], new IPEndPoint(_servers[0].V4, 80)), Is.True, "other policies");
        await _lab.Api.DeleteAsync(path + "/mistaken", default);
        await Eventually.True("everybody is let out again", () => ReachesAsync(_strangers[0], new IPEndPoint(_echo.V4, 80)), Patience);
    }

    private async Task<JsonNode?> AcceptedAsync(string path) =>
        (await _lab.Api.GetAsync(path, default))["status"]?["conditions"]?.AsArray().FirstOrDefault(c => (string?)c!["type"] == "Accepted");

    /// <summary>Takes the rules out of a CRD: what may be is then the controller's to say.</summary>
    private static void Loosen(JsonNode? node)
    {
        if (node is JsonObject map)
        {
            map.Remove("x-kubernetes-validations");
        }

        foreach (var inner in node is JsonObject o ? o.Select(p => p.Value) : node is JsonArray list ? list : [])
        {
            Loosen(inner);
        }
    }

    private Task AnnotateAsync(string action, string? log) => _lab.Api.PatchAsync("/api/v1/namespaces/default", new JsonObject
    {
        ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { ["weft.dev/deny-action"] = action, ["weft.dev/log-denied"] = log } },
    }, default);

    private static async Task<bool> ReachesAsync(TestPod from, IPEndPoint to) => (await from.Probe.TcpAsync(to, TimeSpan.FromSeconds(1))).Outcome == ProbeOutcome.Connected;

    private Task<string> LogAsync(string node) => TestLab.InAsync(_lab.Cluster.Layout.ControlPlane, "cat", _lab.Cluster.State.Process($"{node}/agent").Log);
}
