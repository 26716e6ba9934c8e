using Newtonsoft.Json.Linq;
using Weft.Ovsdb.OpenVSwitch;
using Weft.TestSupport;
using static Weft.Ovsdb.Tests.ClientFixture;

namespace Weft.Ovsdb.Tests.Transactions;

/// <summary>Every operation of RFC 7047 section 5.2 against a real server, with ovsdb-client as the second opinion.</summary>
public sealed class OperationTests
{
    private OvsdbServerProcess _server = null!;
    private OvsdbClient _client = null!;

    [SetUp]
    public async Task Start()
    {
        _server = await OvsdbServerProcess.StartAsync();
        await _server.VsctlAsync(false, "init");
        _client = await ConnectAsync(_server);
    }

    [TearDown]
    public async Task Stop()
    {
        await _client.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Test]
    public async Task Insert_with_references_is_visible_in_the_replica_when_the_commit_returns()
    {
        var transaction = new Transaction();
        var bridge = transaction.AddBridge("br0");

        var outcome = (await _client.CommitAsync(transaction, Limit())).ThrowIfFailed();

        var row = _client.Replica.Current!.Row<Bridge>(outcome.UuidOf(bridge));
        Assert.That(row?.Get(Bridge.Name), Is.EqualTo("br0"));
        Assert.That(await SelectAsync("Bridge", "name"), Is.EqualTo("[{\"name\":\"br0\"}]"));
    }

    [Test]
    public async Task Select_reads_the_rows_that_ovsdb_client_reads()
    {
        await AddBridgesAsync("a", "b", "c");
        var transaction = new Transaction();
        var all = transaction.Select<Bridge>([]);
        var one = transaction.Select([Bridge.Name.Is("b")], [Bridge.Name, Bridge.Ports]);
        var untyped = transaction.Select("Bridge", [new Condition("name", ConditionFunction.NotEqual, OvsdbValue.Of("b"))], ["name"]);

        var outcome = (await _client.CommitAsync(transaction, Limit())).ThrowIfFailed();

        Assert.That(outcome.Rows(all).Select(r => r.Get(Bridge.Name)), Is.EquivalentTo(new[] { "a", "b", "c" }));
        Assert.That(outcome.Rows(one).Single().Get(Bridge.Ports), Has.Count.EqualTo(1));
        Assert.That(outcome.Rows(untyped).Select(r => r["name"].As<string>()), Is.EquivalentTo(new[] { "a", "c" }));
        Assert.That(outcome.Rows(all).Select(r => r.Uuid.ToString()).Order(), Is.EqualTo(await UuidsAsync("Bridge")));
    }

    [Test]
    public async Task Update_and_its_count_match_the_conditions()
    {
        await AddBridgesAsync("a", "b");
        var transaction = new Transaction();
        var update = transaction.Update(Bridge.Name.Is("a")).Set(Bridge.FailMode, "secure").Set(Bridge.OtherConfig, OvsdbMap.Of(("k", "v")));
        var nothing = transaction.Update(Bridge.Name.Is("zzz")).Set(Bridge.FailMode, "secure");

        var outcome = (await _client.CommitAsync(transaction, Limit())).ThrowIfFailed();

        Assert.That(outcome.CountOf(update), Is.EqualTo(1));
        Assert.That(outcome.CountOf(nothing), Is.Zero);
        Assert.That((await _server.VsctlAsync(false, "get", "bridge", "a", "fail_mode", "other_config")).Trim(), Is.EqualTo("secure\n{k=v}"));
    }

    [Test]
    public async Task Optional_values_and_sets_can_be_emptied()
    {
        await AddBridgesAsync("a");
        await CommitAsync(t => t.Update(Bridge.Name.Is("a")).Set(Bridge.FailMode, "secure").Set(Bridge.Protocols, ["OpenFlow13"]));
        await CommitAsync(t => t.Update(Bridge.Name.Is("a")).Set(Bridge.FailMode, null).Set(Bridge.Protocols, []));

        var row = _client.Replica.Current!.Rows<Bridge>().Single();
        Assert.That(row.Get(Bridge.FailMode), Is.Null);
        Assert.That(row.Get(Bridge.Protocols), Is.Empty);
        Assert.That((await _server.VsctlAsync(false, "get", "bridge", "a", "fail_mode", "protocols")).Trim(), Is.EqualTo("[]\n[]"));
    }

