using Weft.Agent.Tests.Faults;
using Weft.Agent.Tests.Plan;
using Weft.TestSupport;
using Weft.Topology;
using Endpoint = Weft.Topology.Endpoint;

namespace Weft.Agent.Tests.Sync;

/// <summary>What others change in the switch and its database is put right within a second, counted, and named in the log.</summary>
public sealed class DriftTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(1);
    private AgentBench _node = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        _node = await AgentBench.StartAsync(PlanCases.TwoPods(
            new LoadBalancer { Id = "default/web/80/4", Service = "default/web", Key = 7, Port = 80, ClusterIp = "10.96.0.7", Endpoints = "web" },
            new EndpointSet { Id = "web", Endpoints = [new Endpoint { Address = "10.244.1.11", Port = 8080 }] }));

        // The bench made the pods' ports; an agent that finds them takes them for its own.
        await RestartAsync();
    }

    [OneTimeTearDown]
    public async Task StopAsync() => await _node.DisposeAsync();

    [TestCase("del-flows br-int", "changed a flow")]
    [TestCase("del-flows br-int table=60", "changed a flow")]
    [TestCase("add-flow br-int table=0,priority=60000,actions=NORMAL", "changed a flow (Added)")]
    [TestCase("mod-flows br-int table=41,actions=drop", "changed a flow")]
    [TestCase("del-groups br-int", "group 7 was deleted")]
    [TestCase("del-groups br-int group_id=7", "group 7 was deleted")]
    [TestCase("mod-group br-int group_id=7,type=select,bucket=actions=drop", "group 7 was changed to group_id=7,type=select,bucket=")]
    [TestCase("insert-buckets br-int group_id=7,command_bucket_id=last,bucket=bucket_id=900,actions=drop", "group 7 was changed to group_id=7,type=select")]
    [TestCase("add-group br-int group_id=4711,type=all,bucket=actions=drop", "group 4711 was added: group_id=4711,type=all")]
    [TestCase("del-meters br-int", "the meter of packets to the agent, putting it right: it was deleted")]
    [TestCase("mod-meter br-int meter=controller,pktps,burst,band=type=drop,rate=5,burst_size=5", "it was changed to meter=controller")]
    public async Task Flows_groups_and_meters_are_repaired_within_a_second_counted_and_named(string command, string logged)
    {
        var before = await SwitchAsync();
        var repaired = _node.Flows.Repaired;
        _node.Log.Clear();
        await ChangeSwitchAsync(command);
        await Eventually.True($"repair of: {command}", async () => _node.Flows.Repaired > repaired && await SwitchAsync() == before, Limit);
        Assert.That(_node.Log.Lines, Has.Some.Contains(logged));
    }

    [TestCase("mod-group br-int group_id=7,type=select,bucket=actions=drop")]
    [TestCase("del-meters br-int")]
    public async Task What_the_switch_does_not_tell_is_found_by_reading_back(string command)
    {
        (_node.CompareGroupsAfter, _node.IsTold) = (TimeSpan.FromMilliseconds(200), false);
        await RestartAsync();
        (_node.CompareGroupsAfter, _node.IsTold) = (null, true);
        var before = await SwitchAsync();
        var repaired = _node.Flows.Repaired;
        await ChangeSwitchAsync(command);
        await Eventually.True($"repair of: {command}", async () => _node.Flows.Repaired > repaired && await SwitchAsync() == before);
        await RestartAsync();
    }

    [TestCase("del-port br-int w000000000a")]
    [TestCase("del-port br-int w000000000a -- del-port br-int w000000000b")]
    [TestCase("clear interface w000000000a external_ids")]
    [TestCase("remove interface w000000000b external_ids weft-ips")]
    [TestCase("set interface w000000000b external_ids:weft-pod=default/other")]
    [TestCase("del-port br-int weft-tun0")]
    [TestCase("del-port br-int weft-gw0")]
    [TestCase("set interface weft-tun0 type=vxlan")]
    [TestCase("set interface weft-tun0 options:remote_ip=1.2.3.4")]
    [TestCase("set bridge br-int fail_mode=standalone")]
    [TestCase("clear bridge br-int flow_tables")]
    [TestCase("clear bridge br-int external_ids")]
    public async Task Rows_of_the_bridge_and_of_its_ports_are_repaired_within_a_second(string command)
    {
        _node.Log.Clear();
        var before = await RowsAsync();
        var repaired = _node.Rows.Repaired;
        await _node.Database.VsctlAsync(false, command.Split(' '));
        await Eventually.True($"repair of: {command}\nwanted:\n{before}", async () => await RowsAsync() == before, Limit);
        Assert.That(_node.Log.Lines, Has.Some.Contains("right"), "said");
        Assert.That(_node.Rows.Repaired, Is.GreaterThan(repaired));
        await _node.InSyncAsync(command);
    }

    [Test]
    public async Task A_group_among_thousands_is_repaired_within_a_second()
    {
        var count = Environment.GetEnvironmentVariable("WEFT_TEST_FULL") == "1" ? 10_000 : 2_000;
        await using var node = await AgentBench.StartAsync(PlanCases.TwoPods([.. Enumerable.Range(1, count).SelectMany(Service)]));
        var repaired = node.Flows.Repaired;
        var clock = System.Diagnostics.Stopwatch.StartNew();
        await node.Switch.OfctlAsync("-O", "OpenFlow13", "mod-group", "br-int", $"group_id={count / 2},type=select,bucket=actions=drop");
        await Eventually.True($"the repair of one of {count} groups", () => node.Flows.Repaired > repaired && node.Loop.Published.Synced, Limit);
        await TestContext.Out.WriteLineAsync($"one of {count} groups repaired after {clock.ElapsedMilliseconds} ms");
        Assert.That(await node.Switch.OfctlAsync("-O", "OpenFlow13", "dump-groups", "br-int", $"{count / 2}"), Does.Contain("nat").Or.Contain("bucket_id"));

        static IEnumerable<TopologyItem> Service(int i) =>
        [
            new LoadBalancer { Id = $"default/s{i}/80/4", Service = $"default/s{i}", Key = i, Port = 80, ClusterIp = $"10.96.{i >> 8}.{i & 255}", Endpoints = $"s{i}" },
            new EndpointSet { Id = $"s{i}", Endpoints = [new Endpoint { Address = "10.244.1.11", Port = 8080 }] },
        ];
    }

    private async Task RestartAsync()
    {
        await _node.StopAgentAsync();
        await _node.StartLoopAsync(_node.Loop.Published.Facts.Slice, connect: true);
        await _node.InSyncAsync("the restart");
    }

    private Task<string> ChangeSwitchAsync(string command) => _node.Switch.OfctlAsync(["-O", command.StartsWith("insert-", StringComparison.Ordinal) ? "OpenFlow15" : "OpenFlow13", .. command.Split(' ')]);

    private async Task<string> SwitchAsync() => string.Join('\n', (await _node.Switch.OfctlAsync("-O", "OpenFlow13", "--no-stats", "dump-flows", "br-int")
        + await _node.Switch.OfctlAsync("-O", "OpenFlow13", "dump-groups", "br-int") + await _node.Switch.OfctlAsync("-O", "OpenFlow13", "dump-meters", "br-int")).Split('\n').Where(l => !l.Contains("reply", StringComparison.Ordinal)).Order(StringComparer.Ordinal));

    private async Task<string> RowsAsync() =>
        await _node.Database.VsctlAsync(false, "--columns=fail_mode,external_ids,datapath_type", "list", "bridge", "br-int")
        + string.Join('\n', (await _node.Database.VsctlAsync(false, "--columns=name,type,options,mac,ofport_request,ofport,external_ids", "list", "interface")).Split("\n\n").Select(b => b.Trim()).Order(StringComparer.Ordinal))
        + (await _node.Database.VsctlAsync(false, "--bare", "--columns=name", "list", "flow_table")).Split('\n').Order(StringComparer.Ordinal).Aggregate("", (all, l) => all + l + "\n");
}
