using System.Collections.Immutable;
using System.Text.RegularExpressions;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Messages;
using Weft.OpenFlow.Text;
using Weft.TestSupport;

namespace Weft.OpenFlow.Tests.Oracle;

/// <summary>Messages of every kind: bytes lead back to the message, and ovs-ofctl ofp-print prints what we print.</summary>
public sealed class MessageOracleTests
{
    private static readonly Flow Web = FlowText.Parse("table=3,priority=7,cookie=0x9,tcp,tp_dst=80 actions=output:1");

    private static IEnumerable<OpenFlowMessage> Messages()
    {
        yield return new Hello(4, 1 << 4);
        yield return new Hello(6, 0x7e);
        yield return new Echo(false, []);
        yield return new Echo(true, []);
        foreach (var kind in new[] { MessageType.FeaturesRequest, MessageType.GetConfigRequest, MessageType.BarrierRequest, MessageType.BarrierReply, MessageType.GetAsyncRequest })
        {
            yield return new EmptyMessage(kind);
        }

        yield return new FeaturesReply(0x1234, 256, 254, 0, 0x4f);
        yield return new SwitchConfig(MessageType.SetConfig, 0, 0xffff);
        yield return new SwitchConfig(MessageType.GetConfigReply, 1, 128);
        yield return new FlowMod(FlowCommand.Modify, Web) { CookieMask = 0xff, CookieFilter = 5 };
        yield return new FlowMod(FlowCommand.DeleteStrict, Web with { Instructions = default }) { OutPort = 5 };
        yield return FlowMod.DeleteAll();
        yield return new GroupMod(GroupCommand.Add, GroupText.Parse("group_id=1,type=select,bucket=weight:10,actions=output:1,bucket=actions=output:2"));
        yield return new GroupMod(GroupCommand.Modify, GroupText.Parse("group_id=4,type=ff,bucket=watch_port:1,actions=output:1,bucket=watch_group:2,actions=output:2"));
        yield return GroupMod.Delete(7);
        yield return new MeterMod(MeterCommand.Add, MeterText.Parse("meter=1,kbps,burst,stats,bands=type=drop,rate=100,burst_size=50,type=dscp_remark,rate=200,burst_size=60,prec_level=1"));
        yield return MeterMod.Delete(9);
        yield return new PortMod(1, MacAddress.Parse("00:11:22:33:44:55"), 1, 1);
        yield return new TableMod(255, 0);
        yield return new FlowRemoved(Web with { Instructions = default, IdleTimeout = 5, HardTimeout = 6 }, 1, new FlowDuration(3, 500_000_000), 7, 8);
        yield return new FlowRemoved(Web with { Instructions = default }, 5, new FlowDuration(3, 123_456_789), 7, 8);
        yield return new PortStatus(PortReason.Added, new PortDescription(1, MacAddress.Parse("00:11:22:33:44:55"), "p1", 0, 4, 0x840, 0, 0, 0, 10_000_000, 0));
        yield return new PortStatus(PortReason.Deleted, new PortDescription(Ports.Local, MacAddress.Broadcast, "br0", 1, 1, 0, 0, 0, 0, 0, 0));
        yield return new PacketOut(Ports.Controller, ActionList.Of(new Output(3)), Array.Empty<byte>()) { BufferId = 0x114 };
        yield return new RoleMessage(false, 2, 5);
        yield return new RoleMessage(true, 3, 5);
        yield return new RoleMessage(false, 0, 0);
        yield return new AsyncConfig(MessageType.SetAsync, 7, 1, 7, 0, 15, 0);
        yield return new BundleControl(5, BundleControlType.OpenRequest, 3);
        yield return new BundleControl(5, BundleControlType.CommitReply, 1);
        yield return new BundleAdd(5, 3, FlowMod.Add(Web)) { InnerXid = 0x1234 };
        yield return new SetControllerId(7);
        yield return new SetPacketInFormat(2);
        yield return new FlushConntrackZone(9);
        yield return new CancelFlowMonitor(3);
        yield return new TlvTableMod(0, [new TlvMapping(0xffff, 0, 4, 0), new TlvMapping(0x12, 3, 124, 63)]);
        yield return new ErrorMessage(4, 9, 0, [.. FlowMod.Add(Web).ToBytes(3)]);
        yield return new ErrorMessage(0xffff, 2, 0x2320, [.. new Hello(4, 16).ToBytes(3)]);
        foreach (var kind in new[] { MultipartType.Description, MultipartType.Table, MultipartType.GroupDescription, MultipartType.GroupFeatures, MultipartType.MeterFeatures, MultipartType.PortDescription })
        {
            yield return new Multipart(false, kind, false, Array.Empty<byte>());
        }

        yield return new Multipart(false, MultipartType.Flow, false, new FlowFilter(3, Web.Match) { OutPort = 2 }.Encode());
        yield return new Multipart(false, MultipartType.Aggregate, false, new FlowFilter().Encode());
        yield return new Multipart(false, MultipartType.Experimenter, false, FlowMonitorCodec.EncodeRequest(1, FlowMonitorFlags.Changes, new FlowFilter(2, Web.Match)));
        yield return new Multipart(true, MultipartType.Aggregate, false, new byte[24]);
    }

