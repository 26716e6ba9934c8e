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
    [Test]
    public void Bytes_lead_back_to_the_message()
    {
        Assert.Multiple(() =>
        {
            foreach (var message in MessageCatalogue.All)
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
        var frames = MessageCatalogue.All.Select(m => m.ToBytes(MessageCatalogue.Xid)).ToList();
        var theirs = await Ofctl.PrintAsync(frames);
        var different = frames.Zip(theirs).Select(p => (Ours: MessageText.Format(p.First).TrimEnd(), Theirs: p.Second)).Where(p => p.Ours != p.Theirs)
            .Select(p => $"ours:\n{p.Ours}\ntheirs:\n{p.Theirs}\n").ToList();
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
    [TestCase("meter=1,kbps,bands=type=drop,rate=x", "rate")]
    public void A_wrong_text_is_refused_with_the_name_of_the_part(string text, string part)
    {
        Assert.That(() => ModText.Parse(text), Throws.TypeOf<OpenFlowTextException>().With.Message.Contains(part));
    }
}
