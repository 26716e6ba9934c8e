using System.Globalization;
using Weft.Ovsdb.OpenVSwitch;
using Weft.TestSupport;
using static Weft.Ovsdb.Tests.ClientFixture;

namespace Weft.Ovsdb.Tests.Replica;

/// <summary>The copy against the real server: the three ways of following, changes, conditions, indexes, reconnects.</summary>
public sealed class ReplicaTests
{
    private OvsdbServerProcess _server = null!;

    [SetUp]
    public async Task Start()
    {
        _server = await OvsdbServerProcess.StartAsync();
        await _server.VsctlAsync(false, "init");
    }

    [TearDown]
    public async Task Stop() => await _server.DisposeAsync();

    [Test]
    public async Task All_three_monitor_methods_end_with_the_same_rows_as_a_fresh_copy()
    {
        var clients = new List<OvsdbClient>();
        foreach (var method in Enum.GetValues<MonitorMethod>())
        {
            clients.Add(await LiveAsync(Options(_server, MonitorSelection.Everything) with { MonitorMethod = method }));
        }

        try
        {
            await ChurnAsync(clients[0], 200, seed: 7);
            await using var fresh = await ConnectAsync(_server, MonitorSelection.Everything);
            var expected = Text(fresh.Replica.Current!);
            foreach (var client in clients)
            {
                await Eventually.True("the copy catches up", () => Text(client.Replica.Current!) == expected);
            }

            Assert.That(expected, Does.Contain("Bridge"));
        }
        finally
        {
            foreach (var client in clients)
            {
                await client.DisposeAsync();
            }
        }
    }

    [Test]
    public async Task Changes_applied_one_after_another_give_the_snapshot()
    {
        await using var client = await ConnectAsync(_server, MonitorSelection.Everything);
        var rows = new Dictionary<(string, Guid), Row>();
        var versions = new List<long>();
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var target = new TaskCompletionSource<DatabaseSnapshot>();
        var follow = Task.Run(async () =>
        {
            await foreach (var set in client.Replica.ChangesAsync(cancellationToken: stop.Token))
            {
                versions.Add(set.After.Version);
                foreach (var change in set.Changes)
                {
                    Assert.That(change.Old, Is.SameAs(rows.GetValueOrDefault((change.Table, change.Uuid))));
                    if (change.New is null)
                    {
                        rows.Remove((change.Table, change.Uuid));
                    }
                    else
                    {
                        rows[(change.Table, change.Uuid)] = change.New;
                    }
                }

                if (target.Task.IsCompleted && set.After.Version >= target.Task.Result.Version)
                {
                    return;
                }
            }
        });
        await ChurnAsync(client, 100, seed: 3);
        target.SetResult(client.Replica.Current!);
        var last = new Transaction();
        last.Update<OpenVSwitchTable>().Set(OpenVSwitchTable.ExternalIds, OvsdbMap.Of(("end", "1")));
        (await client.CommitAsync(last, Limit())).ThrowIfFailed();

        await follow;

        var end = client.Replica.Current!;
        Assert.That(rows.Values, Is.EquivalentTo(end.Tables.Values.SelectMany(t => t.Rows.Values)));
        Assert.That(versions, Is.Ordered);
        Assert.That(versions, Is.EqualTo(Enumerable.Range((int)versions[0], versions.Count)), "no set is skipped");
    }

