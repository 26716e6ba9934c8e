using Weft.Ovsdb.OpenVSwitch;
using Weft.TestSupport;
using static Weft.Ovsdb.Tests.ClientFixture;

namespace Weft.Ovsdb.Tests.Session;

/// <summary>A real raft cluster of three: leader changes, killed members, resuming from the server's history.</summary>
public sealed class ClusterTests
{
    private OvsdbClusterProcess _cluster = null!;

    [SetUp]
    public async Task Start() => _cluster = await OvsdbClusterProcess.StartAsync();

    [TearDown]
    public async Task Stop() => await _cluster.DisposeAsync();

    [Test]
    public async Task A_client_of_the_leader_moves_with_the_leader()
    {
        await using var client = await LiveAsync(Options() with { LeaderOnly = true });
        var leader = await _cluster.LeaderAsync();
        Assert.That(client.LiveEndpoint!.Address, Is.EqualTo(_cluster.Socket(leader)));
        await CommitAsync(client, "before");

        await _cluster.AppctlAsync(leader, "cluster/kick", "Open_vSwitch", await ServerIdAsync(leader));
        await Eventually.True("the client serves from another member", () => client.LiveEndpoint is { } e && e.Address != _cluster.Socket(leader), TimeSpan.FromSeconds(30));
        await CommitAsync(client, "after");

        Assert.That(client.Replica.Current!.Rows<Bridge>().Select(b => b.Get(Bridge.Name)), Is.EquivalentTo(new[] { "before", "after" }));
        Assert.That(client.LastFailure!.Message, Does.Contain("leader").Or.Contain("cluster").Or.Contain("closed"));
    }

