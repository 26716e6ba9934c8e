using System.Text.Json.Nodes;
using Weft.Lab.Probes;
using Weft.TestSupport;

namespace Weft.Ctl.Tests;

/// <summary>weftctl policy explain and stats.</summary>
public sealed partial class LookingInsideTests
{
    [TestCase("web-0", "api-1", 80, true, WebToApi + " egress[0]", ApiFromWeb + " ingress[0]")]
    [TestCase("web-0", "db-1", 80, false, WebToApi, DbFromApi)]
    [TestCase("api-0", "db-0", 80, true, "", DbFromApi + " ingress[0]")]
    [TestCase("api-0", "db-1", 81, false, "", DbFromApi)]
    [TestCase("other-0", "api-0", 80, false, "", ApiFromWeb)]
    [TestCase("db-0", "other-0", 80, true, "", "")]
    public async Task Explain_names_the_policy_and_the_rule_at_both_ends(string from, string to, int port, bool allowed, string egress, string ingress)
    {
        foreach (var v6 in new[] { false, true })
        {
            string[] question = ["policy", "explain", "--from", $"default/{from}", "--to", v6 ? _pods[to].V6.ToString() : $"default/{to}", "--port", $"{port}/tcp"];
            var answer = await Weftctl.JsonAsync(_lab.Cluster, allowed ? ExitCodes.Ok : ExitCodes.No, question);
            Assert.Multiple(() =>
            {
                Assert.That((bool)answer["allowed"]!, Is.EqualTo(allowed));
                Assert.That((bool)answer["agree"]!, Is.True, answer.ToJsonString());
                foreach (var (end, expected) in new[] { ("egress", egress), ("ingress", ingress) })
                {
                    Assert.That(RulesOf(answer[end]!["controller"]!), Is.EqualTo(expected), answer.ToJsonString());

                    // The drop of an isolated pod has no rule.
                    Assert.That(RulesOf(answer[end]!["flows"]!), Is.EqualTo((string?)answer[end]!["controller"]!["reason"] == "Isolation" ? "" : expected), answer.ToJsonString());
                }
            });
        }
    }

    [Test]
    public async Task Explain_answers_in_words()
    {
        var text = await Weftctl.OutputAsync(_lab.Cluster, ExitCodes.No, "policy", "explain", "--from", "default/other-0", "--to", "default/db-0", "--port", "80/tcp");
        Assert.That(text, Is.EqualTo($"""
            tcp {_pods["other-0"].V4}:40000 -> {_pods["db-0"].V4}:80, default/other-0 to default/db-0: denied
            egress of default/other-0 on node2
              controller   allowed: no policy speaks of it
              flows        allowed: no policy speaks of it
            ingress to default/db-0 on node2
              controller   denied: no rule allows it of {DbFromApi}
              flows        denied: no rule allows it of the policies that isolate the pod
            controller and flows agree

            """));
        var outside = await Weftctl.JsonAsync(_lab.Cluster, ExitCodes.No, "policy", "explain", "--from", "default/web-0", "--to", "203.0.113.10", "--port", "443/TCP");
        Assert.That(outside["ingress"], Is.Null);
        Assert.That((bool)outside["egress"]!["flows"]!["allowed"]!, Is.False);
        var wrong = await Weftctl.RunAsync(["policy", "explain", "--from", "default/web-0", "--to", "default/db-0", "--port", "http", "--lab", _lab.Cluster.Layout.Name]);
        Assert.That((wrong.ExitCode, wrong.Error), Is.EqualTo((ExitCodes.Failed, "weftctl: port 'http': write NUMBER/PROTOCOL with a number of 1 to 65535 and TCP, UDP or SCTP, for example 80/TCP\n")));
    }

    [Test]
    public async Task Explain_says_so_when_a_node_does_something_else_than_the_policies()
    {
        const string agent = "node1/agent";
        const string path = "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies/late";
        string[] question = ["policy", "explain", "--from", "default/db-0", "--to", "default/other-0", "--port", "80/tcp"];
        var node = _pods["other-0"].Node;
        await _lab.Cluster.StopAsync(agent.Replace("node1", node, StringComparison.Ordinal), force: true, CancellationToken.None);
        try
        {
            await PolicyAsync("late", "other", """ "policyTypes":["Ingress"] """);
            var answer = await Weftctl.JsonAsync(_lab.Cluster, ExitCodes.No, question);
            Assert.That((bool)answer["agree"]!, Is.False);
            Assert.That((bool)answer["ingress"]!["controller"]!["allowed"]!, Is.False);
            Assert.That((bool)answer["ingress"]!["flows"]!["allowed"]!, Is.True);
            Assert.That(await Weftctl.OutputAsync(_lab.Cluster, ExitCodes.No, question), Does.Contain($"ingress to default/other-0 on {node}: DIFFERENT\n").And.EndsWith("controller and flows DIFFER\n"));
        }
        finally
        {
            await _lab.Api.DeleteAsync(path, CancellationToken.None);
            _lab.Cluster.StartAgain(agent.Replace("node1", node, StringComparison.Ordinal));
        }

        await Eventually.True("both agree again", async () =>
            (bool)JsonNode.Parse((await Weftctl.RunAsync([.. question, "-o", "json", "--lab", _lab.Cluster.Layout.Name])).Output)!["agree"]!, TimeSpan.FromSeconds(20));
    }

    [Test]
    public async Task Stats_count_packets_and_connections_of_each_rule_and_the_drops_of_isolation()
    {
        const int connections = 12;
        var before = await StatsAsync();
        for (var i = 0; i < connections; i++)
        {
            Assert.That((await ProbeAsync("api-0", "db-0", 80)).Outcome, Is.EqualTo(ProbeOutcome.Connected));
            Assert.That((await ProbeAsync("api-0", "db-1", 80)).Outcome, Is.EqualTo(ProbeOutcome.Connected));
        }

        Assert.That((await ProbeAsync("other-0", "db-0", 80)).Outcome, Is.EqualTo(ProbeOutcome.TimedOut));
        (long Packets, long Connections, long Dropped) after = default;

        // Counters of a user-space data path reach the flows within a second.
        await Eventually.True("the switch counts them", async () => (after = await StatsAsync()).Connections >= before.Connections + (2 * connections) && after.Dropped > before.Dropped, TimeSpan.FromSeconds(10));
        Assert.That(after.Connections - before.Connections, Is.EqualTo(2 * connections));
        Assert.That(after.Packets - before.Packets, Is.AtLeast(2 * connections * 3));
        Assert.That(await Weftctl.OutputAsync(_lab.Cluster, ExitCodes.Ok, "policy", "stats"), Does.Match($@"{DbFromApi} ingress\[0\] +Allow +\d+ +\d+\n").And.Match($@"default/db-0 +ingress +\d+ +{DbFromApi}\n"));

        async Task<(long Packets, long Connections, long Dropped)> StatsAsync()
        {
            var stats = await Weftctl.JsonAsync(_lab.Cluster, ExitCodes.Ok, "policy", "stats", "--policy", "default/db-from-api");
            var rule = stats["rules"]!.AsArray().Single()!;
            Assert.That((string?)rule["policy"], Is.EqualTo(DbFromApi));
            return ((long)rule["packets"]!, (long)rule["connections"]!, stats["isolation"]!.AsArray().Sum(i => (long)i!["packets"]!));
        }
    }

    private static string RulesOf(JsonNode decision) => string.Join(",", decision["rules"]!.AsArray().Select(r =>
        (string)r!["policy"]! + (r["rule"] is { } rule ? $" {r["direction"]}[{rule}]" : "")));
}
