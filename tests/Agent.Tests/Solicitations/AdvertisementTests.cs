using System.Buffers.Binary;
using System.Net;
using Weft.Agent.Solicitations;
using Weft.OpenFlow.Fields;

namespace Weft.Agent.Tests.Solicitations;

/// <summary>Advertisements made of solicitations that a flow has turned round, as RFC 4861 wants them.</summary>
public sealed class AdvertisementTests
{
    private const string Pod = "0a:58:0a:f4:01:0a";
    private const string Router = "0a:57:45:46:54:01";
    private const string Asker = "0a:58:0a:f4:01:0b";
    private static readonly IPAddress Target = IPAddress.Parse("fd00:10:244:1::a");
    private static readonly IPAddress AskerAddress = IPAddress.Parse("fd00:10:244:1::b");

    [TestCase(Pod, 0x60)]
    [TestCase(Router, 0xe0)]
    public void The_answer_names_the_owner_of_the_address_and_goes_to_who_asked(string owner, byte flags)
    {
        var frame = Advertisement.Of(Turned(owner))!;
        Assert.That(frame, Has.Length.EqualTo(14 + 40 + 32));
        Assert.That((MacAddress.From(frame.AsSpan(0, 6)), MacAddress.From(frame.AsSpan(6, 6))), Is.EqualTo((MacAddress.Parse(Asker), MacAddress.Parse(owner))));
        Assert.That((new IPAddress(frame[22..38]), new IPAddress(frame[38..54])), Is.EqualTo((Target, AskerAddress)));
        Assert.That((frame[21], BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(18))), Is.EqualTo(((byte)255, (ushort)32)), "hop limit and length");
        Assert.That((frame[54], frame[55], frame[58]), Is.EqualTo(((byte)136, (byte)0, flags)), "type, code and flags");
        Assert.That(new IPAddress(frame[62..78]), Is.EqualTo(Target));
        Assert.That((frame[78], frame[79], MacAddress.From(frame.AsSpan(80, 6))), Is.EqualTo(((byte)2, (byte)1, MacAddress.Parse(owner))), "target link-layer address");
        Assert.That(InternetChecksum.Of(frame.AsSpan(54), InternetChecksum.Sum(frame.AsSpan(22, 32)) + 58 + 32), Is.Zero, "checksum");
    }

    [Test]
    public void A_probe_of_a_known_neighbour_may_leave_its_own_address_out()
    {
        Assert.That(Advertisement.Of(Turned(Pod).AsSpan(0, 78)), Is.EqualTo(Advertisement.Of(Turned(Pod))));
    }

    [TestCase(12, 0x08, "another protocol")]
    [TestCase(20, 17, "no ICMPv6")]
    [TestCase(21, 64, "a hop limit that a router has lowered")]
    [TestCase(54, 136, "an advertisement")]
    [TestCase(55, 1, "another code")]
    [TestCase(70, 1, "not turned round")]
    public void Nothing_else_is_answered(int offset, byte value, string what)
    {
        var frame = Turned(Pod);
        frame[offset] = value;
        Assert.That(Advertisement.Of(frame), Is.Null, what);
    }

    [Test]
    public void A_test_for_duplicates_and_a_cut_off_packet_have_no_answer()
    {
        var test = Turned(Pod);
        test.AsSpan(38, 16).Clear();
        Assert.That(Advertisement.Of(test), Is.Null);
        for (var length = 0; length < 78; length++)
        {
            Assert.That(Advertisement.Of(Turned(Pod).AsSpan(0, length)), Is.Null, $"{length} bytes");
        }
    }

    /// <summary>A solicitation as the flow sends it to the agent: from the target to who asks.</summary>
    private static byte[] Turned(string owner)
    {
        var frame = new byte[14 + 40 + 32];
        BinaryPrimitives.WriteUInt64BigEndian(frame, MacAddress.Parse(Asker).Bits << 16);
        BinaryPrimitives.WriteUInt64BigEndian(frame.AsSpan(6), MacAddress.Parse(owner).Bits << 16);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(12), 0x86dd);
        frame[14] = 0x60;
        (frame[19], frame[20], frame[21]) = (32, 58, 255);
        Target.TryWriteBytes(frame.AsSpan(22), out _);
        AskerAddress.TryWriteBytes(frame.AsSpan(38), out _);
        frame[54] = 135;
        Target.TryWriteBytes(frame.AsSpan(62), out _);
        (frame[78], frame[79]) = (1, 1);
        return frame;
    }
}
