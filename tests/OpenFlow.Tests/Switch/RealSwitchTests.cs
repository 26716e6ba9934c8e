using System.Diagnostics;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Instructions;
using Weft.OpenFlow.Messages;
using Weft.OpenFlow.Switch;
using Weft.OpenFlow.Text;
using Weft.TestSupport;

namespace Weft.OpenFlow.Tests.Switch;

/// <summary>Against a real ovs-vswitchd: one for the class, emptied before each test.</summary>
public sealed class RealSwitchTests
{
    private RealSwitch _real = null!;

    private OpenFlowSwitch Connection => _real.Connection;

    [OneTimeSetUp]
    public async Task Start() => _real = await RealSwitch.StartAsync();

    [OneTimeTearDown]
    public async Task Stop() => await _real.DisposeAsync();

    [SetUp]
    public async Task Empty()
    {
        (await Connection.ApplyAsync([FlowMod.DeleteAll(), GroupMod.Delete(GroupMod.AllGroups)])).ThrowIfFailed();
        Assert.That(await Connection.SendAsync([MeterMod.Delete(MeterMod.AllMeters)]), Is.Empty);
    }

    private static readonly string[] NotHere =
        ["group:", "meter:", "delete_field", "clone(push", "clone(encap", "fin_timeout", "dec_ttl", "mod_nw_ttl", "conjunction", "clear_actions"];

    private static readonly Field[] MaskedByValue =
        [Fields.Fields.TunErspanVer, Fields.Fields.TunErspanDir, Fields.Fields.TunErspanHwid, Fields.Fields.TunGtpuFlags, Fields.Fields.TunGtpuMsgtype];

    // Refused as it is read, as it is taken into the bundle, and as the bundle is committed; as the first, one between, and the last.
    [TestCase("table=1,in_port=2 actions=set_field:80->tcp_dst,output:2", "OFPBAC_MATCH_INCONSISTENT", 0)]
    [TestCase("table=1,in_port=2 actions=set_field:80->tcp_dst,output:2", "OFPBAC_MATCH_INCONSISTENT", 1)]
    [TestCase("table=1,in_port=2 actions=set_field:80->tcp_dst,output:2", "OFPBAC_MATCH_INCONSISTENT", 2)]
    [TestCase("table=1,in_port=2 actions=group:77", "OFPBAC_BAD_OUT_GROUP", 0)]
    [TestCase("table=1,in_port=2 actions=group:77", "OFPBAC_BAD_OUT_GROUP", 1)]
    [TestCase("table=1,in_port=2 actions=group:77", "OFPBAC_BAD_OUT_GROUP", 2)]
    [TestCase("table=1,dp_hash=5 actions=drop", "OFPBRC_EPERM", 1)]
    public async Task A_bundle_with_a_bad_member_applies_nothing_and_names_the_member(string text, string error, int place)
    {
        var good = FlowText.Parse("table=1,in_port=1 actions=output:2");
        var bad = FlowText.Parse(text);
        List<OpenFlowMessage> messages = [FlowMod.Add(good), FlowMod.Add(good with { Table = 2 })];
        messages.Insert(place, FlowMod.Add(bad));
        var outcome = await Connection.ApplyAsync(messages);
        Assert.Multiple(async () =>
        {
            Assert.That(outcome.Committed, Is.False);
            Assert.That(outcome.Failures.Select(f => (f.Index, f.Error.Name)), Is.EqualTo(new[] { (place, error) }));
            Assert.That(outcome.ThrowIfFailed, Throws.TypeOf<OpenFlowErrorException>().With.Message.Contains($"message {place}"));
            Assert.That(await Connection.DumpFlowsAsync(), Is.Empty);
        });
    }