    [Test]
    public async Task A_slow_reader_gets_merged_sets_and_no_gap()
    {
        await using var client = await ConnectAsync(_server);
        await using var changes = client.Replica.ChangesAsync(capacity: 2).GetAsyncEnumerator();
        Assert.That(await changes.MoveNextAsync());
        for (var i = 0; i < 20; i++)
        {
            var transaction = new Transaction();
            transaction.Update<OpenVSwitchTable>().Set(OpenVSwitchTable.ExternalIds, OvsdbMap.Of(("n", $"{i}")));
            (await client.CommitAsync(transaction, Limit())).ThrowIfFailed();
        }

        var count = 0;
        ChangeSet? last = null;
        while (count < 20)
        {
            Assert.That(await changes.MoveNextAsync());
            last = changes.Current;
            count += last.MergedCount;
        }

        Assert.That(last!.MergedCount, Is.EqualTo(19));
        var change = last.Of<OpenVSwitchTable>().Single();
        Assert.That(change.Old!.Value.Get(OpenVSwitchTable.ExternalIds)["n"], Is.EqualTo("0"));
        Assert.That(change.New!.Value.Get(OpenVSwitchTable.ExternalIds)["n"], Is.EqualTo("19"));
        Assert.That(change.Changed(OpenVSwitchTable.ExternalIds));
        Assert.That(change.Changed(OpenVSwitchTable.OtherConfig), Is.False);
    }

    [Test]
    public async Task Conditions_can_be_changed_while_running_and_survive_a_reconnect()
    {
        foreach (var name in new[] { "a", "b", "c" })
        {
            await _server.VsctlAsync(false, "add-br", name);
        }

        var all = MonitorSelection.None.Add<Bridge>(Bridge.Name);
        await using var client = await ConnectAsync(_server, all.Where(Bridge.Name.Is("a")));
        string[] Names() => [.. client.Replica.Current!.Rows<Bridge>().Select(b => b.Get(Bridge.Name)).Order(StringComparer.Ordinal)];
        Assert.That(Names(), Is.EqualTo(new[] { "a" }));

        await client.ChangeSelectionAsync(all.Where(Bridge.Name.Is("b"), Bridge.Name.Is("c")), Limit());
        Assert.That(Names(), Is.EqualTo(new[] { "b", "c" }), "any of the conditions");
        await client.ChangeSelectionAsync(all.Where<Bridge>(), Limit());
        Assert.That(Names(), Is.Empty);
        await client.ChangeSelectionAsync(all, Limit());
        Assert.That(Names(), Is.EqualTo(new[] { "a", "b", "c" }));
        await client.ChangeSelectionAsync(all.Where(Bridge.Name.Is("c")), Limit());

        await _server.StopAsync();
        await Eventually.True("the loss is seen", () => client.State != SessionState.Live);
        Assert.That(Names(), Is.EqualTo(new[] { "c" }), "readers keep the last snapshot");
        await client.ChangeSelectionAsync(all.Where(Bridge.Name.Is("a"), Bridge.Name.Is("c")), Limit());
        await _server.StartAsync();
        await client.WaitUntilLiveAsync(Limit());

        Assert.That(Names(), Is.EqualTo(new[] { "a", "c" }));
    }

    [Test]
    public async Task Tables_and_columns_can_be_changed_while_running()
    {
        await _server.VsctlAsync(false, "add-br", "a");
        await using var client = await ConnectAsync(_server, MonitorSelection.None.Add<Bridge>(Bridge.Name));
        await using var changes = client.Replica.ChangesAsync().GetAsyncEnumerator();
        Assert.That(await changes.MoveNextAsync());

        await client.ChangeSelectionAsync(MonitorSelection.None.Add<Port>(Port.Name), Limit());
        Assert.That(client.Replica.Current!.Rows<Port>().Single().Get(Port.Name), Is.EqualTo("a"));
        Assert.That(await changes.MoveNextAsync());
        Assert.That(changes.Current.IsSnapshot);
        Assert.That(changes.Current.Changes.Select(c => (c.Kind, c.Table)),
            Is.EquivalentTo(new[] { (RowChangeKind.Inserted, "Port"), (RowChangeKind.Deleted, "Bridge") }));

        await client.ChangeSelectionAsync(MonitorSelection.None, Limit());
        Assert.That(client.Replica.Current!.Tables, Is.Empty);
        await client.ChangeSelectionAsync(WholeSwitch, Limit());
        await _server.VsctlAsync(false, "add-br", "b");
        await client.Replica.WaitForAsync(s => s.Rows<Bridge>().Count() == 2, Limit());
        Assert.That(client.SessionCount, Is.EqualTo(1), "on the same connection");
    }

