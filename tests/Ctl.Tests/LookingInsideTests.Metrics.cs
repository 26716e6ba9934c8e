using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Weft.Lab.Cluster;
using Weft.Lab.Probes;
using Weft.Lab.Tests.EndToEnd;
using Weft.TestSupport;

namespace Weft.Ctl.Tests;

/// <summary>The pages for Prometheus.</summary>
public sealed partial class LookingInsideTests
{
    /// <summary>What a lab in which all is well does not change: limits, and counts of what is wrong.</summary>
    private static readonly string[] Still = ["weft_controller_events_total", "weft_agent_flows_refused", "weft_agent_ipam_capacity", "weft_agent_openflow_connections", "weft_agent_recomputes_full_total", "weft_controller_leader", "weft_controller_synced"];

    [Test, Order(1)]
    public async Task Every_documented_metric_is_there_and_moves()
    {
        var before = await ReadMetricsAsync();
        var pages = before.Text;
        Assert.That(Documented(), Is.EquivalentTo(HelpPattern().Matches(pages).Select(m => m.Groups[1].Value).Distinct()), "docs/reference/metrics.md lists what the pages have");

        // A pod comes, a Service and a policy act, somebody meddles, a pod lies, a port has no device, database and controller go and come.
        var pod = await _lab.PodAsync("node1", "moves");
        await _lab.Api.PatchAsync(TestLab.PodPath("moves"), Object("""{"metadata":{"labels":{"app":"moves"} } }"""), CancellationToken.None);
        await PolicyAsync("moves", "moves", """ "policyTypes":["Ingress"],"ingress":[]""");
        await _lab.Api.EnsureAsync("/api/v1/namespaces/default/services", Object("""{"apiVersion":"v1","kind":"Service","metadata":{"name":"moves"},"spec":{"selector":{"app":"moves"},"ports":[{"port":80}]} }"""), CancellationToken.None);
        await _lab.Api.PatchAsync("/apis/networking.k8s.io/v1/namespaces/default/networkpolicies/moves",
            Object("""{"metadata":{"annotations":{"weft.dev/deny-action":"reject","weft.dev/log-denied":"true"} } }"""), CancellationToken.None);
        await Eventually.True("a denial is answered", async () => (await _pods["other-0"].Probe.TcpAsync(new IPEndPoint(pod.V4, 80))).Outcome == ProbeOutcome.Refused, TimeSpan.FromSeconds(20));
        await TestLab.InAsync(pod.Netns, "ip", "address", "add", "10.99.99.99/32", "dev", "lo");
        await Weft.Lab.Net.Shell.TryRunAsync("ip", ["netns", "exec", pod.Netns.Name, "ping", "-c", "1", "-W", "1", "-I", "10.99.99.99", _pods["web-1"].V4.ToString()], null, null, TimeSpan.FromSeconds(10), CancellationToken.None);
        await _lab.OvsAsync("node1", "ovs-ofctl", "-O", "OpenFlow13", "add-flow", "br-int", "table=0,priority=8,actions=drop");
        await Eventually.True("the foreign flow is gone", async () => !(await _lab.FlowsAsync("node1")).Any(f => f.Contains("priority=8 ", StringComparison.Ordinal)));
        await _lab.OvsAsync("node1", ["ovs-vsctl", "add-port", "br-int", "nodevice", "--", "set", "Interface", "nodevice", "external_ids:weft-owner=pod",
            "external_ids:weft-pod=default/moves", $"external_ids:weft-pod-uid={pod.Uid}", "external_ids:weft-container-id=ghost", "external_ids:weft-ifname=eth1",
            $"external_ids:weft-netns={pod.Netns.Path}", "external_ids:weft-ips=10.10.0.250", "external_ids:weft-mac=\"0a:58:0a:0a:00:fa\"", "external_ids:weft-network=\"1\""]);
        await _lab.Cluster.StopAsync("node1/ovsdb-server", force: true, CancellationToken.None);
        _lab.Cluster.StartAgain("node1/ovsdb-server");
        await Eventually.True("the interface without device is a problem", async () => (await ReadMetricsAsync())["weft_controller_problems"] > 0, TimeSpan.FromSeconds(20));
        await _lab.Cluster.StopAsync("controller", force: true, CancellationToken.None);
        var middle = await Eventually.Some("an agent without controller", async () => await ReadMetricsAsync() is var m && m["weft_agent_controller_connected"] == 0 ? m : null, TimeSpan.FromSeconds(20));
        _lab.Cluster.StartAgain("controller");
        var problem = await ReadMetricsAsync();
        var moved = new HashSet<string>([.. middle.Changed(before), .. problem.Changed(before)], StringComparer.Ordinal);
        await Eventually.True("every metric moved", async () =>
        {
            moved.UnionWith((await ReadMetricsAsync()).Changed(before));
            return Documented().Except(Still).All(moved.Contains);
        }, TimeSpan.FromSeconds(40)).ContinueWith(t => t.IsFaulted
            ? throw new TimeoutException($"these did not move: {string.Join(", ", Documented().Except(Still).Except(moved))}") : true, TaskScheduler.Default);
        await _lab.OvsAsync("node1", "ovs-vsctl", "del-port", "br-int", "nodevice");
        await _lab.DeletePodAsync("moves");
        await _lab.Api.DeleteAsync("/apis/networking.k8s.io/v1/namespaces/default/networkpolicies/moves", CancellationToken.None);
        await _lab.Api.DeleteAsync("/api/v1/namespaces/default/services/moves", CancellationToken.None);
        await Eventually.True("all is well again", async () => await ReadMetricsAsync() is var m && m["weft_controller_problems"] == 0 && m["weft_controller_nodes_behind"] == 0, TimeSpan.FromSeconds(40));
    }

    private static List<string> Documented() => [.. DocumentedPattern().Matches(File.ReadAllText(Path.Combine(new LabPrograms().Root, "docs/reference/metrics.md"))).Select(m => m.Groups[1].Value)];

    private async Task<Metrics> ReadMetricsAsync()
    {
        var agent = await TestLab.InAsync(_lab.Cluster.Layout.Node("node1"), "curl", "-s", "http://127.0.0.1:10351/metrics");
        var controller = await Weft.Lab.Net.Shell.TryRunAsync("ip", ["netns", "exec", _lab.Cluster.Layout.ControlPlane.Name, "curl", "-s", "http://172.30.0.2:10350/metrics"], null, null, TimeSpan.FromSeconds(10), CancellationToken.None);
        return new Metrics(agent + controller.Output);
    }

    [GeneratedRegex(@"^# HELP (\S+)", RegexOptions.Multiline)]
    private static partial Regex HelpPattern();

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
