using Weft.Agent.Plan.Pipeline;
using Weft.Agent.Tests.Plan;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Instructions;
using Weft.OpenFlow.Text;
using Weft.TestSupport;
using Weft.Topology;
using Endpoint = Weft.Topology.Endpoint;

namespace Weft.Agent.Tests.Sync;

public sealed class FlowSyncTests
{
    private const string FromA = "in_port=1,tcp,dl_src=0a:58:0a:f4:01:0a,nw_src=10.244.1.10,nw_ttl=64";
    private static readonly LoadBalancer Web = new()
    {
        Id = "default/web/80/4", Service = "default/web", Key = 7, Port = 80, ClusterIp = "10.96.0.7", Endpoints = "web",
    };

    private SwitchFixture _switch = null!;

    [SetUp]
    public async Task Start() => _switch = await SwitchFixture.StartAsync(PlanCases.TwoPods(
        Web, new EndpointSet { Id = "web", Endpoints = [new Endpoint { Address = "10.244.1.11", Port = 8080 }] }));

    [TearDown]
    public async Task Stop() => await _switch.DisposeAsync();

    [Test]
    public async Task A_restart_finds_every_flow_and_group_as_planned_and_sends_nothing()
    {
        var planned = _switch.Planner.Flows.Count;
        await _switch.RestartFlowSyncAsync();
        await _switch.ApplyAsync();
        Assert.That(_switch.Flows.Installed, Is.EqualTo(planned));
        Assert.That((_switch.Flows.FlowsSent, _switch.Flows.GroupsSent), Is.EqualTo((0L, 0L)));
    }

    [Test]
    public async Task A_user_space_datapath_forgets_what_it_cached_of_changed_flows()
    {
        await Eventually.True("the cache emptied after the first flows", () => _switch.Flows.Purges > 0);
        var before = _switch.Flows.Purges;
        await _switch.ApplyAsync();
        Assert.That(_switch.Flows.Purges, Is.EqualTo(before), "nothing changed");
    }

    [Test]
    public async Task What_somebody_else_changes_wakes_the_agent_and_is_put_right()
    {
        var before = await DumpAsync();
        var wakes = _switch.Wakes;
        await _switch.Switch.OfctlAsync("del-flows", "br-int", "table=60");
        await _switch.Switch.OfctlAsync("add-flow", "br-int", "table=0,priority=60000,actions=NORMAL");
        await Eventually.True("a wake-up", () => _switch.Wakes > wakes);
        await Eventually.True("the flows as before", async () =>
        {
            await _switch.ApplyAsync();
            return await DumpAsync() == before;
        });
        Assert.That(_switch.Flows.Repaired, Is.GreaterThan(1));
    }

    [TestCase("del-groups br-int")]
    [TestCase("del-flows br-int;del-groups br-int")]
    [TestCase("del-groups br-int;del-flows br-int")]
    public async Task Groups_that_somebody_deletes_are_there_again_with_the_flows_that_name_them(string commands)
    {
        var (flows, groups) = (await DumpAsync(), await GroupsAsync());
        Assert.That(groups, Does.Contain("bucket="));
        foreach (var command in commands.Split(';'))
        {
            await _switch.Switch.OfctlAsync(["-O", "OpenFlow13", .. command.Split(' ')]);
        }

        await Eventually.True("flows and groups as before", async () =>
        {
            await _switch.ApplyAsync();
            return await DumpAsync() == flows && await GroupsAsync() == groups;
        });
        Assert.That(_switch.Flows.Refused, Is.Empty);
        Assert.That(_switch.Flows.Repaired, Is.Positive);
    }

    // Refused as it is carried out, which keeps the whole bundle out; and as it is read.
    [TestCase("group:4711")]
    [TestCase("set_field:80->tcp_dst")]
    public async Task A_flow_that_the_switch_refuses_is_named_and_the_others_are_in_effect(string action)
    {
        var good = new FlowDraft(Tables.EgressAdmin, 5, Cookies.Of(FlowFeature.Policy, "test")).When(Fields.InPort.Is(1)).End();
        var bad = FlowText.Parse($"table={Tables.EgressAdmin.Id},priority=6,in_port=1 actions={action}") with { Cookie = good.Cookie };
        _switch.Planner.Flows.Replace("test", new[] { bad, good }.Select(f => KeyValuePair.Create(f.Key, f)));
        await _switch.ApplyAsync();
        Assert.That(_switch.Flows.Refused.Values.Single().Flow, Is.EqualTo(bad));
        var sent = _switch.Flows.FlowsSent;
        await _switch.ApplyAsync();
        Assert.That(_switch.Flows.FlowsSent, Is.EqualTo(sent), "and not tried again");
        Assert.That(await DumpAsync(), Does.Contain("priority=5,in_port=1").And.Not.Contain("priority=6,in_port=1"));

        _switch.Planner.Flows.Replace("test", [KeyValuePair.Create(good.Key, good)]);
        await _switch.ApplyAsync();
        Assert.That(_switch.Flows.Refused, Is.Empty, "what is not planned any more is not refused any more");
    }

