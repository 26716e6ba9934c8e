using System.Net;
using Weft.Agent.Names;

namespace Weft.Agent.Tests.Names;

public sealed class AnswerStreamsTests
{
    private static readonly AnswerStreamKey Key = new("p", IPAddress.Parse("10.0.0.10"), 53, 40000);

    [Test]
    public void Segments_in_any_order_and_twice_give_the_messages_in_order()
    {
        var random = new Random(8);
        for (var round = 0; round < 300; round++)
        {
            byte[][] messages = [.. Enumerable.Range(0, 1 + random.Next(4)).Select(_ => Bytes(random, 1 + random.Next(700)))];
            byte[] stream = [.. messages.SelectMany(m => (byte[])[(byte)(m.Length >> 8), (byte)m.Length, .. m])];
            var first = (uint)random.NextInt64(uint.MaxValue);
            var segments = new List<(uint Sequence, byte[] Data)>();
            for (var at = 0; at < stream.Length;)
            {
                var length = Math.Min(stream.Length - at, 1 + random.Next(400));
                segments.Add((unchecked(first + 1 + (uint)at), stream[at..(at + length)]));
                at += length;
            }

            var streams = new AnswerStreams();
            streams.Take(Key, new TcpPlace(first, true, false), default);
            var found = segments.Concat(segments.Where(_ => random.Next(3) == 0)).OrderBy(_ => random.Next())
                .SelectMany(s => streams.Take(Key, new TcpPlace(s.Sequence, false, false), s.Data)).Select(m => m.ToArray()).ToList();
            Assert.That(found, Is.EqualTo(messages));
        }
    }

    [Test]
    public void What_waits_is_bounded_and_a_stream_with_a_gap_is_given_up()
    {
        var streams = new AnswerStreams();
        streams.Take(Key, new TcpPlace(0, true, false), default);
        for (var i = 1; i <= AnswerStreams.MostBytes / 1000; i++)
        {
            Assert.That(streams.Take(Key, new TcpPlace((uint)(1000 * i), false, false), new byte[1000]), Is.Empty);
        }

        Assert.That(streams.Count, Is.LessThanOrEqualTo(1));
        for (var port = 0; port < 10_000; port++)
        {
            streams.Take(Key with { PodPort = (ushort)port }, new TcpPlace(0, true, false), default);
            Assert.That(streams.Count, Is.LessThanOrEqualTo(AnswerStreams.MostStreams));
        }
    }

    [Test]
    public void A_connection_that_ends_is_forgotten_after_its_last_message()
    {
        var streams = new AnswerStreams();
        streams.Take(Key, new TcpPlace(9, true, false), default);
        Assert.That(streams.Take(Key, new TcpPlace(10, false, true), new byte[] { 0, 1, 7 }), Has.Count.EqualTo(1));
        Assert.That(streams.Count, Is.Zero);
    }

    [Test]
    public void An_agent_that_begins_in_the_middle_takes_the_next_segment_for_a_beginning() =>
        Assert.That(new AnswerStreams().Take(Key, new TcpPlace(77, false, false), new byte[] { 0, 2, 5, 6 }).Single().ToArray(), Is.EqualTo(new byte[] { 5, 6 }));

    private static byte[] Bytes(Random random, int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }
}
