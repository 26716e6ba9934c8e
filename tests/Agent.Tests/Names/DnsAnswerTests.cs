using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using Weft.Agent.Names;

namespace Weft.Agent.Tests.Names;

public sealed class DnsAnswerTests
{
    [Test]
    public void Addresses_of_both_families_are_read_with_their_lives()
    {
        var message = new DnsWriter("WWW.Example.Test").A("www.example.test", "192.0.2.1", 30).Aaaa("www.example.test", "2001:db8::1", 60).ToArray();
        var answer = DnsAnswer.Read(message)!;
        Assert.That(answer.Name, Is.EqualTo("www.example.test"));
        Assert.That(answer.Addresses, Is.EqualTo(new[] { new ResolvedAddress(IPAddress.Parse("192.0.2.1"), 30), new ResolvedAddress(IPAddress.Parse("2001:db8::1"), 60) }));
    }

    [Test]
    public void A_chain_of_aliases_gives_the_asked_name_its_addresses_for_the_shortest_life()
    {
        var message = new DnsWriter("a.test").Cname("a.test", "b.test", 20).Cname("b.test", "c.test", 7).A("c.test", "192.0.2.3", 300).A("b.test", "192.0.2.2", 300).ToArray();
        Assert.That(DnsAnswer.Read(message)!.Addresses, Is.EqualTo(new[]
        {
            new ResolvedAddress(IPAddress.Parse("192.0.2.3"), 7), new ResolvedAddress(IPAddress.Parse("192.0.2.2"), 20),
        }));
    }

    [Test]
    public void Addresses_of_names_that_nobody_asked_for_are_not_taken()
    {
        var message = new DnsWriter("a.test").A("bank.test", "192.0.2.9", 30).Cname("other.test", "a.test", 30).ToArray();
        Assert.That(DnsAnswer.Read(message)!.Addresses, Is.Empty);
    }

    [Test]
    public void Aliases_in_a_circle_end() =>
        Assert.That(DnsAnswer.Read(new DnsWriter("a.test").Cname("a.test", "b.test", 1).Cname("b.test", "a.test", 1).A("b.test", "192.0.2.1", 9).ToArray())!.Addresses,
            Is.EqualTo(new[] { new ResolvedAddress(IPAddress.Parse("192.0.2.1"), 1) }));

    [Test]
    public void A_label_with_a_dot_in_it_is_not_taken_for_two()
    {
        var message = new DnsWriter("x.test");
        var bytes = message.A("x.test", "192.0.2.1", 9).ToArray();

        // One label "x.test" of six bytes instead of "x" and "test".
        bytes[12] = 6;
        bytes[14] = (byte)'.';
        Assert.That(DnsAnswer.Read(bytes), Is.Null);
    }

    [TestCase(2, 0x01, Description = "a question")]
    [TestCase(3, 0x83, Description = "no such name")]
    [TestCase(2, 0x90, Description = "another opcode")]
    [TestCase(5, 2, Description = "two questions")]
    public void What_is_no_successful_answer_to_one_question_is_not_read(int at, int value)
    {
        var bytes = new DnsWriter("a.test").A("a.test", "192.0.2.1", 9).ToArray();
        Assert.That(DnsAnswer.Read(bytes), Is.Not.Null);
        bytes[at] = (byte)value;
        Assert.That(DnsAnswer.Read(bytes), Is.Null);
    }

    [Test]
    public void Pointers_that_lead_forward_or_to_themselves_are_refused()
    {
        var bytes = new DnsWriter("a.test").ToArray();
        foreach (var target in new[] { 12, 13, 40, 0x3fff })
        {
            byte[] looped = [.. bytes[..12], (byte)(0xc0 | (target >> 8)), (byte)target, 0, 1, 0, 1];
            Assert.That(DnsAnswer.Read(looped), Is.Null, $"{target}");
        }
    }

    [Test]
    public void Of_an_answer_that_is_cut_off_the_whole_records_count()
    {
        var bytes = new DnsWriter("a.test").A("a.test", "192.0.2.1", 9).A("a.test", "192.0.2.2", 9).ToArray();
        for (var length = 0; length < bytes.Length; length++)
        {
            var answer = DnsAnswer.Read(bytes.AsSpan(0, length));
            Assert.That(answer?.Addresses.Count ?? 0, Is.LessThan(2), $"{length}");
        }

        Assert.That(DnsAnswer.Read(bytes.AsSpan(0, bytes.Length - 1))!.Addresses, Has.Count.EqualTo(1));
    }

    [Test]
    public void A_million_mutated_answers_are_read_or_refused_in_bounded_time()
    {
        var random = new Random(6);
        byte[][] seeds =
        [
            new DnsWriter("www.example.test").A("www.example.test", "192.0.2.1", 30).Aaaa("www.example.test", "2001:db8::1", 60).ToArray(),
            new DnsWriter("a.test").Cname("a.test", "b.test", 20).Cname("b.test", "c.test", 7).A("c.test", "192.0.2.3", 300).ToArray(),
            [.. Enumerable.Repeat((byte)0xc0, 4096)],
        ];
        var watch = Stopwatch.StartNew();
        var (read, most) = (0, 0);
        for (var i = 0; i < 1_000_000; i++)
        {
            var bytes = (byte[])seeds[i % seeds.Length].Clone();
            for (var change = random.Next(4); change >= 0; change--)
            {
                bytes[random.Next(Math.Min(bytes.Length, 128))] = (byte)random.Next(256);
            }

            if (DnsAnswer.Read(bytes.AsSpan(0, random.Next(bytes.Length + 1))) is { } answer)
            {
                read++;
                most = Math.Max(most, answer.Addresses.Count);
                Assert.That(answer.Name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '.' or '-' or '_'), Is.True, answer.Name);
            }
        }

        Assert.That(read, Is.GreaterThan(10_000));
        Assert.That(most, Is.LessThanOrEqualTo(DnsAnswer.MostAddresses));
        Assert.That(watch.Elapsed, Is.LessThan(TimeSpan.FromMinutes(1)));
    }

    [Test]
    public void Random_frames_of_every_length_are_no_trouble()
    {
        var random = new Random(7);
        var frames = 0;
        for (var i = 0; i < 200_000; i++)
        {
            var bytes = new byte[random.Next(120)];
            random.NextBytes(bytes);
            if (bytes.Length > 14)
            {
                BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(12), random.Next(2) == 0 ? (ushort)0x0800 : (ushort)0x86dd);
                bytes[14] = random.Next(3) == 0 ? bytes[14] : (byte)0x45;
            }

            if (AnswerFrame.Read(bytes) is { } frame)
            {
                frames++;
                Assert.That(frame.Payload.Length, Is.LessThan(bytes.Length));
            }
        }

        Assert.That(frames, Is.GreaterThan(100));
    }

    [TestCase("example.com", "example.com", true)]
    [TestCase("example.com", "www.example.com", false)]
    [TestCase("*.example.com", "www.example.com", true)]
    [TestCase("*.example.com", "a.b.example.com", true)]
    [TestCase("*.example.com", "example.com", false)]
    [TestCase("*.example.com", "badexample.com", false)]
    [TestCase("*.example.com", ".example.com", false)]
    public void A_wildcard_means_one_label_or_more(string pattern, string name, bool matches) => Assert.That(NamePattern.Matches(pattern, name), Is.EqualTo(matches));
}