    [Test]
    public async Task After_the_switch_lost_everything_the_flows_are_there_again()
    {
        var before = await DumpAsync();
        var purges = _switch.Flows.Purges;
        await _switch.Switch.StopAsync();
        await _switch.Switch.StartAsync();
        await Eventually.True("the flows again", async () =>
        {
            await _switch.ApplyAsync();
            return await DumpAsync() == before;
        }, TimeSpan.FromSeconds(30));
        await Eventually.True("the cache of the new process emptied", () => _switch.Flows.Purges > purges);
    }

    [TestCase(FromA + ",dl_dst=0a:58:0a:f4:01:0b,nw_dst=10.244.1.11,tcp_dst=80", "-> output port is 2", TestName = "A pod reaches a pod of its node")]
    [TestCase(FromA + ",dl_dst=0a:57:45:46:54:01,nw_dst=10.244.2.9,tcp_dst=80", "-> output port is 32768", TestName = "A pod of another node is reached through the tunnel")]
    [TestCase(FromA + ",dl_dst=0a:57:45:46:54:01,nw_dst=172.30.0.12,tcp_dst=22", "-> output port is 32768", TestName = "Another node is reached through the tunnel")]
    [TestCase(FromA + ",dl_dst=0a:57:45:46:54:01,nw_dst=1.1.1.1,tcp_dst=80", "-> output port is 32769", TestName = "The world is reached through the gateway")]
    [TestCase(FromA + ",dl_dst=0a:57:45:46:54:01,nw_dst=10.96.0.7,tcp_dst=80", "group:7", TestName = "A Service leads to its group")]
    [TestCase("in_port=1,tcp,dl_src=0a:58:0a:f4:01:0b,dl_dst=0a:57:45:46:54:01,nw_src=10.244.1.10,nw_dst=10.244.1.11", "drop", TestName = "Another MAC than its own is dropped")]
    [TestCase("in_port=1,tcp,dl_src=0a:58:0a:f4:01:0a,dl_dst=0a:58:0a:f4:01:0b,nw_src=10.244.1.99,nw_dst=10.244.1.11", "drop", TestName = "Another address than its own is dropped")]
    [TestCase("in_port=1,arp,dl_src=0a:58:0a:f4:01:0a,dl_dst=ff:ff:ff:ff:ff:ff,arp_op=1,arp_sha=0a:58:0a:f4:01:0a,arp_spa=10.244.1.10,arp_tpa=10.244.1.11", "IN_PORT", TestName = "ARP is answered by the switch")]
    public async Task A_traced_packet_ends_where_it_should(string packet, string expected) =>
        Assert.That(await _switch.TraceAsync(packet), Does.Contain(expected));

    [Test]
    public async Task A_packet_from_the_tunnel_never_returns_into_a_tunnel()
    {
        var trace = await _switch.TraceAsync("in_port=32768,tun_id=1,tcp,dl_dst=0a:57:45:46:54:01,nw_src=10.244.2.9,nw_dst=10.244.2.10,nw_ttl=64");
        Assert.That(trace, Does.Contain("Datapath actions: ").And.Not.Contain("tnl_push"));
        Assert.That(trace.Split('\n').Last(l => l.StartsWith("Datapath actions:", StringComparison.Ordinal)), Does.Not.Contain("set(tunnel"));
    }

    [Test]
    public async Task Table_names_are_written_for_ovs_ofctl() =>
        Assert.That(await _switch.Switch.OfctlAsync("--names", "--no-stats", "dump-flows", "br-int"), Does.Contain("table=SpoofGuard").And.Contain("table=Routing"));

    [Test]
    public async Task An_interface_row_tells_which_pod_it_is() =>
        Assert.That(await _switch.Database.VsctlAsync(true, "get", "interface", "w000000000a", "external_ids:weft-pod"), Does.Contain("default/a"));

    [Test]
    public async Task A_port_that_is_removed_leaves_no_row()
    {
        await _switch.Rows.RemovePortsAsync(["w000000000a"], CancellationToken.None);
        await _switch.Rows.RemovePortsAsync(["w000000000a"], CancellationToken.None);
        Assert.That(await _switch.Database.VsctlAsync(true, "list-ports", "br-int"), Does.Not.Contain("w000000000a").And.Contain("w000000000b"));
    }

    private async Task<string> GroupsAsync() =>
        string.Join('\n', (await _switch.Switch.OfctlAsync("-O", "OpenFlow13", "dump-groups", "br-int")).Split('\n').Where(l => l.Contains("group_id", StringComparison.Ordinal)).Order(StringComparer.Ordinal));

    private async Task<string> DumpAsync()
    {
        var lines = (await _switch.Switch.OfctlAsync("--no-stats", "dump-flows", "br-int")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return string.Join('\n', lines.Order(StringComparer.Ordinal));
    }
}
