using System.Buffers.Binary;
using System.Net;
using Weft.Agent.Denials;
using Weft.OpenFlow.Fields;

namespace Weft.Agent.Tests.Denials;

/// <summary>Answers to denied packets: numbers as RFC 9293 wants them, sums as RFC 1071 does, and none where none may be.</summary>
public sealed class RefusalTests
{
    private const byte Syn = 2;
    private const byte Rst = 4;
    private const byte Ack = 16;
    private static readonly MacAddress Router = MacAddress.Parse("0a:57:45:46:54:01");
    private static readonly MacAddress Sender = MacAddress.Parse("0a:58:0a:f4:01:0a");

    [TestCase(false)]
    [TestCase(true)]
    public void A_SYN_is_answered_with_a_reset_that_acknowledges_it(bool v6)
    {
        var answer = Answer(Frame(v6, 6, Tcp(1000, 0, Syn, [])));
        var tcp = answer.AsSpan(v6 ? 54 : 34);
        Assert.Multiple(() => AssertSums(answer, v6));
        Assert.That((U16(tcp), U16(tcp[2..]), U32(tcp[4..]), U32(tcp[8..]), tcp[13]), Is.EqualTo(((ushort)80, (ushort)40000, 0u, 1001u, (byte)(Rst | Ack))));
    }

    [Test]
    public void A_segment_of_a_connection_is_answered_with_a_reset_where_its_sender_waits()
    {
        var tcp = Answer(Frame(false, 6, Tcp(1000, 7777, Ack, new byte[11]))).AsSpan(34);
        Assert.That((U32(tcp[4..]), tcp[13]), Is.EqualTo((7777u, Rst)));
    }

    [TestCase(false, 17, 3, 13)]
    [TestCase(true, 17, 1, 1)]
    [TestCase(false, 132, 3, 13)]
    [TestCase(true, 132, 1, 1)]
    public void Others_are_answered_with_administratively_prohibited_and_their_own_beginning(bool v6, byte protocol, byte type, byte code)
    {
        var frame = Frame(v6, protocol, Udp(new byte[300]));
        var answer = Answer(frame);
        var icmp = answer.AsSpan(v6 ? 54 : 34);
        Assert.Multiple(() => AssertSums(answer, v6));
        Assert.That((icmp[0], icmp[1]), Is.EqualTo((type, code)));
        Assert.That(icmp[8..].ToArray(), Is.EqualTo(frame[14..(14 + icmp.Length - 8)]));
        Assert.That(DeniedPacket.TryRead(answer, out var error) && error.MayBeAnswered, Is.False, "an error is never answered");
    }

    [Test]
    public void The_frame_goes_to_the_sender_with_the_addresses_turned_round()
    {
        var answer = Answer(Frame(false, 17, Udp([])));
        Assert.That(MacAddress.From(answer.AsSpan(0, 6)), Is.EqualTo(Sender));
        Assert.That(MacAddress.From(answer.AsSpan(6, 6)), Is.EqualTo(Router));
        Assert.That((new IPAddress(answer[26..30]), new IPAddress(answer[30..34])), Is.EqualTo((IPAddress.Parse("10.0.0.2"), IPAddress.Parse("10.0.0.1"))));
    }

    [Test]
    public void Resets_and_later_fragments_are_not_answered()
    {
        Assert.That(DeniedPacket.TryRead(Frame(false, 6, Tcp(1, 0, Rst, [])), out var reset) && !reset.MayBeAnswered);
        var fragment = Frame(false, 17, Udp([]));
        fragment[21] = 5;
        Assert.That(DeniedPacket.TryRead(fragment, out var part) && !part.MayBeAnswered);
    }

    [Test]
    public void What_is_cut_off_or_no_IP_is_not_read()
    {
        var frame = Frame(false, 6, Tcp(1, 0, Syn, []));
        Assert.That(Enumerable.Range(0, 54).Where(n => DeniedPacket.TryRead(frame.AsMemory(0, n), out _)), Is.Empty);
        frame[13] = 6;
        Assert.That(DeniedPacket.TryRead(frame, out _), Is.False);
    }

