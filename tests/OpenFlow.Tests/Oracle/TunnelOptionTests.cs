using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Instructions;
using Weft.OpenFlow.Messages;
using Weft.OpenFlow.Tests.Switch;
using Weft.OpenFlow.Text;
using F = Weft.OpenFlow.Fields.Fields;

namespace Weft.OpenFlow.Tests.Oracle;

/// <summary>Tunnel options (tun_metadata) of every length, 0 to 124 bytes: matched, masked, written, learned.</summary>
public sealed class TunnelOptionTests
{
    private readonly Random _random = new(41);

    [Test]
    public async Task Options_of_every_length_are_the_bytes_and_the_texts_of_ovs_ofctl()
    {
        var flows = Enumerable.Range(0, OptionBits.MostBytes + 1).SelectMany(FlowsOf).ToList();
        var texts = flows.ConvertAll(f => FlowText.Format(f));
        var theirs = await RecordingPeer.RecordLinesAsync("add-flows", texts);
        var prints = await Ofctl.PrintAsync([.. flows.Select(f => FlowMod.Add(f).ToBytes(1))]);
        Assert.Multiple(() =>
        {
            for (var i = 0; i < flows.Count; i++)
            {
                var bytes = FlowMod.Add(flows[i]).ToBytes(1);
                Assert.That(Convert.ToHexString(bytes.AsSpan(8)), Is.EqualTo(Convert.ToHexString(theirs[i].AsSpan(8))), texts[i]);
                Assert.That(((FlowMod)MessageCodec.Decode(bytes, out _)).Flow, Is.EqualTo(flows[i]), texts[i]);
                Assert.That(FlowText.Parse(texts[i]), Is.EqualTo(flows[i]));
                Assert.That(MessageText.Format(bytes).TrimEnd(), Is.EqualTo(prints[i]));
            }
        });
    }

    [Test]
    public async Task A_switch_with_a_table_of_options_gives_back_what_it_was_told()
    {
        await using var real = await RealSwitch.StartAsync();
        const byte Bytes = 60;
        Assert.That(await real.Connection.SendAsync([new TlvTableMod(0, [new TlvMapping(0x102, 0x80, Bytes, 3), new TlvMapping(0x102, 0x81, 4, 9)])]), Is.Empty);
        var value = Octets(Bytes);
        Flow[] flows =
        [
            Of(1, Match.Of(new FieldMatch(F.TunMetadata(3), new OptionBits(value)), F.TunMetadata(9).Is(0x12345678)), new SetField(F.TunMetadata(3), new OptionBits(value))),
            Of(2, Match.Of(new FieldMatch(F.TunMetadata(3), new OptionBits(value, Mask(Bytes)))), F.TunMetadata(3)[400..430].Load(77), new DeleteField(F.TunMetadata(9))),
            Of(3, Match.Any, F.TunMetadata(3)[0..31].MoveTo(F.Reg0.Whole), new Learn { Table = 9, Specs = [LearnSpec.Match(F.TunMetadata(3)[0..31]), LearnSpec.Load(5, F.TunMetadata(9)[0..31])] }),
        ];
        Assert.That((await real.Connection.ApplyAsync([.. flows.Select(FlowMod.Add)])).Failures.Select(f => f.ToString()), Is.Empty);
        var dumped = (await real.Connection.DumpFlowsAsync()).Select(f => f.Flow).OrderBy(f => f.Table).ToList();
        Assert.That(dumped[0], Is.EqualTo(flows[0]));

        // Where a field is only named, the switch tells the option's length in place of the most that there may be.
        Assert.That(dumped.Select(f => f.ToString()), Is.EqualTo(flows.Select(f => f.ToString())));
    }

    [Test]
    public void A_packet_whose_option_is_short_meets_a_long_condition_only_with_zeros_in_front()
    {
        var shortValue = new FieldMatch(F.TunMetadata(0), new OptionBits([.. new byte[19], 5]));
        Assert.That((shortValue.Accepts(5), shortValue.Accepts(6)), Is.EqualTo((true, false)));
        Assert.That(new FieldMatch(F.TunMetadata(0), new OptionBits([1, .. new byte[18], 5])).Accepts(5), Is.False);
        Assert.That((new FieldMatch(F.TunMetadata(0), OptionBits.Present).Accepts(5), new FieldMatch(F.TunMetadata(0), OptionBits.Present).Accepts(0)), Is.EqualTo((true, false)));
    }