    [Test]
    public async Task Mutations_add_insert_and_delete()
    {
        await AddBridgesAsync("a");
        await CommitAsync(t =>
        {
            t.Mutate([], OpenVSwitchTable.NextCfg.Add(7), OpenVSwitchTable.NextCfg.Multiply(6), OpenVSwitchTable.NextCfg.Add(-2));
            t.Mutate([], OpenVSwitchTable.NextCfg.Divide(4), OpenVSwitchTable.NextCfg.Remainder(7));
            t.Mutate([Bridge.Name.Is("a")], Bridge.Protocols.Insert("OpenFlow13", "OpenFlow15"), Bridge.ExternalIds.Insert("a", "1"));
            t.Mutate([Bridge.Name.Is("a")], Bridge.Protocols.Delete("OpenFlow15"), Bridge.ExternalIds.Insert("b", "2"), Bridge.ExternalIds.Insert("c", "3"));
            t.Mutate([Bridge.Name.Is("a")], Bridge.ExternalIds.Insert("a", "changed"), Bridge.ExternalIds.DeleteKeys("b"), Bridge.ExternalIds.DeletePair("c", "other"));
        });

        var snapshot = _client.Replica.Current!;
        Assert.That(snapshot.Rows<OpenVSwitchTable>().Single().Get(OpenVSwitchTable.NextCfg), Is.EqualTo(((7 * 6) - 2) / 4 % 7));
        var row = snapshot.Rows<Bridge>().Single();
        Assert.That(row.Get(Bridge.Protocols), Is.EqualTo((OvsdbSet<string>)["OpenFlow13"]));
        Assert.That(row.Get(Bridge.ExternalIds), Is.EqualTo(OvsdbMap.Of(("a", "1"), ("c", "3"))));
    }

    [Test]
    public async Task Delete_removes_the_row_and_what_only_it_referred_to()
    {
        await AddBridgesAsync("a", "b");
        await CommitAsync(t =>
        {
            var gone = _client.Replica.Current!.Rows<Bridge>().Single(b => b.Get(Bridge.Name) == "a");
            t.Mutate([], OpenVSwitchTable.Bridges.Delete(gone.Uuid));
        });

        Assert.That(_client.Replica.Current!.Rows<Bridge>().Select(b => b.Get(Bridge.Name)), Is.EqualTo(new[] { "b" }));
        Assert.That(_client.Replica.Current!.Rows<Interface>().Select(b => b.Get(Interface.Name)), Is.EqualTo(new[] { "b" }));
    }

    [Test]
    public async Task Wait_holds_a_transaction_until_another_client_changes_the_row()
    {
        await AddBridgesAsync("a");
        var held = new Transaction();
        held.Wait("Bridge", [Bridge.Name.Is("a")], ["fail_mode"], equal: true,
            [new Dictionary<string, OvsdbValue> { ["fail_mode"] = OvsdbValue.Of("secure") }], TimeSpan.FromSeconds(20));
        held.Update(Bridge.Name.Is("a")).Set(Bridge.DatapathType, "netdev");
        var waiting = _client.CommitAsync(held, Limit());

        await _server.VsctlAsync(false, "set", "bridge", "a", "fail_mode=secure");

        Assert.That((await waiting).IsSuccess);
        Assert.That(_client.Replica.Current!.Rows<Bridge>().Single().Get(Bridge.DatapathType), Is.EqualTo("netdev"));
    }

    [Test]
    public async Task A_check_that_does_not_hold_is_a_conflict_and_changes_nothing()
    {
        await AddBridgesAsync("a");
        var row = _client.Replica.Current!.Rows<Bridge>().Single().Untyped;
        await _server.VsctlAsync(false, "set", "bridge", "a", "fail_mode=secure");
        var transaction = new Transaction();
        transaction.RequireUnchanged(row, Bridge.FailMode);
        transaction.Update(Bridge.Name.Is("a")).Set(Bridge.DatapathType, "netdev");

        var outcome = await _client.CommitAsync(transaction, Limit());

        Assert.That(outcome.Error!.IsConflict);
        Assert.That(outcome.Error.OperationIndex, Is.Zero);
        Assert.That(outcome.Error.Operation!.Name, Is.EqualTo("wait"));
        Assert.That(outcome.Error.Column, Is.EqualTo("fail_mode"));
        Assert.That((await _server.VsctlAsync(false, "get", "bridge", "a", "datapath_type")).Trim(), Is.EqualTo("\"\""));
    }