    [Test]
    public void Random_bytes_do_no_harm()
    {
        var random = new Random(1);
        for (var i = 0; i < 20_000; i++)
        {
            var frame = Frame(i % 2 == 0, (byte)(i % 3 == 0 ? 6 : 17), new byte[random.Next(40)]);
            for (var n = random.Next(6); n > 0; n--)
            {
                frame[random.Next(14, frame.Length)] = (byte)random.Next(256);
            }

            if (DeniedPacket.TryRead(frame.AsMemory(0, random.Next(frame.Length + 1)), out var packet) && packet.MayBeAnswered)
            {
                Assert.That(Refusal.Of(packet, Router, Sender), Has.Length.GreaterThan(40));
            }
        }
    }

    private static byte[] Answer(byte[] frame) => DeniedPacket.TryRead(frame, out var packet) && packet.MayBeAnswered
        ? Refusal.Of(packet, Router, packet.SourceMac)
        : throw new AssertionException("the packet is not answered");

    private static byte[] Tcp(uint sequence, uint acknowledgement, byte flags, byte[] data)
    {
        var segment = new byte[20 + data.Length];
        Ports(segment);
        BinaryPrimitives.WriteUInt32BigEndian(segment.AsSpan(4), sequence);
        BinaryPrimitives.WriteUInt32BigEndian(segment.AsSpan(8), acknowledgement);
        (segment[12], segment[13]) = (0x50, flags);
        return segment;
    }

    private static byte[] Udp(byte[] data)
    {
        var datagram = new byte[8 + data.Length];
        Ports(datagram);
        return datagram;
    }

    private static void Ports(Span<byte> payload)
    {
        BinaryPrimitives.WriteUInt16BigEndian(payload, 40000);
        BinaryPrimitives.WriteUInt16BigEndian(payload[2..], 80);
    }

    private static byte[] Frame(bool v6, byte protocol, byte[] payload)
    {
        var header = new byte[v6 ? 40 : 20];
        if (v6)
        {
            header[0] = 0x60;
            BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(4), (ushort)payload.Length);
            header[6] = protocol;
            IPAddress.Parse("fd00::1").TryWriteBytes(header.AsSpan(8), out _);
            IPAddress.Parse("fd00::2").TryWriteBytes(header.AsSpan(24), out _);
        }
        else
        {
            header[0] = 0x45;
            BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(2), (ushort)(20 + payload.Length));
            header[9] = protocol;
            IPAddress.Parse("10.0.0.1").TryWriteBytes(header.AsSpan(12), out _);
            IPAddress.Parse("10.0.0.2").TryWriteBytes(header.AsSpan(16), out _);
        }

        return [.. new byte[6], .. Enumerable.Range(0, 6).Select(i => (byte)(Sender.Bits >> (40 - (8 * i)))), .. v6 ? (byte[])[0x86, 0xdd] : [8, 0], .. header, .. payload];
    }

    /// <summary>Sums over everything, the field itself included, are all ones.</summary>
    private static void AssertSums(byte[] frame, bool v6)
    {
        var ip = frame.AsSpan(14);
        var body = ip[(v6 ? 40 : 20)..];
        var protocol = v6 ? ip[6] : ip[9];
        var pseudo = Sum(v6 ? ip[8..40] : ip[12..20]) + protocol + (uint)body.Length;
        Assert.That(Fold(Sum(body) + (protocol == 1 ? 0 : pseudo)), Is.EqualTo(0xffff), "the payload's");
        Assert.That(v6 ? 0xffff : Fold(Sum(ip[..20])), Is.EqualTo(0xffff), "the IP header's");
        Assert.That(v6 ? U16(ip[4..]) + 40 : U16(ip[2..]), Is.EqualTo(ip.Length), "the length");
    }

    private static uint Sum(ReadOnlySpan<byte> data)
    {
        var sum = 0u;
        for (var i = 0; i < data.Length; i++)
        {
            sum += i % 2 == 0 ? (uint)data[i] << 8 : data[i];
        }

        return sum;
    }

    private static uint Fold(uint sum) => sum > 0xffff ? Fold((sum & 0xffff) + (sum >> 16)) : sum;

    private static ushort U16(ReadOnlySpan<byte> data) => BinaryPrimitives.ReadUInt16BigEndian(data);

    private static uint U32(ReadOnlySpan<byte> data) => BinaryPrimitives.ReadUInt32BigEndian(data);
}
