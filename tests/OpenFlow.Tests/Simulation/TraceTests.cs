using System.Text.RegularExpressions;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Messages;
using Weft.OpenFlow.Simulation;
using Weft.OpenFlow.Tests.Switch;
using Weft.OpenFlow.Text;
using Group = Weft.OpenFlow.Entries.Group;

namespace Weft.OpenFlow.Tests.Simulation;

/// <summary>The simulator says what <c>ofproto/trace</c> of a real switch says: the tables passed and the ports reached.</summary>
public sealed partial class TraceTests
{
    private RealSwitch _real = null!;

    [OneTimeSetUp]
    public async Task Start() => _real = await RealSwitch.StartAsync();

    [OneTimeTearDown]
    public async Task Stop() => await _real.DisposeAsync();

    private static readonly string[] Written =
    [
        // A conjunction, with a plain flow below it.
        "table=0,priority=10,ip,nw_src=10.0.0.1 actions=conjunction(5,1/2)",
        "table=0,priority=10,ip,nw_src=10.0.0.2 actions=conjunction(5,1/2)",
        "table=0,priority=10,tcp,tp_dst=80 actions=conjunction(5,2/2)",
        "table=0,priority=10,conj_id=5,ip actions=set_field:1->reg0,goto_table:1",
        "table=0,priority=5,ip actions=set_field:2->reg0,resubmit(,2),goto_table:1",
        "table=0,priority=1,arp actions=move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[],load:0x2->NXM_OF_ARP_OP[],IN_PORT",
        "table=0,priority=0 actions=drop",
        "table=1,priority=10,ip,reg0=1 actions=ct(table=3,zone=5)",
        "table=1,priority=10,reg0=2,udp actions=group:1",
        "table=1,priority=5,reg0=2,icmp actions=clone(set_field:9->reg5,output:2),goto_table:4",
        "table=1,priority=1 actions=resubmit(2,4),output:2",
        "table=2,priority=1,ip actions=set_field:7->reg1",
        "table=3,priority=10,ct_state=+new+trk,tcp actions=ct(commit,zone=5),output:2",
        "table=3,priority=10,ct_state=+est+trk,tcp actions=output:2,resubmit(,4)",
        "table=3,priority=0 actions=drop",
        "table=4,priority=5,reg5=9 actions=drop",
        "table=4,priority=4,in_port=2 actions=output:1",
        "table=4,priority=3,reg1=7 actions=write_actions(output:2),goto_table:5",
        "table=5,priority=1 actions=set_field:0x5/0xf->reg2",
    ];

    private static readonly string[] Groups =
    [
        "group_id=1,type=all,bucket=actions=set_field:9->reg5,output:2,bucket=actions=resubmit(,4)",
    ];

    private static IEnumerable<string> Packets()
    {
        foreach (var source in new[] { "10.0.0.1", "10.0.0.2", "10.0.0.3" })
        {
            foreach (var rest in new[] { "tcp,tp_src=1000,tp_dst=80", "tcp,tp_src=1000,tp_dst=81", "udp,udp_src=1,udp_dst=80", "icmp,icmp_type=8,icmp_code=0" })
            {
                yield return $"in_port=1,{rest},nw_src={source},nw_dst=10.0.9.9,nw_ttl=64,dl_src=00:00:00:00:00:01,dl_dst=00:00:00:00:00:02";
            }
        }

        yield return "in_port=1,arp,arp_op=1,arp_spa=10.0.0.1,arp_tpa=10.0.0.2,dl_src=00:00:00:00:00:01,dl_dst=ff:ff:ff:ff:ff:ff";
        yield return "in_port=1,dl_type=0x88cc,dl_src=00:00:00:00:00:01,dl_dst=00:00:00:00:00:02";
    }

    [TestCase("trk,new", CtStateFlags.New)]
    [TestCase("trk,est", CtStateFlags.Established)]
    public async Task Written_pipelines_end_where_the_switch_says(string next, CtStateFlags state)
    {
        var flows = Written.Select(t => FlowText.Parse(t)).ToList();
        var groups = Groups.Select(t => GroupText.Parse(t)).ToList();
        await Compare(flows, groups, Packets(), next, state);
    }

    [Test]
    public async Task Random_pipelines_end_where_the_switch_says()
    {
        for (var seed = 0; seed < 12; seed++)
        {
            var (flows, groups) = RandomPipeline(new Random(seed));
            await Compare(flows, groups, Packets(), "trk,new", CtStateFlags.New, $"seed {seed}");
        }
    }