    [Test]
    public async Task Damaged_bytes_on_the_wire_lead_to_a_new_connection_and_never_to_a_wrong_copy()
    {
        await _server.VsctlAsync(false, "add-br", "a");
        await using var relay = new UnixRelay(_server.Socket);
        var random = new Random(5);
        var damaged = 0;
        relay.OnPiece = (sent, bytes) =>
        {
            // Structure is damaged, not content: a changed letter inside a name would be as good as the real one.
            var at = bytes.Span.IndexOfAny("{}[]"u8);
            if (!sent && at >= 0 && random.Next(4) == 0 && damaged < 20)
            {
                damaged++;
                bytes.Span[at] = (byte)'!';
            }

            return RelayedPiece.Passed;
        };
        await using var client = OvsdbClient.Start(Options(_server, MonitorSelection.Everything) with { Endpoints = [OvsdbEndpoint.Unix(relay.Socket)] });
        for (var i = 0; i < 40; i++)
        {
            await _server.VsctlAsync(false, "set", "bridge", "a", $"external_ids:n={i}");
        }

        await Eventually.True("all changes arrived", () => client.Replica.Current?.Rows("Bridge").SingleOrDefault() is { } row
            && row["external_ids"].AsMap<string, string>().GetValueOrDefault("n") == "39", TimeSpan.FromSeconds(20));
        await using var fresh = await ConnectAsync(_server, MonitorSelection.Everything);
        Assert.That(Text(client.Replica.Current!), Is.EqualTo(Text(fresh.Replica.Current!)));
        Assert.That(damaged, Is.GreaterThan(3));
        Assert.That(client.LastFailure, Is.InstanceOf<OvsdbException>().With.Property("IsTransient").True);
    }

    [Test]
    public async Task Indexes_follow_every_change()
    {
        var byName = Interface.Name.Index(isUnique: true);
        var byType = Interface.Type.Index();
        var byOwner = Interface.ExternalIds.KeyIndex("owner");
        var bridgeOfPort = Bridge.Ports.MemberIndex(isUnique: true);
        var both = Interface.Name.IndexWith(Interface.Type);
        var untyped = RowIndex.On("Port", "name", isUnique: true);
        await using var client = await LiveAsync(Options(_server) with { Indexes = [byName, byType, byOwner, bridgeOfPort, both, untyped] });
        await ChurnAsync(client, 150, seed: 11);
        await _server.VsctlAsync(false, "add-br", "brx", "--", "set", "interface", "brx", "external_ids:owner=me");
        var snapshot = await client.Replica.WaitForAsync(s => s.FindOne(byName, "brx") is not null, Limit());

        using (Assert.EnterMultipleScope())
        {
            foreach (var row in snapshot.Rows<Interface>())
            {
                Assert.That(snapshot.FindOne(byName, row.Get(Interface.Name)), Is.SameAs(row.Untyped));
                Assert.That(snapshot.Find(byType, row.Get(Interface.Type)), Does.Contain(row.Untyped));
                Assert.That(snapshot.Find(both, (row.Get(Interface.Name), row.Get(Interface.Type))).Single(), Is.SameAs(row.Untyped));
            }

            Assert.That(snapshot.Find(byType, "internal").Count(), Is.EqualTo(snapshot.Rows<Interface>().Count(i => i.Get(Interface.Type) == "internal")));
            Assert.That(snapshot.Find(byOwner, "me").Single()["name"].As<string>(), Is.EqualTo("brx"));
            var port = snapshot.FindOne(untyped, OvsdbValue.Of("brx"))!;
            Assert.That(snapshot.FindOne(bridgeOfPort, port.Uuid)!["name"].As<string>(), Is.EqualTo("brx"));
            Assert.That(() => snapshot.FindOne(byType, "internal"), Throws.InvalidOperationException.With.Message.Contains("not unique"));
            Assert.That(() => snapshot.Find(Port.Name.Index(), "x"), Throws.InvalidOperationException.With.Message.Contains("not in OvsdbClientOptions.Indexes"));
        }
    }