    [TestCase(0)]
    [TestCase(1)]
    [TestCase(2)]
    public async Task A_member_that_cannot_be_read_is_named_and_left_out_where_that_is_wanted(int place)
    {
        var good = FlowText.Parse("table=1,in_port=1 actions=output:2");
        List<OpenFlowMessage> messages = [FlowMod.Add(good), FlowMod.Add(good with { Table = 2 })];
        messages.Insert(place, FlowMod.Add(FlowText.Parse("table=1,in_port=2 actions=set_field:80->tcp_dst,output:2")));
        var outcome = await Connection.ApplyReadableAsync(messages);
        Assert.That(outcome.Committed);
        Assert.That(outcome.Failures.Select(f => (f.Index, f.Error.Name)), Is.EqualTo(new[] { (place, "OFPBAC_MATCH_INCONSISTENT") }));
        Assert.That(outcome.ThrowIfFailed, Throws.TypeOf<OpenFlowErrorException>().With.Message.Contains("applied without message"));
        Assert.That(await Connection.DumpFlowsAsync(), Has.Count.EqualTo(2));
    }

    [Test]
    public async Task A_member_that_cannot_be_carried_out_keeps_all_out_in_any_case()
    {
        var outcome = await Connection.ApplyReadableAsync([FlowMod.Add(FlowText.Parse("in_port=1 actions=output:2")), FlowMod.Add(FlowText.Parse("in_port=2 actions=group:77"))]);
        Assert.That(outcome.Committed, Is.False);
        Assert.That(outcome.Failures.Single().Error.Name, Is.EqualTo("OFPBAC_BAD_OUT_GROUP"));
        Assert.That(await Connection.DumpFlowsAsync(), Is.Empty);
    }

    [Test]
    public async Task When_no_member_can_be_read_all_are_named()
    {
        var bad = FlowMod.Add(FlowText.Parse("table=1,in_port=2 actions=set_field:80->tcp_dst,output:2"));
        foreach (var outcome in new[] { await Connection.ApplyAsync([bad, bad]), await Connection.ApplyReadableAsync([bad, bad]) })
        {
            Assert.That(outcome.Committed, Is.False);
            Assert.That(outcome.Failures.Select(f => f.Index), Is.EqualTo(new[] { 0, 1 }));
        }
    }

    [Test]
    public async Task Messages_sent_one_by_one_report_each_refusal_and_apply_the_rest()
    {
        var failures = await Connection.SendAsync(
        [
            FlowMod.Add(FlowText.Parse("in_port=1 actions=output:2")),
            FlowMod.Add(FlowText.Parse("in_port=2 actions=group:77")),
            GroupMod.Delete(5),
        ]);
        Assert.That(failures.Select(f => f.Index), Is.EqualTo(new[] { 1 }));
        Assert.That(await Connection.DumpFlowsAsync(), Has.Count.EqualTo(1));
    }

    [TestCase("group_id=1,type=select,bucket=weight:10,actions=output:1,bucket=weight:20,actions=set_field:0x1->reg0,output:2")]
    [TestCase("group_id=2,type=all,bucket=actions=output:1,bucket=actions=ct(commit,table=9,zone=5,nat(dst=10.0.0.1:80))")]
    [TestCase("group_id=3,type=indirect,bucket=actions=output:1")]
    [TestCase("group_id=4,type=ff,bucket=watch_port:1,actions=output:1,bucket=watch_port:2,actions=output:2")]
    [TestCase("group_id=5,type=all")]
    public async Task A_group_comes_back_as_it_was_sent(string text)
    {
        var group = GroupText.Parse(text);
        (await Connection.ApplyAsync([new GroupMod(GroupCommand.Add, group)])).ThrowIfFailed();
        Assert.That(await Connection.DumpGroupsAsync(), Is.EqualTo(new[] { group }));
        Assert.That(group.ToString(), Is.EqualTo(text));
    }

    [TestCase("meter=1,kbps,burst,bands=type=drop,rate=100,burst_size=50")]
    [TestCase("meter=2,pktps,stats,bands=type=drop,rate=7")]
    public async Task A_meter_comes_back_as_it_was_sent(string text)
    {
        var meter = MeterText.Parse(text);
        Assert.That(await Connection.SendAsync([new MeterMod(MeterCommand.Add, meter)]), Is.Empty);
        Assert.That((await Connection.DumpMetersAsync()).Single(), Is.EqualTo(meter));
    }