    [TestCase("00:00:00:00:00:02", "is behind p2")]
    [TestCase("00:00:00:00:00:01", "is behind the port it came from")]
    [TestCase("00:00:00:00:00:77", "is not known")]
    [TestCase("ff:ff:ff:ff:ff:ff", "is everybody's")]
    [TestCase("01:80:c2:00:00:0e", "is the bridge's own")]
    public async Task Normal_and_flood_go_where_the_switch_says(string target, string why)
    {
        await _real.Database.VsctlAsync(wait: true, "--may-exist", "add-port", "br0", "p3", "--", "set", "interface", "p3", "type=dummy", "ofport_request=3");
        await _real.Process.AppctlAsync("fdb/flush", "br0");
        await _real.Process.AppctlAsync("fdb/add", "br0", "p1", "0", "00:00:00:00:00:01");
        await _real.Process.AppctlAsync("fdb/add", "br0", "p2", "0", "00:00:00:00:00:02");
        var bridge = new LearningBridge([1, 2, 3, Ports.Local]);
        bridge.Learn(MacAddress.Parse("00:00:00:00:00:01"), 1);
        bridge.Learn(MacAddress.Parse("00:00:00:00:00:02"), 2);
        foreach (var action in new[] { "NORMAL", "FLOOD", "ALL" })
        {
            var flow = FlowText.Parse($"actions={action}");
            (await _real.Connection.ApplyAsync([FlowMod.DeleteAll(), FlowMod.Add(flow)])).ThrowIfFailed();
            var packet = $"in_port=1,dl_src=00:00:00:00:00:01,dl_dst={target},dl_type=0x88cc";
            var trace = await _real.Process.AppctlAsync("ofproto/trace", "--names", "br0", packet);
            var theirs = DatapathLine().Match(trace).Groups[1].Value.Split(',').Where(p => p != "drop").Select(p => p == "br0" ? "p4294967294" : p).Order(StringComparer.Ordinal);
            var ours = new PipelineSimulator([flow]).Run(SimulatedPacket.Parse(packet), new SimulationOptions { Bridge = bridge });
            Assert.That(ours.OutputPorts.Select(p => $"p{p}").Order(StringComparer.Ordinal), Is.EqualTo(theirs), $"{action}, {target} {why}\n{trace}");
        }
    }

    [Test]
    public void A_bridge_that_learns_answers_where_the_question_came_from()
    {
        var bridge = new LearningBridge([1, 2, 3]) { Learns = true };
        var simulator = new PipelineSimulator([FlowText.Parse("actions=NORMAL")]);
        var options = new SimulationOptions { Bridge = bridge };
        var question = simulator.Run(SimulatedPacket.Parse("in_port=1,dl_src=00:00:00:00:00:01,dl_dst=00:00:00:00:00:02"), options);
        var answer = simulator.Run(SimulatedPacket.Parse("in_port=2,dl_src=00:00:00:00:00:02,dl_dst=00:00:00:00:00:01"), options);
        Assert.That((question.OutputPorts, answer.OutputPorts), Is.EqualTo((new uint[] { 2, 3 }, new uint[] { 1 })));
    }

    [Test]
    public async Task A_meter_is_met_where_the_switch_meets_it_and_drops_when_it_is_told_to()
    {
        var meter = MeterText.Parse("meter=1,kbps,band=type=drop,rate=1000");
        Flow[] flows = [FlowText.Parse("table=0,ip actions=meter:1,set_field:1->reg0,goto_table:1"), FlowText.Parse("table=1,reg0=1 actions=output:2")];
        (await _real.Connection.ApplyAsync([FlowMod.DeleteAll()])).ThrowIfFailed();
        Assert.That(await _real.Connection.SendAsync([MeterMod.Delete(MeterMod.AllMeters), new MeterMod(MeterCommand.Add, meter), .. flows.Select(FlowMod.Add)]), Is.Empty);
        const string Packet = "in_port=1,ip,nw_src=10.0.0.1,nw_dst=10.0.0.2,nw_proto=99";
        var trace = await _real.Process.AppctlAsync("ofproto/trace", "--names", "br0", Packet);
        var simulator = new PipelineSimulator(flows);
        var passed = simulator.Run(SimulatedPacket.Parse(Packet));
        var dropped = simulator.Run(SimulatedPacket.Parse(Packet), new SimulationOptions { PassesMeter = (id, _) => id != 1 });
        Assert.Multiple(() =>
        {
            Assert.That(DatapathLine().Match(trace).Groups[1].Value, Is.EqualTo("meter(0),p2"), "the switch's own meters are counted from 0");
            Assert.That((passed.Meters, passed.OutputPorts), Is.EqualTo((new uint[] { 1 }, new uint[] { 2 })));
            Assert.That((dropped.Dropped, dropped.Stopped, dropped.Steps.Count), Is.EqualTo((true, "meter 1", 1)));
        });
    }