    [Test]
    public async Task A_weak_reference_goes_with_the_row_it_names()
    {
        await _server.VsctlAsync(false, "add-br", "br0", "--", "add-port", "br0", "p0", "--", "--id=@p", "get", "port", "p0",
            "--", "--id=@m", "create", "mirror", "name=m", "select_src_port=@p", "output_port=@p", "--", "set", "bridge", "br0", "mirrors=@m");
        await using var client = await ConnectAsync(_server, WholeSwitch.Add<Mirror>());
        var mirror = client.Replica.Current!.Rows<Mirror>().Single();
        Assert.That(client.Replica.Current!.Resolve<Port>(mirror.Get(Mirror.OutputPort))!.Value.Get(Port.Name), Is.EqualTo("p0"));

        await _server.VsctlAsync(false, "del-port", "p0");

        var after = await client.Replica.WaitForAsync(s => s.Rows<Mirror>().Single().Get(Mirror.OutputPort) is null, Limit());
        Assert.That(after.Rows<Mirror>().Single().Get(Mirror.SelectSrcPort), Is.Empty);
        Assert.That(after.Rows<Port>().Any(p => p.Get(Port.Name) == "p0"), Is.False, "in the same snapshot");
    }

    [Test]
    public async Task Without_history_a_reconnect_replaces_the_copy_in_one_step_and_lists_only_differences()
    {
        await _server.VsctlAsync(false, "add-br", "stays", "--", "add-br", "goes");
        await using var client = await ConnectAsync(_server);
        await using var changes = client.Replica.ChangesAsync().GetAsyncEnumerator();
        Assert.That(await changes.MoveNextAsync());
        var stays = changes.Current.After.Rows<Bridge>().Single(b => b.Get(Bridge.Name) == "stays").Untyped;
        await _server.StopAsync();
        await _server.StartAsync();
        await _server.VsctlAsync(false, "del-br", "goes", "--", "add-br", "comes");

        await client.Replica.WaitForAsync(s => s.Rows<Bridge>().Any(b => b.Get(Bridge.Name) == "comes"), Limit());

        Assert.That(client.WasResumed, Is.False);
        var names = new List<(RowChangeKind, string)>();
        while (!names.Contains((RowChangeKind.Inserted, "comes")))
        {
            Assert.That(await changes.MoveNextAsync());
            names.AddRange(changes.Current.Of<Bridge>().Select(c => (c.Kind, (c.New ?? c.Old)!.Value.Get(Bridge.Name))));
        }

        Assert.That(names, Is.EquivalentTo(new[] { (RowChangeKind.Deleted, "goes"), (RowChangeKind.Inserted, "comes") }));
        Assert.That(client.Replica.Current!.Row("Bridge", stays.Uuid), Is.SameAs(stays), "an unchanged row stays the same object");
    }

    [Test]
    public async Task What_the_server_lacks_is_reported_and_reads_as_empty()
    {
        await using var client = await ConnectAsync(_server, MonitorSelection.None.Add<FutureBridge>().Add<FutureTable>());
        await _server.VsctlAsync(false, "add-br", "br0");
        var snapshot = await client.Replica.WaitForAsync(s => s.Rows<FutureBridge>().Any(), Limit());

        var row = snapshot.Rows<FutureBridge>().Single();
        Assert.That(row.Get(FutureBridge.NotYet), Is.Null);
        Assert.That(row.Get(FutureBridge.WrongType), Is.Zero);
        Assert.That(snapshot.Rows<FutureTable>(), Is.Empty);
        Assert.That(snapshot.Differences.Select(d => d.ToString()), Is.EquivalentTo(new[]
        {
            "Bridge.not_yet: the server has no such column",
            "Bridge.fail_mode: the server has a column of type optional string, not integer",
            "Future: the database Open_vSwitch 8.3.1 has no such table",
        }));
        Assert.That(() => row.Untyped["ports"], Throws.InvalidOperationException.With.Message.Contains("Bridge.ports is not monitored"));
        Assert.That(() => snapshot.Rows<Port>(), Throws.InvalidOperationException.With.Message.Contains("Port is not selected"));
    }