    [Test]
    public async Task Abort_undoes_and_comment_is_in_the_log()
    {
        var aborted = new Transaction();
        aborted.AddBridge("a");
        aborted.Abort();
        var outcome = await _client.CommitAsync(aborted, Limit());
        Assert.That(outcome.Error!.Error, Is.EqualTo("aborted"));
        Assert.That(_client.Replica.Current!.Rows<Bridge>(), Is.Empty);

        await CommitAsync(t =>
        {
            t.AddBridge("b");
            t.Comment("a line for the log");
            t.CommitDurably();
        });
        Assert.That(await ChildProcess.RunAsync("ovsdb-tool", ["show-log", _server.Databases[0]]), Does.Contain("a line for the log"));
    }

    [Test]
    public async Task Operations_of_several_places_become_one_transaction()
    {
        var first = new Transaction();
        var bridge = first.AddBridge("a");
        var second = new Transaction();
        var tunnel = second.Insert<Interface>().Set(Interface.Name, "t").Set(Interface.Type, "geneve");
        var port = second.Insert<Port>().Set(Port.Name, "t").Set(Port.Interfaces, [tunnel.Uuid]);
        var third = new Transaction();
        third.Mutate(bridge.Uuid, Bridge.Ports.Insert(port.Uuid));

        // The reference comes before the row that it names.
        var outcome = (await _client.CommitAsync(new Transaction().Append(first).Append(third).Append(second), Limit())).ThrowIfFailed();

        var row = _client.Replica.Current!.Row<Bridge>(outcome.UuidOf(bridge))!.Value;
        Assert.That(row.Get(Bridge.Ports), Does.Contain(outcome.UuidOf(port)));
        Assert.That(_client.Replica.Current!.Version, Is.EqualTo(2), "snapshot and one change");
    }

    [Test]
    public async Task Text_of_every_kind_survives()
    {
        string[] texts = ["", " ", "quote\"s", "back\\slash", "line\nend\ttab", "ünïcödé", "日本語", "🧵", "\u0001", "a/b", "</script>", "null", "set"];
        await AddBridgesAsync("a");
        await CommitAsync(t => t.Update(Bridge.Name.Is("a")).Set(Bridge.ExternalIds, OvsdbMap.From(texts.Select((x, i) => KeyValuePair.Create($"k{i}", x)))));

        var map = _client.Replica.Current!.Rows<Bridge>().Single().Get(Bridge.ExternalIds);
        Assert.That(texts.Select((_, i) => map[$"k{i}"]), Is.EqualTo(texts));
        var oracle = JArray.Parse(await SelectAsync("Bridge", "external_ids"))[0]["external_ids"]![1]!;
        Assert.That(oracle.ToDictionary(p => (string)p[0]!, p => (string)p[1]!), Is.EquivalentTo(map.ToDictionary(p => p.Key, p => p.Value)));
    }

    [Test]
    public async Task Pipelined_transactions_are_carried_out_in_order()
    {
        var limit = Limit();
        var commits = Enumerable.Range(0, 500).Select(i =>
        {
            var t = new Transaction();
            t.Update<OpenVSwitchTable>().Set(OpenVSwitchTable.ExternalIds, OvsdbMap.Of(("n", $"{i}")));
            return _client.CommitAsync(t, limit);
        }).ToArray();

        Assert.That((await Task.WhenAll(commits)).All(o => o.IsSuccess));
        Assert.That(_client.Replica.Current!.Rows<OpenVSwitchTable>().Single().Get(OpenVSwitchTable.ExternalIds)["n"], Is.EqualTo("499"));
    }

    private async Task AddBridgesAsync(params string[] names) => await CommitAsync(t =>
    {
        foreach (var name in names)
        {
            t.AddBridge(name);
        }
    });

    private async Task CommitAsync(Action<Transaction> build)
    {
        var transaction = new Transaction();
        build(transaction);
        (await _client.CommitAsync(transaction, Limit())).ThrowIfFailed();
    }

    private async Task<string> SelectAsync(string table, string column)
    {
        var request = $$"""["Open_vSwitch",{"op":"select","table":"{{table}}","where":[],"columns":["{{column}}"]}]""";
        return JArray.Parse(await _server.ClientAsync("transact", request))[0]["rows"]!.ToString(Newtonsoft.Json.Formatting.None);
    }

    private async Task<IEnumerable<string>> UuidsAsync(string table) =>
        JArray.Parse(await SelectAsync(table, "_uuid")).Select(r => (string)r["_uuid"]![1]!).Order();
}