    [Test]
    public async Task A_killed_leader_is_survived_and_nothing_committed_is_lost()
    {
        await using var client = await LiveAsync(Options());
        var reached = 0;
        using var stop = new CancellationTokenSource();
        var row = await InitAsync(client);
        var witness = new CommitWitness<OpenVSwitchTable>(row, OpenVSwitchTable.ExternalIds, "writer");
        var writing = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                var transaction = new Transaction();
                transaction.Mutate<OpenVSwitchTable>(row, OpenVSwitchTable.NextCfg.Add(1));
                var outcome = await client.CommitOnceAsync(transaction, witness, Limit(60));
                Assert.That(outcome.IsSuccess, outcome.ToString());
                Interlocked.Increment(ref reached);
            }
        });
        await Eventually.True("some are written", () => Volatile.Read(ref reached) > 20);
        var serving = Enumerable.Range(0, 3).Single(i => _cluster.Socket(i) == client.LiveEndpoint!.Address);
        await _cluster.KillMemberAsync(serving);
        var leader = await _cluster.LeaderAsync();
        var atKill = Volatile.Read(ref reached);
        await Eventually.True("writing goes on", () => Volatile.Read(ref reached) > atKill + 20, TimeSpan.FromSeconds(30));
        await _cluster.StartMemberAsync(serving);
        await stop.CancelAsync();
        await writing;

        // Every increment exactly once, although replies were lost on the way.
        await using var other = await LiveAsync(Options() with { Endpoints = [OvsdbEndpoint.Unix(_cluster.Socket(leader))] });
        Assert.That(other.Replica.Current!.Rows<OpenVSwitchTable>().Single().Get(OpenVSwitchTable.NextCfg), Is.EqualTo(reached));
    }

    // ovsdb-server keeps its last 100 transactions, and fewer when they weigh more than the database (ovsdb_txn_history_run).
    [TestCase(50, 20, true)]
    [TestCase(150, 10, false)]
    public async Task A_reconnect_transfers_only_what_changed_while_the_server_remembers_it(int transactions, int changes, bool remembered)
    {
        await using var writer = await LiveAsync(Options());
        var fill = new Transaction();
        for (var i = 0; i < 5000; i++)
        {
            fill.Insert<Queue>().Set(Queue.ExternalIds, OvsdbMap.Of(("index", $"{i}"), ("padding", new string('x', 100))));
        }

        (await writer.CommitAsync(fill, Limit())).ThrowIfFailed();
        // The transaction that a client saw last must itself still be in the history; the large one above is dropped soon.
        var small = new Transaction();
        small.Insert<Queue>();
        (await writer.CommitAsync(small, Limit())).ThrowIfFailed();
        await using var relay = new UnixRelay(_cluster.Socket(0));
        await using var client = await LiveAsync(Options() with { Endpoints = [OvsdbEndpoint.Unix(relay.Socket)], Monitor = MonitorSelection.None.Add<Queue>() });
        var whole = client.BytesReceived;
        var before = client.Replica.Current!;
        await using var sets = client.Replica.ChangesAsync().GetAsyncEnumerator();
        Assert.That(await sets.MoveNextAsync());

        relay.Sever();
        await Eventually.True("the loss is seen", () => client.State != SessionState.Live);
        var rows = before.Rows<Queue>().Select(q => q.Uuid).Take(transactions * changes).ToArray();
        foreach (var batch in rows.Chunk(changes))
        {
            var transaction = new Transaction();
            foreach (var row in batch)
            {
                transaction.Update<Queue>(row).Set(Queue.Dscp, 7);
            }

            (await writer.CommitAsync(transaction, Limit())).ThrowIfFailed();
        }

        relay.Refuses = false;
        var after = await client.Replica.WaitForAsync(s => s.Rows<Queue>().Count(q => q.Get(Queue.Dscp) == 7) == rows.Length, Limit());

        TestContext.Out.WriteLine($"snapshot {whole} bytes, {rows.Length} changes {client.BytesReceived} bytes, resumed: {client.WasResumed}");
        await client.WaitUntilLiveAsync(Limit());
        Assert.That(client.WasResumed, Is.EqualTo(remembered));
        Assert.That(client.BytesReceived, remembered ? Is.LessThan(whole / 5) : Is.GreaterThan(whole / 2));
        Assert.That(await sets.MoveNextAsync());
        Assert.That(sets.Current.IsSnapshot, Is.EqualTo(!remembered));
        Assert.That(sets.Current.Changes.Select(c => c.Uuid), Is.EquivalentTo(rows), "one set with exactly the changed rows");
        Assert.That(after.Version, Is.EqualTo(before.Version + 1), "readers see one change");
    }

    [Test]
    public async Task A_member_without_majority_is_left_for_one_that_has_it_or_waited_for()
    {
        await using var client = await LiveAsync(Options());
        await CommitAsync(client, "first");
        var leader = await _cluster.LeaderAsync();
        var others = Enumerable.Range(0, 3).Where(i => i != leader).ToArray();

        await _cluster.KillMemberAsync(others[0]);
        await _cluster.KillMemberAsync(others[1]);
        await Eventually.True("no member is good enough", () => client.State != SessionState.Live && client.LastFailure is not null, TimeSpan.FromSeconds(40));
        Assert.That(client.Replica.Current!.Rows<Bridge>().Single().Get(Bridge.Name), Is.EqualTo("first"), "readers keep the last snapshot");
        using var short1 = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
        Assert.That(() => client.WaitUntilLiveAsync(short1.Token), Throws.InstanceOf<OperationCanceledException>().With.Message.Contains("not connected to"));

        await _cluster.StartMemberAsync(others[0]);
        await client.WaitUntilLiveAsync(Limit(40));
        await CommitAsync(client, "second");
        Assert.That(client.Replica.Current!.Rows<Bridge>().Count(), Is.EqualTo(2));
    }

    private static async Task<Guid> InitAsync(OvsdbClient client)
    {
        var transaction = new Transaction();
        var insert = transaction.Insert<OpenVSwitchTable>();
        return (await client.CommitAsync(transaction, Limit())).ThrowIfFailed().UuidOf(insert);
    }

    private static async Task CommitAsync(OvsdbClient client, string bridge)
    {
        if (!client.Replica.Current!.Rows<OpenVSwitchTable>().Any())
        {
            await InitAsync(client);
        }

        await Eventually.True($"{bridge} is committed", async () =>
        {
            var outcome = await client.CommitRetryingAsync(
                s =>
                {
                    if (s.Rows<Bridge>().Any(b => b.Get(Bridge.Name) == bridge))
                    {
                        return null;
                    }

                    var transaction = new Transaction();
                    transaction.AddBridge(bridge);
                    return transaction;
                },
                Limit());
            return outcome is null || outcome.IsSuccess;
        }, TimeSpan.FromSeconds(30));
    }

    private async Task<string> ServerIdAsync(int member) => (await _cluster.AppctlAsync(member, "cluster/sid", "Open_vSwitch")).Trim();

    private OvsdbClientOptions Options() => new()
    {
        Endpoints = [.. Enumerable.Range(0, 3).Select(i => OvsdbEndpoint.Unix(_cluster.Socket(i)))],
        Monitor = MonitorSelection.None.Add<OpenVSwitchTable>().Add<Bridge>(),
        Reconnect = new ReconnectPolicy { Minimum = TimeSpan.FromMilliseconds(50), Maximum = TimeSpan.FromMilliseconds(500) },
    };
}