    [Test]
    public void Bytes_lead_back_to_the_message()
    {
        Assert.Multiple(() =>
        {
            foreach (var message in Messages())
            {
                var bytes = message.ToBytes(0x1234);
                var decoded = MessageCodec.Decode(bytes, out var xid);
                Assert.That(xid, Is.EqualTo(0x1234), message.ToString());
                Assert.That(decoded.ToBytes(xid), Is.EqualTo(bytes), message.ToString());
                Assert.That(decoded.GetType(), Is.EqualTo(message.GetType()));
            }
        });
    }

    [Test]
    public async Task Ovs_ofctl_prints_what_we_print()
    {
        var different = new List<string>();
        foreach (var message in Messages())
        {
            var bytes = message.ToBytes(0x1234);
            var theirs = (await ChildProcess.RunAsync("ovs-ofctl", ["ofp-print", Convert.ToHexString(bytes)])).TrimEnd();
            var ours = MessageText.Format(bytes).TrimEnd();
            if (ours != theirs)
            {
                different.Add($"ours:\n{ours}\ntheirs:\n{theirs}\n");
            }
        }

        Assert.That(different, Is.Empty, string.Join('\n', different));
    }

    [TestCase("04ff000800000001")]
    [TestCase("04040010000000010000232000001234")]
    [TestCase("04040010000000011234567800000001")]
    [TestCase("04120010000000010015000000000000")]
    [TestCase("0404001800000001000023200000001400000000000007")]
    [TestCase("040e00")]
    public async Task What_is_unknown_or_cut_short_prints_as_ovs_ofctl_prints_it(string hex)
    {
        var theirs = (await ChildProcess.RunAsync("ovs-ofctl", ["-voff", "ofp-print", hex])).TrimEnd();
        Assert.That(MessageText.Format(Convert.FromHexString(hex)).TrimEnd(), Is.EqualTo(theirs));
    }

    [Test]
    public void Texts_of_flows_groups_and_meters_become_their_messages()
    {
        Assert.Multiple(() =>
        {
            Assert.That(ModText.Parse("in_port=1 actions=drop"), Is.TypeOf<FlowMod>());
            Assert.That(ModText.Parse("group_id=1,type=all,bucket=output:1"), Is.TypeOf<GroupMod>());
            Assert.That(ModText.Parse("meter=1,pktps,bands=type=drop,rate=5"), Is.TypeOf<MeterMod>());
        });
    }

    [TestCase("in_port=1", "actions")]
    [TestCase("tp_dst=80 actions=drop", "tcp_dst needs eth_type")]
    [TestCase("tcp,nw_src=1.2.3 actions=drop", "ip_src")]
    [TestCase("tcp,tcp_flags=+foo actions=drop", "foo")]
    [TestCase("reg0=0x100000000 actions=drop", "32 bits")]
    [TestCase("nonsense=1 actions=drop", "nonsense")]
    [TestCase("actions=outpt:1", "outpt")]
    [TestCase("actions=load:0x10->NXM_NX_REG0[0..3]", "4 bits")]
    [TestCase("actions=ct(table=9", "parenthesis")]
    [TestCase("actions=set_field:5->nosuch", "nosuch")]
    [TestCase("actions=conjunction(1,3/2)", "clauses")]
    [TestCase("arp,ip actions=drop", "eth_type")]
    [TestCase("actions=drop,output:1", "drop")]
    [TestCase("actions=note:xyz", "hexadecimal")]
    [TestCase("group_id=1,bucket=output:1", "type")]
    [TestCase("meter=1,bands=type=drop,rate=x", "rate")]
    public void A_wrong_text_is_refused_with_the_name_of_the_part(string text, string part)
    {
        Assert.That(() => ModText.Parse(text), Throws.TypeOf<OpenFlowTextException>().With.Message.Contains(part));
    }
}
