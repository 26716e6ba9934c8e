using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Weft.Lab.Cluster;
using Weft.Lab.Net;
using Weft.TestSupport;

namespace Weft.Lab.Tests.EndToEnd;

/// <summary>Many tenants with the same addresses on one node, a pod each. WEFT_TEST_FULL=1: 500.</summary>
public sealed partial class TenantScaleTests
{
    /// <summary>Flows of a network with one Subnet of both families, of its pod, and of its way to the one Service that the lab shares (the API server's).</summary>
    private const int FlowsPerNetwork = 47;

    private const string Group = "/apis/weft.dev/v1alpha1/";
    private const string Node = "node1";
    private static readonly int Networks = TestLab.Full ? 500 : 30;

    private TestLab _lab = null!;

    [OneTimeSetUp]
    public async Task StartLab()
    {
        _lab = await TestLab.UpAsync("tsc", nodes: 1, clusterCidrs: "10.32.0.0/12,fd00:10:10::/56", sparePorts: TestLab.Full ? 64 : 8);
        await _lab.PodAsync(Node, "first");
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
    public async Task Each_network_costs_the_same_and_none_hears_another()
    {
        // A network is rendered only while a pod of it is there.
        var bare = (await _lab.FlowsAsync(Node)).Length;
        for (var i = 1; i <= Networks; i++)
        {
            await NetworkAsync(i);
        }

        await Eventually.True("every Subnet is ready", async () => (await _lab.Api.GetAsync(Group + "subnets", CancellationToken.None))["items"]!.AsArray().All(s =>
            s!["status"]?["conditions"]?.AsArray().Any(c => (string?)c!["type"] == "Ready" && (string?)c["status"] == "True") == true), TimeSpan.FromMinutes(3));
        Assert.That(await _lab.FlowsAsync(Node), Has.Length.EqualTo(bare), "no pod, no flows");

        var barePort = await BarePortAsync();

        // Without the very first pods, which wait for what the agent compiles once.
        var tenth = Math.Max(5, Networks / 10);
        var clock = Stopwatch.StartNew();
        var times = new List<double>();
        var spent = new List<ProcessorTimes>();
        for (var i = 1; i <= Networks; i++)
        {
            spent.Add(ProcessorTimes.Of(_lab.Cluster.State));
            await _lab.CreateAsync($"/api/v1/namespaces/t{i}/pods", TenantLab.Json("v1", "Pod", "p", new JsonObject
            {
                ["nodeName"] = Node,
                ["terminationGracePeriodSeconds"] = 0,
                ["containers"] = new JsonArray(new JsonObject { ["name"] = "main", ["image"] = "none" }),
            }));
            var pod = await Eventually.Some($"pod t{i}/p", async () =>
                PodView.Read(await _lab.Api.GetAsync($"/api/v1/namespaces/t{i}/pods/p", CancellationToken.None)) is { Ready: true, CniAddMilliseconds: not null } found ? found : null, TimeSpan.FromSeconds(30));
            times.Add(pod.CniAddMilliseconds!.Value);
            if (i == 1)
            {
                await Eventually.True("the first network's flows", async () => (await _lab.FlowsAsync(Node)).Length >= bare + FlowsPerNetwork, TimeSpan.FromSeconds(10)).ContinueWith(_ => { }, TaskScheduler.Default);
                Assert.That((await _lab.FlowsAsync(Node)).Length - bare, Is.EqualTo(FlowsPerNetwork), "flows of the first network");
            }
        }

        await Eventually.True("all flows", async () => (await _lab.FlowsAsync(Node)).Length >= bare + (Networks * FlowsPerNetwork), TimeSpan.FromSeconds(20)).ContinueWith(_ => { }, TaskScheduler.Default);
        spent.Add(ProcessorTimes.Of(_lab.Cluster.State));
        var flows = await _lab.FlowsAsync(Node);
        Assert.That(flows.Length - bare, Is.EqualTo(Networks * FlowsPerNetwork), "flows of all networks: the last costs what the first does");
        var (first, last) = (Median(times[3..(3 + tenth)]), Median(times[^tenth..]));
        TestContext.Out.WriteLine($"{Networks} networks in {clock.Elapsed.TotalSeconds:0} s; {flows.Length} flows");
        TestContext.Out.WriteLine($"CNI ADD {first:0} ms for the first {tenth}, {last:0} ms for the last: {last / first:0.00}");
        var (few, many) = ((spent[3 + tenth] - spent[3]) / tenth, (spent[^1] - spent[^(tenth + 1)]) / tenth);
        TestContext.Out.WriteLine($"a pod of the first: {few}; of the last: {many}");
        var barePortAtLast = await BarePortAsync();
        TestContext.Out.WriteLine($"a port by ovs-vsctl, without Weft, in another bridge: {barePort:0} ms before, {barePortAtLast:0} ms after: {barePortAtLast / barePort:0.00}");
        if (TestLab.Full)
        {
            // Without ports made in advance it grows as the port without Weft does (docs/design/tenants.md). Work of agent and controller is counted
            // elsewhere: TenantPlanTests, CostOfChangeTests.
            Assert.That(last / first, Is.LessThanOrEqualTo(1.5), "the time of the last pods to that of the first");
        }

        Assert.That(flows, Has.None.Match("FLOOD|ALL|NORMAL"), "flows that copy");
        await NobodyHearsAsync();

        await Task.WhenAll(Enumerable.Range(1, Networks).Select(i => _lab.Api.DeleteAsync($"/api/v1/namespaces/t{i}/pods/p", CancellationToken.None)));
        await Eventually.True("flows of networks without pods go", async () => (await _lab.FlowsAsync(Node)).Length == bare, TimeSpan.FromSeconds(60));
    }

    /// <summary>The time in ms that the node's switch takes for a port that no agent cares for: a veth pair that is up, in a bridge without flows. The median of nine.</summary>
    private async Task<double> BarePortAsync()
    {
        var node = _lab.Cluster.Layout.Node(Node);
        await _lab.OvsAsync(Node, "ovs-vsctl", "add-br", "br-bare", "--", "set", "bridge", "br-bare", $"datapath_type={TestLab.Datapath}", "fail_mode=secure");
        var times = new List<double>();
        for (var i = 0; i < 9; i++)
        {
            var begun = Stopwatch.GetTimestamp();
            await TestLab.InAsync(node, "ip", "link", "add", $"bare{i}", "up", "type", "veth", "peer", "name", $"bare{i}p");
            await TestLab.InAsync(node, "ip", "link", "set", $"bare{i}p", "up");
            await _lab.OvsAsync(Node, "ovs-vsctl", "add-port", "br-bare", $"bare{i}");
            times.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
        }

        await _lab.OvsAsync(Node, "ovs-vsctl", "del-br", "br-bare");
        for (var i = 0; i < times.Count; i++)
        {
            await TestLab.InAsync(node, "ip", "link", "del", $"bare{i}");
        }

        return Median(times);
    }

    /// <summary>What one pod broadcasts, asks everybody, and sends to nobody reaches no other pod.</summary>
    private async Task NobodyHearsAsync()
    {
        var sender = await _lab.ReadTenantPodAsync("t1", "p");
        var own = (await _lab.OvsAsync(Node, "ovs-vsctl", "--bare", "--columns=ofport", "find", "Interface", "external_ids:weft-pod=t1/p")).Trim();
        var before = await SentAsync(own);
        Assert.That(before, Has.Count.EqualTo(Networks), "the pods of the others, and that of the default network");
        foreach (string[] command in new string[][]
        {
            ["ping", "-c", "3", "-i", "0.2", "-W", "1", "-b", "255.255.255.255"], ["ping", "-c", "3", "-i", "0.2", "-W", "1", "-b", "10.0.0.255"], ["ping", "-c", "2", "-i", "0.2", "-W", "1", "10.0.0.77"],
            ["ping", "-c", "3", "-i", "0.2", "-W", "1", "ff02::1%eth0"], ["ping", "-c", "2", "-i", "0.2", "-W", "1", "fd00:a::77"], ["ping", "-c", "2", "-i", "0.2", "-W", "1", "224.0.0.251"],
        })
        {
            string[] whole = [.. sender.Netns.Wrap([Shell.Find(command[0]), .. command[1..]])];
            await Shell.TryRunAsync(whole[0], whole[1..], null, null, TimeSpan.FromSeconds(15), CancellationToken.None);
        }

        Assert.That(await SentAsync(own), Is.EqualTo(before), "packets that other pods got");
    }

    /// <summary>Packets that the switch sent to each pod but one, by OpenFlow port.</summary>
    private async Task<SortedDictionary<string, long>> SentAsync(string but)
    {
        var pods = (await _lab.OvsAsync(Node, "ovs-vsctl", "--bare", "--columns=ofport", "find", "Interface", "external_ids:weft-owner=pod")).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var sent = PortCounters().Matches(await _lab.OvsAsync(Node, "ovs-ofctl", "-O", "OpenFlow13", "dump-ports", "br-int"))
            .ToDictionary(m => m.Groups["port"].Value, m => long.Parse(m.Groups["sent"].Value, CultureInfo.InvariantCulture));
        return new SortedDictionary<string, long>(pods.Where(p => p != but).ToDictionary(p => p, p => sent[p]), StringComparer.Ordinal);
    }

    private async Task NetworkAsync(int i)
    {
        await _lab.CreateAsync("/api/v1/namespaces", TenantLab.Json("v1", "Namespace", $"t{i}", null));
        await _lab.CreateAsync(Group + "vpcs", TenantLab.Json("weft.dev/v1alpha1", "Vpc", $"t{i}", []));
        await _lab.CreateAsync(Group + "subnets", TenantLab.Json("weft.dev/v1alpha1", "Subnet", $"t{i}", new JsonObject
        {
            ["vpc"] = $"t{i}", ["cidrs"] = new JsonArray("10.0.0.0/24", "fd00:a::/64"), ["namespaces"] = new JsonArray($"t{i}"),
        }));
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted[sorted.Count / 2];
    }

    [GeneratedRegex(@"port\s+""?(?<port>\S+?)""?:\s+rx pkts=.*\n\s+tx pkts=(?<sent>\d+)")]
    private static partial Regex PortCounters();
}
