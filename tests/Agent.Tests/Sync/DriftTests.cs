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
    public async Task StartAsync() => _node = await AgentBench.StartAsync(PlanCases.TwoPods(
        new LoadBalancer { Id = "default/web/80/4", Service = "default/web", Key = 7, Port = 80, ClusterIp = "10.96.0.7", Endpoints = "web" },
        new EndpointSet { Id = "web", Endpoints = [new Endpoint { Address = "10.244.1.11", Port = 8080 }] }));

    [OneTimeTearDown]
    public async Task StopAsync() => await _node.DisposeAsync();

    [TestCase("del-flows br-int")]
    [TestCase("del-flows br-int table=60")]
    [TestCase("add-flow br-int table=0,priority=60000,actions=NORMAL")]
    [TestCase("mod-flows br-int table=41,actions=drop")]
    [TestCase("del-groups br-int")]
    public async Task Flows_and_groups_are_repaired_within_a_second_and_counted(string command)
    {
        var before = await SwitchAsync();
        var repaired = _node.Flows.Repaired;
        await _node.Switch.OfctlAsync(["-O", "OpenFlow13", .. command.Split(' ')]);
        await Eventually.True($"repair of: {command}", async () => await SwitchAsync() == before, Limit);
        Assert.That(_node.Flows.Repaired, Is.GreaterThan(repaired));
    }

    [TestCase("mod-group br-int group_id=7,type=select,bucket=actions=drop")]
    [TestCase("add-group br-int group_id=4711,type=all,bucket=actions=drop")]
    [TestCase("del-meters br-int")]
    [TestCase("mod-meter br-int meter=controller,pktps,burst,band=type=drop,rate=5,burst_size=5")]
    public async Task What_OpenFlow_has_no_event_for_is_found_by_reading_back(string command)
    {
        await _node.StopAgentAsync();
        _node.CompareGroupsAfter = TimeSpan.FromMilliseconds(200);
        await _node.StartLoopAsync(_node.Loop.Published.Facts.Slice, connect: true);
        await _node.InSyncAsync("the restart");
        var before = await SwitchAsync();
        var repaired = _node.Flows.Repaired;
        await _node.Switch.OfctlAsync(["-O", "OpenFlow13", .. command.Split(' ')]);
        await Eventually.True($"repair of: {command}", async () => _node.Flows.Repaired > repaired && await SwitchAsync() == before);
    }

    [TestCase("del-port br-int weft-tun0")]
    [TestCase("del-port br-int weft-gw0")]
    [TestCase("set interface weft-tun0 type=vxlan")]
    [TestCase("set interface weft-tun0 options:remote_ip=1.2.3.4")]
    [TestCase("set bridge br-int fail_mode=standalone")]
    [TestCase("clear bridge br-int flow_tables")]
    [TestCase("clear bridge br-int external_ids")]
    public async Task Rows_of_the_bridge_and_its_own_ports_are_repaired_within_a_second(string command)
    {
        var before = await RowsAsync();
        var repaired = _node.Rows.Repaired;
        await _node.Database.VsctlAsync(false, command.Split(' '));
        await Eventually.True($"repair of: {command}\nwanted:\n{before}", async () => await RowsAsync() == before, Limit);
        Assert.That(_node.Rows.Repaired, Is.GreaterThan(repaired));
        await _node.InSyncAsync(command);
    }

    private async Task<string> SwitchAsync() => string.Join('\n', (await _node.Switch.OfctlAsync("-O", "OpenFlow13", "--no-stats", "dump-flows", "br-int")
        + await _node.Switch.OfctlAsync("-O", "OpenFlow13", "dump-groups", "br-int") + await _node.Switch.OfctlAsync("-O", "OpenFlow13", "dump-meters", "br-int")).Split('\n').Where(l => !l.Contains("reply", StringComparison.Ordinal)).Order(StringComparer.Ordinal));

    private async Task<string> RowsAsync() =>
        await _node.Database.VsctlAsync(false, "--columns=fail_mode,external_ids,datapath_type", "list", "bridge", "br-int")
        + string.Join('\n', (await _node.Database.VsctlAsync(false, "--columns=name,type,options,mac,ofport_request,external_ids", "find", "interface", "type!=\"\"")).Split("\n\n").Select(b => b.Trim()).Order(StringComparer.Ordinal))
        + (await _node.Database.VsctlAsync(false, "--bare", "--columns=name", "list", "flow_table")).Split('\n').Order(StringComparer.Ordinal).Aggregate("", (all, l) => all + l + "\n");
}
