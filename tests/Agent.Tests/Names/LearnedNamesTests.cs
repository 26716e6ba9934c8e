using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Weft.Agent.Names;
using Weft.TestSupport;

namespace Weft.Agent.Tests.Names;

public sealed class LearnedNamesTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly TimeSpan Least = TimeSpan.FromSeconds(15);

    [Test]
    public void An_address_lives_as_long_as_its_answer_says_and_at_least_the_minimum()
    {
        var names = Learn(LearnedNames.Empty, "a.test", "192.0.2.1", 60);
        names = Learn(names, "a.test", "192.0.2.2", 0);
        Assert.That(Live(names.Pass(Now.AddSeconds(14))), Is.EquivalentTo(new[] { "192.0.2.1", "192.0.2.2" }));
        Assert.That(Live(names.Pass(Now.AddSeconds(15))), Is.EquivalentTo(new[] { "192.0.2.1" }));
        Assert.That(Live(names.Pass(Now.AddSeconds(60))), Is.Empty);
    }

    [Test]
    public void An_expired_address_is_kept_for_connections_that_exist_and_lives_again_when_it_is_told_again()
    {
        var names = Learn(LearnedNames.Empty, "a.test", "192.0.2.1", 60).Pass(Now.AddHours(1));
        Assert.That(names.Of("p").Single().Value.IsLive, Is.False);
        Assert.That(Live(Learn(names, "a.test", "192.0.2.1", 60)), Has.Count.EqualTo(1));
        Assert.That(names.Pass(Now + LearnedNames.Keep + TimeSpan.FromHours(1)).ByPort, Is.Empty);
    }

    [Test]
    public void A_shorter_answer_takes_nothing_from_a_longer_one()
    {
        var names = Learn(Learn(LearnedNames.Empty, "a.test", "192.0.2.1", 600), "a.test", "192.0.2.1", 20);
        Assert.That(Live(names.Pass(Now.AddSeconds(599))), Has.Count.EqualTo(1));
    }

    [Test]
    public void Addresses_of_a_name_and_of_a_pod_are_bounded_and_at_least_a_hundred()
    {
        var names = LearnedNames.Empty;
        for (var i = 0; i < 1000; i++)
        {
            names = Learn(names, "a.test", $"10.0.{i / 250}.{i % 250}", (uint)(100 + i));
        }

        Assert.That(names.Of("p"), Has.Count.EqualTo(LearnedNames.MostAddresses).And.Count.GreaterThanOrEqualTo(100));
        Assert.That(Live(names), Does.Contain("10.0.3.249").And.Not.Contain("10.0.0.0"));
        for (var i = 0; i < 5000; i++)
        {
            names = Learn(names, $"n{i}.test", "192.0.2.1", 500);
        }

        Assert.That(names.Of("p"), Has.Count.EqualTo(LearnedNames.MostOfPort));
    }

    [Test]
    public void The_journal_gives_back_what_was_saved_after_any_history_and_stays_short()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File(NameJournal.FileName);
        var random = new Random(9);
        var (names, now, journal) = (LearnedNames.Empty, Now, Journal(path));
        for (var i = 0; i < 3000; i++)
        {
            now = now.AddSeconds(random.Next(30));
            var answer = new DnsAnswer($"n{random.Next(20)}.test", [new ResolvedAddress(IPAddress.Parse($"192.0.2.{random.Next(40)}"), (uint)random.Next(200))]);
            names = random.Next(20) == 0 ? names.Without($"p{random.Next(3)}") : names.Learn($"p{random.Next(3)}", answer, now, Least).Pass(now);
            journal.Save(names);
            if (i % 100 == 0)
            {
                Assert.That(Same(Journal(path).Read(), names), $"{i}");
                journal = i % 500 == 0 ? Journal(path) : journal;
            }
        }

        Assert.That(new FileInfo(path).Length, Is.LessThan(1_500_000));
    }

    [Test]
    public void A_journal_cut_at_any_byte_loses_only_what_was_cut()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File(NameJournal.FileName);
        var before = Learn(LearnedNames.Empty, "a.test", "192.0.2.1", 60);
        var journal = Journal(path);
        journal.Save(before);
        var whole = (int)new FileInfo(path).Length;
        journal.Save(Learn(before, "b.test", "2001:db8::1", 60));
        var bytes = File.ReadAllBytes(path);
        for (var length = whole; length < bytes.Length - 1; length++)
        {
            File.WriteAllBytes(path, bytes[..length]);
            Assert.That(Same(Journal(path).Read(), before), $"{length}");
        }
    }

    private static NameJournal Journal(string path) => new(path, NullLogger<NameJournal>.Instance);

    private static bool Same(LearnedNames a, LearnedNames b) =>
        a.ByPort.Keys.Order().SequenceEqual(b.ByPort.Keys.Order()) && a.ByPort.Keys.All(p => a.SameFlows(b, p) && a.Of(p).All(x => b.Of(p)[x.Key] == x.Value));

    private static LearnedNames Learn(LearnedNames names, string name, string address, uint life) =>
        names.Learn("p", new DnsAnswer(name, [new ResolvedAddress(IPAddress.Parse(address), life)]), Now, Least);

    private static List<string> Live(LearnedNames names) => [.. names.Of("p").Where(n => n.Value.IsLive).Select(n => n.Key.Address.ToString())];
}