    [Test]
    public async Task Three_hundred_thousand_flows_are_installed_dumped_and_equal()
    {
        const int Count = 300_000;
        var flows = new Flow[Count];
        for (var i = 0; i < Count; i++)
        {
            flows[i] = new Flow(3, 100, Match.Of(Fields.Fields.Reg0.Is((uint)i)), FlowInstructions.Of(Fields.Fields.Reg1.Set((uint)i), new GotoTable(4)));
        }

        (await Connection.ApplyAsync([.. flows.Select(FlowMod.Add)])).ThrowIfFailed();
        var dumped = await Connection.DumpFlowsAsync(new FlowFilter(Table: 3));
        Assert.That(dumped.Select(f => f.Flow).ToHashSet().SetEquals(flows));
    }

    [Test]
    public async Task A_filter_dumps_only_what_it_covers()
    {
        (await Connection.ApplyAsync([.. new[] { "table=1,cookie=0x5,tcp,tp_dst=80 actions=drop", "table=1,cookie=0x6,udp actions=drop", "table=2,cookie=0x5 actions=drop" }.Select(t => FlowMod.Add(FlowText.Parse(t)))])).ThrowIfFailed();
        Assert.That(await Connection.DumpFlowsAsync(new FlowFilter(1)), Has.Count.EqualTo(2));
        Assert.That(await Connection.DumpFlowsAsync(new FlowFilter { Cookie = 5, CookieMask = ulong.MaxValue }), Has.Count.EqualTo(2));
        Assert.That(await Connection.DumpFlowsAsync(new FlowFilter(255, Match.Of(Fields.Fields.EthType.Is(0x0800), Fields.Fields.IpProto.Is(6)))), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_flow_monitor_tells_what_another_controller_does()
    {
        var updates = new List<FlowUpdate>();
        void Collect(IReadOnlyList<FlowUpdate> got)
        {
            lock (updates)
            {
                updates.AddRange(got);
            }
        }

        Connection.FlowsChanged += Collect;
        try
        {
            (await Connection.ApplyAsync([FlowMod.Add(FlowText.Parse("table=7,in_port=1 actions=drop"))])).ThrowIfFailed();
            var initial = await Connection.MonitorFlowsAsync(1, FlowMonitorFlags.Changes | FlowMonitorFlags.Initial);
            Assert.That(initial.Select(u => u.Flow!.Table), Is.EqualTo(new byte[] { 7 }));
            await _real.OfctlAsync("add-flow", "br0", "table=8,tcp,tp_dst=80 actions=output:1");
            await _real.OfctlAsync("mod-flows", "br0", "table=8,tcp,tp_dst=80 actions=output:2");
            await _real.OfctlAsync("del-flows", "br0", "table=8");
            await Eventually.True("three updates", () =>
            {
                lock (updates)
                {
                    return updates.Count(u => u.Flow?.Table == 8) == 3;
                }
            });
            var foreign = updates.Where(u => u.Flow?.Table == 8).ToList();
            Assert.That(foreign.Select(u => u.Event), Is.EqualTo(new[] { FlowUpdateEvent.Added, FlowUpdateEvent.Modified, FlowUpdateEvent.Deleted }));
            Assert.That(foreign[1].Flow!.ToString(), Is.EqualTo("table=8, tcp,tp_dst=80 actions=output:2"));

            await Connection.CancelMonitorAsync(1);
            await _real.OfctlAsync("add-flow", "br0", "table=9 actions=drop");
            await Connection.BarrierAsync();
            Assert.That(updates.Any(u => u.Flow?.Table == 9), Is.False);
        }
        finally
        {
            Connection.FlowsChanged -= Collect;
        }
    }

    [Test]
    public async Task A_packet_sent_out_comes_back_as_packet_in_with_metadata_and_user_data()
    {
        var got = new TaskCompletionSource<PacketIn>(TaskCreationOptions.RunContinuationsAsynchronously);
        void Take(PacketIn packet) => got.TrySetResult(packet);
        Connection.PacketIn += Take;
        try
        {
            (await Connection.ApplyAsync([FlowMod.Add(FlowText.Parse("table=0,cookie=0x99,in_port=1 actions=set_field:5->reg3,controller(userdata=01.02.03)"))])).ThrowIfFailed();
            var packet = Convert.FromHexString("ffffffffffff00000000000108060001080006040001000000000001" + "0a000001" + "000000000000" + "0a000002");
            await Connection.SendPacketAsync(packet, ActionList.Of(new Output(Ports.Table)), inPort: 1);
            var arrived = await got.Task.WaitAsync(TimeSpan.FromSeconds(10));
            Assert.Multiple(() =>
            {
                Assert.That(arrived.Data.ToArray(), Is.EqualTo(packet));
                Assert.That(arrived.InPort, Is.EqualTo(1));
                Assert.That(arrived.Cookie, Is.EqualTo(0x99));
                Assert.That(arrived.UserData.ToArray(), Is.EqualTo(new byte[] { 1, 2, 3 }));
                Assert.That(arrived.Metadata.TryGet(Fields.Fields.Reg3, out var reg) ? (uint)reg.Value : 0, Is.EqualTo(5));
            });
        }
        finally
        {
            Connection.PacketIn -= Take;
        }
    }

    [TestCase(0u, PacketInForm.Standard)]
    [TestCase(1u, PacketInForm.Nicira)]
    [TestCase(2u, PacketInForm.Nicira2)]
    public async Task Packet_ins_come_in_the_form_that_was_asked_for(uint format, PacketInForm form)
    {
        var got = new TaskCompletionSource<PacketIn>(TaskCreationOptions.RunContinuationsAsynchronously);
        void Take(PacketIn packet) => got.TrySetResult(packet);
        Connection.PacketIn += Take;
        try
        {
            Assert.That(await Connection.SendAsync([new SetPacketInFormat(format)]), Is.Empty);
            (await Connection.ApplyAsync([FlowMod.Add(FlowText.Parse("table=0,cookie=0x99,in_port=1 actions=controller"))])).ThrowIfFailed();
            var packet = Convert.FromHexString("ffffffffffff00000000000108060001080006040001000000000001" + "0a000001" + "000000000000" + "0a000002");
            await Connection.SendPacketAsync(packet, ActionList.Of(new Output(Ports.Table)), inPort: 1);
            var arrived = await got.Task.WaitAsync(TimeSpan.FromSeconds(10));
            Assert.That((arrived.Form, arrived.Cookie, arrived.InPort), Is.EqualTo((form, 0x99UL, 1u)));
            Assert.That(arrived.Data.ToArray(), Is.EqualTo(packet));
        }
        finally
        {
            Connection.PacketIn -= Take;
            Assert.That(await Connection.SendAsync([new SetPacketInFormat(2)]), Is.Empty);
        }
    }

    [Test]
    public async Task Counters_of_ipfix_exporters_are_read_and_where_there_are_none_that_is_said()
    {
        Assert.That(async () => await Connection.BridgeIpfixStatsAsync(), Throws.TypeOf<OpenFlowErrorException>().With.Message.Contains("NXST_NOT_CONFIGURED"));
        await _real.Database.VsctlAsync(wait: true, "--id=@i", "create", "IPFIX", "targets=\"127.0.0.1:4739\"", "--", "set", "bridge", "br0", "ipfix=@i");
        try
        {
            Assert.That(await Connection.BridgeIpfixStatsAsync(), Has.Count.EqualTo(1));
            await _real.Database.VsctlAsync(
                wait: true, "--id=@b", "get", "bridge", "br0", "--", "--id=@i", "create", "IPFIX", "targets=\"127.0.0.1:4739\"", "--", "create", "Flow_Sample_Collector_Set", "id=7", "bridge=@b", "ipfix=@i");
            Assert.That((await Connection.FlowIpfixStatsAsync()).Select(s => s.CollectorSet), Is.EqualTo(new[] { 7u }));
        }
        finally
        {
            await _real.Database.VsctlAsync(wait: true, "clear", "bridge", "br0", "ipfix", "--", "--all", "destroy", "Flow_Sample_Collector_Set");
        }
    }

    [Test]
    public async Task A_flow_that_ends_is_told_when_it_asked_for_that()
    {
        var got = new TaskCompletionSource<FlowRemoved>(TaskCreationOptions.RunContinuationsAsynchronously);
        void Take(FlowRemoved removed) => got.TrySetResult(removed);
        Connection.FlowRemoved += Take;
        try
        {
            (await Connection.ApplyAsync([FlowMod.Add(FlowText.Parse("table=5,cookie=0x42,send_flow_rem,in_port=1 actions=drop"))])).ThrowIfFailed();
            await _real.OfctlAsync("del-flows", "br0", "table=5");
            var removed = await got.Task.WaitAsync(TimeSpan.FromSeconds(10));
            Assert.That((removed.Flow.Cookie, removed.Reason, removed.Flow.Match), Is.EqualTo((0x42UL, (byte)2, Match.Of(Fields.Fields.InPort.Is(1)))));
        }
        finally
        {
            Connection.FlowRemoved -= Take;
        }
    }

    [Test]
    public async Task Flows_made_from_every_field_and_action_come_back_equal()
    {
        var generator = new Oracle.CaseGenerator(7);
        var flows = new Dictionary<FlowKey, Flow>();
        for (var i = 0; i < 3000; i++)
        {
            // Groups, meters and tunnel options would have to exist; what refers to them, and headers that come and go, have tests of their own.
            var flow = generator.Next(i);
            var text = flow.ToString();
            if (!Array.Exists(NotHere, n => text.Contains(n, StringComparison.Ordinal)))
            {
                flows[flow.Key] = flow with { IdleTimeout = 0, HardTimeout = 0 };
            }
        }

        // What the switch keeps for itself: it knows the fields, and takes values of them from nobody.
        var refused = flows.Values.Where(f => f.Match.TryGet(Fields.Fields.DpHash, out _)
            || (f.Match.TryGet(Fields.Fields.RecircId, out var recirculated) && recirculated.Value != 0)).ToList();
        var refusals = await Connection.SendAsync([.. refused.Select(FlowMod.Add)]);
        Assert.That(refusals.Select(r => r.ToString()), Has.Exactly(refused.Count).Contains("OFPBRC_EPERM"));

        var wanted = flows.Values.Except(refused).ToList();
        var failures = await Connection.SendAsync([.. wanted.Select(FlowMod.Add)]);
        Assert.That(failures, Is.Empty, string.Join('\n', failures.Take(10)));
        var dumped = (await Connection.DumpFlowsAsync()).ToDictionary(f => f.Flow.Cookie, f => f.Flow);
        var different = wanted.Where(w => !dumped.TryGetValue(w.Cookie, out var got) || !CameBack(w, got)).ToList();
        Assert.That(different, Is.Empty, string.Join('\n', different.Take(10).Select(w => $"{w}\n{dumped.GetValueOrDefault(w.Cookie)}\n")));

        // Open vSwitch 3.1 takes value & mask for the mask of these (match_set_tun_erspan_ver_masked and its like), so that only their text comes back.
        static bool CameBack(Flow sent, Flow got) =>
            MaskedByValue.Any(f => sent.Match.TryGet(f, out _)) ? got.ToString() == sent.ToString() : got == sent;
    }

    [Test]
    public async Task Ports_are_listed_and_their_coming_is_told()
    {
        var got = new TaskCompletionSource<PortStatus>(TaskCreationOptions.RunContinuationsAsynchronously);
        void Take(PortStatus status)
        {
            if (status is { Reason: PortReason.Added, Port.Name: "p9" })
            {
                got.TrySetResult(status);
            }
        }

        Connection.PortStatus += Take;
        try
        {
            await _real.Database.VsctlAsync(wait: true, "add-port", "br0", "p9", "--", "set", "interface", "p9", "type=dummy", "ofport_request=9");
            var status = await got.Task.WaitAsync(TimeSpan.FromSeconds(10));
            Assert.That(status.Port.Number, Is.EqualTo(9));
            var ports = await Connection.DumpPortsAsync();
            Assert.That(ports.Select(p => (p.Number, p.Name)), Is.SupersetOf(new[] { (1u, "p1"), (2u, "p2"), (9u, "p9"), (Ports.Local, "br0") }));
            await _real.Database.VsctlAsync(wait: true, "del-port", "br0", "p9");
        }
        finally
        {
            Connection.PortStatus -= Take;
        }
    }

    [Test]
    public async Task Many_requests_at_once_each_get_their_own_answer()
    {
        (await Connection.ApplyAsync([.. Enumerable.Range(0, 50).Select(i => FlowMod.Add(FlowText.Parse($"table={i} actions=drop")))])).ThrowIfFailed();
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => Connection.DumpFlowsAsync(new FlowFilter((byte)i))));
        Assert.That(answers.Select(a => (int)a.Single().Flow.Table), Is.EqualTo(Enumerable.Range(0, 50)));
    }

