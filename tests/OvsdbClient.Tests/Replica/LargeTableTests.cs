using System.Diagnostics;
using Weft.Ovsdb.OpenVSwitch;
using Weft.TestSupport;
using static Weft.Ovsdb.Tests.ClientFixture;

namespace Weft.Ovsdb.Tests.Replica;

/// <summary>A table of 100,000 rows: loaded, changed by one row and all at once, and its server killed in the middle of loading.</summary>
public sealed class LargeTableTests
{
    private const int Count = 100_000;

    [Test]
    public async Task A_hundred_thousand_rows_are_loaded_changed_and_loaded_again_after_a_break()
    {
        await using var server = await OvsdbServerProcess.StartAsync();
        var byNumber = Queue.ExternalIds.KeyIndex("number", isUnique: true);
        await using var client = await LiveAsync(Options(server, MonitorSelection.None.Add<Queue>()) with { Indexes = [byNumber] });
        for (var start = 0; start < Count; start += 10_000)
        {
            var transaction = new Transaction();
            for (var i = start; i < start + 10_000; i++)
            {
                transaction.Insert<Queue>().Set(Queue.ExternalIds, OvsdbMap.Of(("number", $"{i}"), ("owner", "somebody"))).Set(Queue.Dscp, i % 64);
            }

            (await client.CommitAsync(transaction, Limit(60))).ThrowIfFailed();
        }

        var snapshot = client.Replica.Current!;
        Assert.That(snapshot.Rows<Queue>().Count(), Is.EqualTo(Count));
        var one = snapshot.FindOne(byNumber, "77777")!;
        var clock = Stopwatch.StartNew();
        var single = new Transaction();
        single.Update<Queue>(one.Uuid).Set(Queue.Dscp, 1);
        (await client.CommitAsync(single, Limit())).ThrowIfFailed();
        TestContext.Out.WriteLine($"one row of {Count}: {clock.Elapsed.TotalMilliseconds:0.0} ms");
        var all = new Transaction();
        all.Update<Queue>().Set(Queue.Dscp, 9);
        (await client.CommitAsync(all, Limit(60))).ThrowIfFailed();
        Assert.That(client.Replica.Current!.Rows<Queue>().All(q => q.Get(Queue.Dscp) == 9));
        Assert.That(snapshot.Rows<Queue>().Count(q => q.Get(Queue.Dscp) == 9), Is.LessThan(Count / 32), "the old snapshot is as it was");

        await using var relay = new UnixRelay(server.Socket);
        await using var second = OvsdbClient.Start(Options(server, MonitorSelection.None.Add<Queue>()) with { Endpoints = [OvsdbEndpoint.Unix(relay.Socket)] });
        await Eventually.True("loading began", () => second.State is SessionState.Resyncing or SessionState.Live);
        relay.Sever();
        await Eventually.True("the break is seen", () => second.State is not (SessionState.Live or SessionState.Resyncing));
        Assert.That(second.Replica.Current?.Rows<Queue>().Count() ?? Count, Is.EqualTo(Count), "all or nothing");
        relay.Refuses = false;
        await second.WaitUntilLiveAsync(Limit(60));
        Assert.That(second.Replica.Current!.Rows<Queue>().Count(), Is.EqualTo(Count));
    }
}