    [Test]
    public async Task Readers_on_other_threads_never_see_half_a_transaction()
    {
        await using var client = await ConnectAsync(_server);
        using var stop = new CancellationTokenSource();
        var readers = Enumerable.Range(0, 2).Select(_ => Task.Run(() =>
        {
            var reads = 0;
            while (!stop.IsCancellationRequested)
            {
                var snapshot = client.Replica.Current!;
                foreach (var bridge in snapshot.Rows<Bridge>())
                {
                    // Each bridge comes and goes together with its port and interface.
                    var port = snapshot.Resolve<Port>(bridge.Get(Bridge.Ports)).Single();
                    Assert.That(snapshot.Resolve<Interface>(port.Get(Port.Interfaces)).Single().Get(Interface.Name), Is.EqualTo(bridge.Get(Bridge.Name)));
                }

                reads++;
            }

            return reads;
        })).ToArray();
        await ChurnAsync(client, 200, seed: 5);
        await stop.CancelAsync();

        Assert.That(await Task.WhenAll(readers), Has.All.GreaterThan(0));
    }

    /// <summary>Random transactions: bridges come, change and go.</summary>
    private static async Task ChurnAsync(OvsdbClient client, int count, int seed)
    {
        var random = new Random(seed);
        for (var i = 0; i < count; i++)
        {
            var transaction = new Transaction();
            var bridges = (await client.Replica.WaitForAsync(_ => true)).Rows("Bridge").ToArray();
            var one = bridges.Length == 0 ? null : bridges[random.Next(bridges.Length)];
            switch (random.Next(bridges.Length < 3 ? 1 : 5))
            {
                case 0: transaction.AddBridge("b" + i.ToString(CultureInfo.InvariantCulture)); break;
                case 1: transaction.Mutate([], OpenVSwitchTable.Bridges.Delete(one!.Uuid)); break;
                case 2: transaction.Mutate<Bridge>(one!.Uuid, Bridge.ExternalIds.Insert($"k{random.Next(5)}", $"{i}")); break;
                case 3: transaction.Update<Bridge>(one!.Uuid).Set(Bridge.FailMode, random.Next(2) == 0 ? null : "secure").Set(Bridge.FloodVlans, [random.Next(9), random.Next(9)]); break;
                default: transaction.Mutate<Bridge>(one!.Uuid, Bridge.ExternalIds.DeleteKeys($"k{random.Next(5)}"), Bridge.FloodVlans.Insert(random.Next(9))); break;
            }

            (await client.CommitAsync(transaction, Limit())).ThrowIfFailed();
        }
    }

    private static string Text(DatabaseSnapshot snapshot) =>
        string.Join('\n', snapshot.Tables.Values.SelectMany(t => t.Rows.Values).Select(r => r.ToString()).Order(StringComparer.Ordinal));

    private sealed class FutureBridge : Table<FutureBridge>, ITable
    {
        public static readonly Column<FutureBridge, string?> NotYet = OptionalText("not_yet");
        public static readonly Column<FutureBridge, long> WrongType = Integer("fail_mode");

        public static string TableName => "Bridge";

        public static IReadOnlyList<Column> Columns { get; } = [NotYet, WrongType];
    }

    private sealed class FutureTable : Table<FutureTable>, ITable
    {
        public static readonly Column<FutureTable, string> Name = Text("name");

        public static string TableName => "Future";

        public static IReadOnlyList<Column> Columns { get; } = [Name];
    }
}