    [TestCase("tun_metadata0=0x1{0} actions=drop", "124 bytes")]
    [TestCase("actions=set_field:0x1{0}->tun_metadata0", "124 bytes")]
    [TestCase("actions=learn(table=1,load:0x10000000000000000000000000000000000->NXM_NX_TUN_METADATA2[0..100])", "101 bits")]
    [TestCase("actions=load:0x10000000000000000->NXM_NX_TUN_METADATA2[]", "set_field")]
    public void What_is_too_long_is_refused(string text, string part) =>
        Assert.That(() => FlowText.Parse(text.Replace("{0}", new string('0', 2 * OptionBits.MostBytes), StringComparison.Ordinal)), Throws.TypeOf<OpenFlowTextException>().With.Message.Contains(part));

    [Test]
    public void Only_tunnel_options_may_be_long()
    {
        Assert.That(() => new FieldMatch(F.Reg0, OptionBits.Present), Throws.ArgumentException.With.Message.Contains("reg0"));
        Assert.That(() => new OptionBits(new byte[125]), Throws.ArgumentException);
        Assert.That(() => new OptionBits(new byte[5], new byte[4]), Throws.ArgumentException);
        Assert.That(() => new SetField(F.TunMetadata(0), OptionBits.Present), Throws.ArgumentException.With.Message.Contains("tun_metadata0"));
        Assert.That(() => Match.Of(F.TunMetadata(0).Is(5), new FieldMatch(F.TunMetadata(0), OptionBits.Present)), Throws.ArgumentException.With.Message.Contains("tun_metadata0"));
    }

    private static Flow Of(byte table, Match match, params FlowStep[] steps) => new(table, 100, match, FlowInstructions.Of(steps));

    private IEnumerable<Flow> FlowsOf(int bytes)
    {
        var field = F.TunMetadata(bytes % 64);
        var value = Octets(bytes);
        yield return Of(1, Match.Of(Condition(field, value)), bytes > 16 ? new SetField(field, new OptionBits(value)) : new SetField(field, Number(value)));
        if (bytes == 0)
        {
            yield return Of(2, Match.Of(new FieldMatch(field, OptionBits.Present)), new DeleteField(field));
            yield break;
        }

        var offset = (8 * bytes) - 5;
        FieldMatch masked = bytes >= 16 ? new(field, new OptionBits(value, Mask(bytes))) : new(field, Number(value) & Number(Mask(bytes)), Number(Mask(bytes)));
        yield return Of(2, Match.Of(masked), field.Range(0, 8 * bytes).MoveTo(F.TunMetadata(9).Range(0, 8 * bytes)), field.Range(offset, 5).Output());
        yield return Of(
            3,
            Match.Any,
            new Learn
            {
                Specs =
                [
                    LearnSpec.Match(field.Range(0, 8 * bytes)),
                    bytes > 16 ? LearnSpec.Match(field.Whole, new OptionBits(value)) : LearnSpec.Match(field.Whole, Number(value)),
                    bytes > 16 ? LearnSpec.Load(new OptionBits(value), field.Range(0, 8 * bytes)) : LearnSpec.Load(Number(value), field.Range(0, 8 * bytes)),
                ],
            });
    }

    private static FieldMatch Condition(Field field, byte[] value) => value.Length > 16 ? new(field, new OptionBits(value)) : field.IsBits(Number(value));

    private static UInt128 Number(byte[] value) => value.Aggregate(UInt128.Zero, (sum, b) => (sum << 8) | b);

    private byte[] Octets(int count)
    {
        var bytes = new byte[count];
        _random.NextBytes(bytes);
        if (count > 0)
        {
            bytes[0] |= 1;
        }

        return bytes;
    }

    /// <summary>Neither zero in front nor all ones.</summary>
    private byte[] Mask(int count)
    {
        var mask = Octets(count);
        mask[0] = 0x35;
        return mask;
    }
}