    [Test]
    public async Task A_switch_that_offers_only_other_versions_is_refused_with_the_remedy()
    {
        await _real.Database.VsctlAsync(wait: true, "add-br", "br10", "--", "set", "bridge", "br10", "datapath_type=dummy", "protocols=OpenFlow10");
        await using var old = new OpenFlowSwitch(OpenFlowEndpoint.Unix(_real.Process.ManagementSocket("br10")));
        old.Start();
        Assert.That(
            async () => await old.WaitForLiveAsync().WaitAsync(TimeSpan.FromSeconds(10)),
            Throws.TypeOf<OpenFlowVersionException>().With.Message.Contains("protocols=OpenFlow13"));
        Assert.That(old.State.State, Is.EqualTo(SwitchState.Stopped));
        await _real.Database.VsctlAsync(wait: true, "del-br", "br10");
    }

    [Test]
    public async Task Dumping_and_printing_reads_as_ovs_ofctl_prints()
    {
        (await Connection.ApplyAsync([.. Samples.Flows.Select(t => FlowMod.Add(FlowText.Parse(t)))])).ThrowIfFailed();
        var theirs = (await _real.OfctlAsync("--no-stats", "--no-names", "dump-flows", "br0"))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Trim()).Where(l => l.Contains("actions=", StringComparison.Ordinal)).Order(StringComparer.Ordinal).ToList();
        var ours = (await Connection.DumpFlowsAsync()).Select(f => f.Flow.ToString()).Order(StringComparer.Ordinal).ToList();
        Assert.That(ours, Is.EqualTo(theirs));
    }

    [Test]
    public async Task A_restart_of_the_switch_in_mid_bundle_fails_the_bundle_and_reconnects()
    {
        await using var real = await RealSwitch.StartAsync(new OpenFlowOptions { Reconnect = new ReconnectPolicy(TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(200)) });
        var mods = Enumerable.Range(0, 200_000).Select(i => (OpenFlowMessage)FlowMod.Add(new Flow(3, 100, Match.Of(Fields.Fields.Reg0.Is((uint)i)), default))).ToArray();
        var apply = real.Connection.ApplyAsync(mods);
        await real.Process.StopAsync();
        Assert.That(async () => await apply, Throws.TypeOf<OpenFlowConnectionException>().With.Property("IsTransient").True);
        var watch = Stopwatch.StartNew();
        await real.Process.StartAsync();
        await Eventually.True("a second connection", () => real.Connection.Connections >= 2 && real.Connection.State.State == SwitchState.Live);
        Assert.That(await real.Connection.DumpFlowsAsync(), Is.Empty, $"after {watch.Elapsed}");
    }
}
