using Newtonsoft.Json.Linq;
using Weft.Ovsdb.OpenVSwitch;
using Weft.TestSupport;
using static Weft.Ovsdb.Tests.ClientFixture;

namespace Weft.Ovsdb.Tests.Transactions;

/// <summary>Every error of RFC 7047 section 5.2 that a real server can be brought to: code, operation and column, and the same code from ovsdb-client.</summary>
public sealed class ErrorTests
{
    private OvsdbServerProcess _server = null!;
    private OvsdbClient _client = null!;

    /// <summary>Operation as ovsdb-client takes it, expected error, expected index, expected column.</summary>
    private static readonly object?[][] Cases =
    [
        ["""{"op":"insert","table":"Nope","row":{}}""", "syntax error", 0, null],
        ["""{"op":"insert","table":"Bridge","row":{"nope":1}}""", "unknown column", 0, "nope"],
        ["""{"op":"insert","table":"Bridge","row":{"name":7}}""", "syntax error", 0, "name"],
        ["""{"op":"insert","table":"Interface","row":{"ofport_request":70000}}""", "constraint violation", 0, "ofport_request"],
        ["""{"op":"insert","table":"Bridge","row":{"fail_mode":"odd"}}""", "constraint violation", 0, "fail_mode"],
        ["""{"op":"update","table":"Bridge","where":[],"row":{"name":"other"}}""", "constraint violation", 0, "name"],
        ["""{"op":"mutate","table":"Open_vSwitch","where":[],"mutations":[["next_cfg","/=",0]]}""", "domain error", 0, "next_cfg"],
        ["""{"op":"mutate","table":"Open_vSwitch","where":[],"mutations":[["next_cfg","+=",9223372036854775807],["next_cfg","+=",9223372036854775807]]}""", "range error", 0, "next_cfg"],
        ["""{"op":"insert","table":"QoS","row":{"queues":["map",[[0,["uuid","11111111-1111-1111-1111-111111111111"]]]]}}""", "referential integrity violation", 0, "queues"],
        ["""{"op":"insert","table":"Open_vSwitch","row":{}}""", "constraint violation", 0, null],
        ["""{"op":"insert","table":"Flow_Sample_Collector_Set","row":{"id":1}}""", "referential integrity violation", 0, "bridge"],
        ["""{"op":"wait","table":"Bridge","where":[],"columns":["name"],"until":"!=","rows":[],"timeout":0}""", null, 0, null],
        ["""{"op":"wait","table":"Bridge","where":[],"columns":["name"],"until":"==","rows":[],"timeout":0}""", "timed out", 0, "name"],
        ["""{"op":"assert","lock":"nobody"}""", "not owner", 0, null],
        ["""{"op":"abort"}""", "aborted", 0, null],
    ];

    [SetUp]
    public async Task Start()
    {
        _server = await OvsdbServerProcess.StartAsync();
        await _server.VsctlAsync(false, "init", "--", "add-br", "br0");
        _client = await LiveAsync(Options(_server) with { ChecksTransactions = false });
    }

    [TearDown]
    public async Task Stop()
    {
        await _client.DisposeAsync();
        await _server.DisposeAsync();
    }