    [Test]
    public void Thousands_of_packets_run_per_second()
    {
        var simulator = new PipelineSimulator(Written.Select(t => FlowText.Parse(t)), Groups.Select(t => GroupText.Parse(t)));
        var packets = Packets().Select(SimulatedPacket.Parse).ToList();
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var runs = 0;
        while (clock.Elapsed < TimeSpan.FromSeconds(1))
        {
            foreach (var packet in packets)
            {
                simulator.Run(packet);
                runs++;
            }
        }

        TestContext.Out.WriteLine($"{runs / clock.Elapsed.TotalSeconds:0} packets a second");
        Assert.That(runs / clock.Elapsed.TotalSeconds, Is.GreaterThan(3000));
    }

    private static (List<Flow> Flows, List<Group> Groups) RandomPipeline(Random random)
    {
        var flows = new Dictionary<FlowKey, Flow>();
        for (var i = 0; i < 60; i++)
        {
            var table = random.Next(5);
            var match = random.Next(7) switch
            {
                0 => "ip",
                1 => $"ip,nw_src=10.0.0.{random.Next(4)}/{31 + random.Next(2)}",
                2 => $"tcp,tp_dst={80 + random.Next(2)}",
                3 => $"reg{random.Next(2)}=0x{random.Next(4):x}/0x3",
                4 => "udp",
                5 => $"in_port={1 + random.Next(2)}",
                _ => $"ct_state={(random.Next(2) == 0 ? "+" : "-")}trk",
            };
            var steps = new List<string>();
            for (var n = random.Next(4); n > 0; n--)
            {
                steps.Add(random.Next(8) switch
                {
                    0 => "output:2",
                    1 => "IN_PORT",
                    2 => $"set_field:0x{random.Next(4):x}->reg{random.Next(2)}",
                    3 => "move:NXM_NX_REG0[]->NXM_NX_REG1[]",
                    4 when table < 4 => $"resubmit(,{random.Next(table + 1, 5)})",
                    5 when table < 4 => "group:1",
                    6 => "clone(set_field:3->reg0,output:2)",
                    _ => $"load:0x{random.Next(4):x}->NXM_NX_REG{random.Next(2)}[0..1]",
                });
            }

            if (match.Contains("ip", StringComparison.Ordinal) && !match.Contains("=1", StringComparison.Ordinal) && random.Next(3) == 0 && table < 4)
            {
                steps.Add($"ct(table={random.Next(table + 1, 5)},zone=1)");
            }

            if (table < 4 && random.Next(2) == 0)
            {
                steps.Add($"goto_table:{random.Next(table + 1, 5)}");
            }

            var flow = FlowText.Parse($"table={table},priority={i + 1},{match} actions={(steps.Count == 0 ? "drop" : string.Join(',', steps))}");
            flows[flow.Key] = flow;
        }

        return ([.. flows.Values], [GroupText.Parse("group_id=1,type=all,bucket=actions=set_field:1->reg0,resubmit(,4),bucket=actions=output:2")]);
    }

    private async Task Compare(List<Flow> flows, List<Group> groups, IEnumerable<string> packets, string next, CtStateFlags state, string about = "")
    {
        (await _real.Connection.ApplyAsync(
        [
            FlowMod.DeleteAll(), GroupMod.Delete(GroupMod.AllGroups), .. groups.Select(g => new GroupMod(GroupCommand.Add, g)), .. flows.Select(FlowMod.Add),
        ])).ThrowIfFailed();
        var simulator = new PipelineSimulator(flows, groups);
        foreach (var packet in packets)
        {
            var trace = await _real.Process.AppctlAsync("ofproto/trace", "--names", "br0", packet, "--ct-next", next, "--ct-next", next, "--ct-next", next, "--ct-next", next);
            var result = simulator.Run(SimulatedPacket.Parse(packet), new SimulationOptions { CtNext = [state, state, state, state] });
            var tables = TableLine().Matches(trace).Select(m => m.Groups[1].Value).ToList();
            var ports = DatapathLine().Matches(trace).SelectMany(m => PortName().Matches(m.Groups[1].Value)).Select(m => m.Groups[1].Value).ToList();
            Assert.Multiple(() =>
            {
                var context = $"{about} {packet}\n{trace}\nours:\n{string.Join('\n', result.Steps)}";
                Assert.That(string.Join(' ', result.Steps.Select(s => s.Table)), Is.EqualTo(string.Join(' ', tables)), context);
                Assert.That(string.Join(' ', result.OutputPorts.Select(p => $"p{p}")), Is.EqualTo(string.Join(' ', ports)), context);
            });
        }
    }

    [GeneratedRegex(@"^\s*(\d+)\. ", RegexOptions.Multiline)]
    private static partial Regex TableLine();

    [GeneratedRegex(@"^Datapath actions: (.*)$", RegexOptions.Multiline)]
    private static partial Regex DatapathLine();

    [GeneratedRegex(@"(?:^|,|\()(p\d+)(?=$|,|\))")]
    private static partial Regex PortName();
}