    [TestCaseSource(nameof(Cases))]
    public async Task The_outcome_names_error_operation_and_column(string operation, string? error, int index, string? column)
    {
        var outcome = await _client.CommitAsync(Build(JObject.Parse(operation)), Limit());
        var oracle = JArray.Parse(await _server.ClientAsync("transact", $"[\"Open_vSwitch\",{operation}]"))
            .OfType<JObject>().Select(r => (string?)r["error"]).FirstOrDefault(e => e is not null);

        Assert.That(outcome.Error?.Error, Is.EqualTo(oracle), "the same as ovsdb-client");
        if (error is null)
        {
            Assert.That(outcome.IsSuccess);
            return;
        }

        TestContext.Out.WriteLine(outcome);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(outcome.Error!.Error, Is.EqualTo(error));
            Assert.That(outcome.Error.OperationIndex, Is.EqualTo(index));
            Assert.That(outcome.Error.Column, Is.EqualTo(column));
        }
    }

    [Test]
    public async Task A_failing_operation_in_the_middle_undoes_the_ones_before()
    {
        var transaction = new Transaction();
        transaction.Update<OpenVSwitchTable>().Set(OpenVSwitchTable.ExternalIds, OvsdbMap.Of(("a", "b")));
        transaction.Mutate([], OpenVSwitchTable.NextCfg.Divide(0));
        var last = transaction.Insert<Qos>();

        var outcome = await _client.CommitAsync(transaction, Limit());

        Assert.That(outcome.Error!.OperationIndex, Is.EqualTo(1));
        Assert.That(() => outcome.UuidOf(last), Throws.InvalidOperationException.With.Message.Contains("domain error"));
        Assert.That(() => outcome.ThrowIfFailed(), Throws.TypeOf<TransactionFailedException>().With.Message.Contains("operation 1 (mutate Open_vSwitch.next_cfg)"));
        Assert.That(_client.Replica.Current!.Rows<OpenVSwitchTable>().Single().Get(OpenVSwitchTable.ExternalIds), Is.Empty);
    }

    [Test]
    public async Task A_commit_that_breaks_an_index_names_the_insert_and_the_column()
    {
        var transaction = new Transaction();
        transaction.Comment("first");
        transaction.AddBridge("br0");

        var error = (await _client.CommitAsync(transaction, Limit())).Error!;

        TestContext.Out.WriteLine(error);
        Assert.That(error.Error, Is.EqualTo("constraint violation"));
        Assert.That(error.Operation!.Table, Is.AnyOf("Bridge", "Port", "Interface"));
        Assert.That(error.Column, Is.EqualTo("name"));
        Assert.That(error.IsTransient, Is.False);
    }

    [Test]
    public async Task Mistakes_are_found_before_sending_and_say_what_is_allowed()
    {
        await using var careful = await ConnectAsync(_server);
        var range = new Transaction();
        range.Insert<Interface>().Set(Interface.OfPortRequest, 70000);
        var choice = new Transaction();
        choice.Insert<Bridge>().Set(Bridge.FailMode, "odd");
        var column = new Transaction();
        column.Insert("Bridge").Set("nope", OvsdbValue.Of("x"));
        var table = new Transaction();
        table.Insert("Nope");
        var zero = new Transaction();
        zero.Insert<Bridge>().Set(Bridge.Name, "a\0b");

        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => careful.CommitAsync(range), Throws.ArgumentException.With.Message.Contains("Interface.ofport_request = 70000: the value is outside 1 to 65279"));
            Assert.That(() => careful.CommitAsync(choice), Throws.ArgumentException.With.Message.Contains("is not one of secure, standalone"));
            Assert.That(() => careful.CommitAsync(column), Throws.ArgumentException.With.Message.Contains("Bridge has no column \"nope\""));
            Assert.That(() => careful.CommitAsync(table), Throws.ArgumentException.With.Message.Contains("no table \"Nope\""));
            Assert.That(() => careful.CommitAsync(zero), Throws.ArgumentException.With.Message.Contains("U+0000"));
        }

        Assert.That((await careful.CommitAsync(new Transaction(), Limit())).IsSuccess, "the connection goes on");
    }

    [Test]
    public async Task A_request_that_the_server_refuses_fails_alone()
    {
        await using var connection = await OvsdbConnection.ConnectAsync(OvsdbEndpoint.Unix(_server.Socket));

        Assert.That(() => connection.GetSchemaAsync("nope"), Throws.TypeOf<OvsdbRequestException>().With.Property("Error").EqualTo("unknown database"));
        Assert.That(await connection.ListDatabasesAsync(), Does.Contain("Open_vSwitch"));
    }

    /// <summary>Our operation for the text that ovsdb-client gets.</summary>
    private static Transaction Build(JObject o)
    {
        var t = new Transaction();
        var table = (string?)o["table"] ?? "";
        switch ((string)o["op"]!)
        {
            case "insert":
                var insert = t.Insert(table);
                foreach (var p in ((JObject)o["row"]!).Properties())
                {
                    insert.Set(p.Name, Value(p.Value));
                }

                break;
            case "update":
                var update = t.Update(table);
                foreach (var p in ((JObject)o["row"]!).Properties())
                {
                    update.Set(p.Name, Value(p.Value));
                }

                break;
            case "mutate":
                t.Mutate(table, [], [.. o["mutations"]!.Select(m => new Mutation((string)m[0]!, (string)m[1]!, Value(m[2]!)))]);
                break;
            case "wait":
                t.Wait(table, [], o["columns"]!.Select(c => (string)c!), (string)o["until"]! == "==", [], TimeSpan.Zero);
                break;
            case "assert":
                t.AssertLock((string)o["lock"]!);
                break;
            default:
                t.Abort();
                break;
        }

        return t;
    }

    private static OvsdbValue Value(JToken token) => token switch
    {
        { Type: JTokenType.Integer } => OvsdbValue.Of((long)token),
        JArray map => OvsdbValue.Of(OvsdbMap.From(map[1].Select(p => KeyValuePair.Create((long)p[0]!, Guid.Parse((string)p[1]![1]!))))),
        _ => OvsdbValue.Of((string)token!),
    };
}
