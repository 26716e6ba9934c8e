using System.Net;
using System.Net.Sockets;
using Weft.Ovsdb.OpenVSwitch;
using Weft.TestSupport;
using static Weft.Ovsdb.Tests.ClientFixture;

namespace Weft.Ovsdb.Tests.Session;

/// <summary>How connections begin, are watched, and end.</summary>
public sealed class ConnectionTests
{
    [Test]
    public async Task Every_state_is_passed_in_order_and_a_lost_server_leads_back_to_live()
    {
        await using var server = await OvsdbServerProcess.StartAsync();
        var states = new List<SessionState>();
        await using var client = await LiveAsync(Options(server) with { OnTransition = t => { lock (states) { states.Add(t.To); } } });
        Assert.That(states, Is.EqualTo(new[] { SessionState.Connecting, SessionState.Handshaking, SessionState.Resyncing, SessionState.Live }));

        await server.StopAsync();
        await Eventually.True("the loss is seen", () => client.State == SessionState.Backoff || client.LastFailure is not null);
        Assert.That(() => client.CommitAsync(new Transaction()), Throws.TypeOf<OvsdbConnectionException>()
            .With.Property("MayHaveBeenApplied").False.And.Property("IsTransient").True.And.Message.Contains("not connected to unix:"));
        await server.StartAsync();
        await client.WaitUntilLiveAsync(Limit());

        Assert.That(client.SessionCount, Is.EqualTo(2));
    }

    [Test]
    public async Task A_client_may_start_before_its_server()
    {
        using var folder = new TemporaryFolder();
        await using var client = OvsdbClient.Start(new OvsdbClientOptions { Endpoints = [OvsdbEndpoint.Unix(folder.File("late.sock"))] });
        using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));

        Assert.That(() => client.WaitUntilLiveAsync(soon.Token), Throws.InstanceOf<OperationCanceledException>().With.Message.Contains("late.sock"));
    }

    [Test]
    public async Task A_database_that_is_missing_is_named_with_those_that_are_there()
    {
        await using var server = await OvsdbServerProcess.StartAsync();
        await using var client = OvsdbClient.Start(Options(server) with { Database = "OVN_Northbound", Monitor = MonitorSelection.Everything });

        await Eventually.True("the failure is known", () => client.LastFailure is not null);

        Assert.That(client.LastFailure!.Message, Does.Contain("no database \"OVN_Northbound\"; it has").And.Contain("Open_vSwitch"));
    }

    [Test]
    public async Task A_server_that_stops_answering_is_noticed_by_probes_and_used_again_when_it_wakes()
    {
        await using var server = await OvsdbServerProcess.StartAsync();
        await using var client = await LiveAsync(Options(server) with
        {
            Connection = new OvsdbConnectionOptions { ProbeInterval = TimeSpan.FromMilliseconds(200), ConnectTimeout = TimeSpan.FromSeconds(2) },
        });
        await server.Process.SignalAsync("STOP");
        var commit = client.CommitAsync(new Transaction(), Limit());

        Assert.That(async () => await commit, Throws.TypeOf<OvsdbConnectionException>()
            .With.Property("MayHaveBeenApplied").True.And.Message.Contains("no answer for"));
        await server.Process.SignalAsync("CONT");
        await client.WaitUntilLiveAsync(Limit());
    }

    [Test]
    public async Task An_idle_connection_is_kept_by_probes_of_both_sides()
    {
        await using var server = await OvsdbServerProcess.StartAsync();
        await using var client = await LiveAsync(Options(server) with
        {
            // A busy machine answers late; a probe that is not answered before the next one is due ends the session.
            Connection = new OvsdbConnectionOptions { ProbeInterval = TimeSpan.FromSeconds(1) },
        });
        var before = client.BytesReceived;

        await Eventually.True("several probes are answered", () => client.BytesReceived > before + 80, TimeSpan.FromSeconds(20));

        Assert.That(client.SessionCount, Is.EqualTo(1));
    }

    [Test]
    public async Task A_server_that_stops_reading_holds_senders_back_and_then_ends_them_with_a_reason()
    {
        await using var server = await OvsdbServerProcess.StartAsync();
        await server.VsctlAsync(false, "init");
        await using var client = await LiveAsync(Options(server) with
        {
            Connection = new OvsdbConnectionOptions { ProbeInterval = TimeSpan.FromMilliseconds(500), MaxPendingBytes = 64 * 1024 },
        });
        await server.Process.SignalAsync("STOP");
        try
        {
            var sent = 0;
            var commits = Enumerable.Range(0, 200).Select(async _ =>
            {
                var transaction = new Transaction();
                transaction.Comment(new string('x', 32 * 1024));
                Interlocked.Increment(ref sent);
                await client.CommitAsync(transaction, Limit());
            }).ToArray();

            Assert.That(async () => await Task.WhenAll(commits), Throws.TypeOf<OvsdbConnectionException>());
            Assert.That(commits.All(c => c.IsFaulted), "every sender ends");
        }
        finally
        {
            await server.Process.SignalAsync("CONT");
        }
    }

    [Test]
    public async Task Tcp_works_and_a_closed_port_is_named()
    {
        await using var server = await OvsdbServerProcess.StartAsync(extraArguments: ["--remote=ptcp:0:127.0.0.1"]);
        var port = await PortAsync(server);
        await using var client = await LiveAsync(Options(server) with { Endpoints = [OvsdbEndpoint.Parse($"tcp:127.0.0.1:{port}")] });
        Assert.That(client.LiveEndpoint!.Port, Is.EqualTo(port));
        await server.StopAsync();

        await Eventually.True("refused connections are reported", () => client.LastFailure!.Message.Contains($"tcp:127.0.0.1:{port}", StringComparison.Ordinal));
    }

    [Test]
    public async Task A_failing_endpoint_is_passed_over_at_once()
    {
        await using var server = await OvsdbServerProcess.StartAsync();
        using var folder = new TemporaryFolder();
        var failures = new List<string>();
        await using var client = await LiveAsync(Options(server) with
        {
            Endpoints = [OvsdbEndpoint.Unix(folder.File("nobody")), OvsdbEndpoint.Parse("tcp:127.0.0.1:1"), OvsdbEndpoint.Unix(server.Socket)],
            Reconnect = new ReconnectPolicy { Minimum = TimeSpan.FromMinutes(5), Maximum = TimeSpan.FromMinutes(5) },
            OnTransition = t => { if (t.Reason is not null) { failures.Add(t.Reason); } },
        });

        Assert.That(failures, Has.Count.EqualTo(2));
        Assert.That(client.LiveEndpoint!.Address, Is.EqualTo(server.Socket));
    }

    [TestCase(false)]
    [TestCase(true)]
    public async Task A_passive_client_is_called_by_the_server(bool unix)
    {
        using var folder = new TemporaryFolder();
        var port = FreePort();
        var endpoint = OvsdbEndpoint.Parse(unix ? $"punix:{folder.File("in.sock")}" : $"ptcp:{port}:127.0.0.1");
        await using var client = OvsdbClient.Start(new OvsdbClientOptions { Endpoints = [endpoint], Monitor = WholeSwitch });
        await Eventually.True("it listens", () => client.State == SessionState.Connecting);
        await using var server = await OvsdbServerProcess.StartAsync(
            extraArguments: [$"--remote={(unix ? $"unix:{folder.File("in.sock")}" : $"tcp:127.0.0.1:{port}")}"]);
        await client.WaitUntilLiveAsync(Limit());
        await server.VsctlAsync(false, "add-br", "br0");
        await client.Replica.WaitForAsync(s => s.Rows<Bridge>().Any(), Limit());

        await server.StopAsync();
        await Eventually.True("the loss is seen", () => client.State != SessionState.Live);
        await server.StartAsync();
        await Eventually.True("the server called again", () => client.SessionCount == 2, TimeSpan.FromSeconds(20));
    }

    [Test]
    public async Task A_schema_that_is_converted_while_connected_leads_to_a_copy_by_the_new_schema()
    {
        using var folder = new TemporaryFolder();
        var text = await File.ReadAllTextAsync(OvsdbServerProcess.OpenVSwitchSchema);
        var newer = folder.File("newer.ovsschema");
        await File.WriteAllTextAsync(newer, text.Replace("\"version\": \"8.3.1\"", "\"version\": \"8.99.0\"", StringComparison.Ordinal)
            .Replace("\"fail_mode\": {", "\"not_yet\": {\"type\": \"string\"}, \"fail_mode\": {", StringComparison.Ordinal));
        await using var server = await OvsdbServerProcess.StartAsync();
        await server.VsctlAsync(false, "add-br", "br0");
        await using var client = await ConnectAsync(server, MonitorSelection.Everything);
        Assert.That(client.Replica.Current!.Schema.Version, Is.EqualTo("8.3.1"));

        await server.ClientAsync("convert", newer);

        var snapshot = await client.Replica.WaitForAsync(s => s.Schema.Version == "8.99.0", Limit());
        await client.WaitUntilLiveAsync(Limit());
        Assert.That(snapshot.Rows("Bridge").Single()["not_yet"].As<string>(), Is.Empty);
        Assert.That(snapshot.Rows("Bridge").Single()["name"].As<string>(), Is.EqualTo("br0"));
    }

    [Test]
    public async Task Locks_are_queued_stolen_and_asked_for_again_after_a_reconnect()
    {
        await using var server = await OvsdbServerProcess.StartAsync();
        await using var first = await ConnectAsync(server);
        await using var second = await ConnectAsync(server);
        var mine = await first.LockAsync("job", Limit());
        Assert.That(mine.IsOwned);
        var theirs = await second.LockAsync("job", Limit());
        Assert.That(theirs.IsOwned, Is.False);
        Assert.That(() => first.LockAsync("job"), Throws.InvalidOperationException);

        Assert.That(await AssertAsync(first), Is.Null);
        Assert.That(await AssertAsync(second), Is.EqualTo("not owner"));

        await theirs.StealAsync(Limit());
        await mine.WaitAsync(owned: false, Limit());
        Assert.That(theirs.IsOwned);
        await theirs.DisposeAsync();
        await mine.WaitAsync(owned: true, Limit());

        await server.StopAsync();
        await mine.WaitAsync(owned: false, Limit());
        await server.StartAsync();
        await mine.WaitAsync(owned: true, Limit());
        Assert.That(await AssertAsync(first), Is.Null);
    }

    [Test]
    public async Task A_cancelled_wait_is_withdrawn_at_the_server()
    {
        await using var server = await OvsdbServerProcess.StartAsync();
        await server.VsctlAsync(false, "init");
        await using var client = await ConnectAsync(server);
        var held = new Transaction();
        held.Wait("Bridge", [], ["name"], equal: true, [new Dictionary<string, OvsdbValue> { ["name"] = OvsdbValue.Of("br0") }]);
        held.Update<OpenVSwitchTable>().Set(OpenVSwitchTable.ExternalIds, OvsdbMap.Of(("held", "1")));
        using var soon = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        Assert.That(async () => await client.CommitAsync(held, soon.Token), Throws.InstanceOf<OperationCanceledException>());

        await server.VsctlAsync(false, "add-br", "br0");

        var snapshot = await client.Replica.WaitForAsync(s => s.Rows<Bridge>().Any(), Limit());
        Assert.That((await client.CommitAsync(new Transaction(), Limit())).IsSuccess, "the late reply is ignored");
        Assert.That(client.Replica.Current!.Rows<OpenVSwitchTable>().Single().Get(OpenVSwitchTable.ExternalIds), Is.Empty);
        Assert.That(client.SessionCount, Is.EqualTo(1));
        Assert.That(snapshot.Rows<Bridge>().Single().Get(Bridge.Name), Is.EqualTo("br0"));
    }

    [Test]
    public async Task A_lost_reply_does_not_repeat_a_commit()
    {
        await using var server = await OvsdbServerProcess.StartAsync();
        await server.VsctlAsync(false, "init");
        await using var relay = new UnixRelay(server.Socket);
        await using var client = await LiveAsync(Options(server) with { Endpoints = [OvsdbEndpoint.Unix(relay.Socket)] });
        var row = client.Replica.Current!.Rows<OpenVSwitchTable>().Single().Uuid;
        var cuts = 3;
        relay.OnPiece = (sent, bytes) => sent && System.Text.Encoding.UTF8.GetString(bytes.Span).Contains("next_cfg\",\"+=", StringComparison.Ordinal) && cuts-- > 0
            ? RelayedPiece.PassedAndCut
            : RelayedPiece.Passed;
        var transaction = new Transaction();
        transaction.Mutate<OpenVSwitchTable>(row, OpenVSwitchTable.NextCfg.Add(1));

        var outcome = await client.CommitOnceAsync(transaction, new CommitWitness<OpenVSwitchTable>(row, OpenVSwitchTable.ExternalIds, "me"), Limit());

        Assert.That(outcome.IsSuccess);
        Assert.That(outcome.WasCommittedEarlier);
        Assert.That(cuts, Is.LessThan(3), "a reply was cut off");
        Assert.That((await server.VsctlAsync(false, "get", "open_vswitch", ".", "next_cfg")).Trim(), Is.EqualTo("1"));
    }

    [Test]
    public async Task A_witness_that_is_not_there_commits_nothing()
    {
        await using var server = await OvsdbServerProcess.StartAsync();
        await server.VsctlAsync(false, "init");
        await using var client = await ConnectAsync(server);
        var transaction = new Transaction();
        transaction.Mutate([], OpenVSwitchTable.NextCfg.Add(1));

        var outcome = await client.CommitOnceAsync(transaction, new CommitWitness<OpenVSwitchTable>(Guid.NewGuid(), OpenVSwitchTable.ExternalIds, "me"), Limit());

        Assert.That(outcome.Error!.IsConflict);
        Assert.That((await server.VsctlAsync(false, "get", "open_vswitch", ".", "next_cfg")).Trim(), Is.EqualTo("0"));
    }

    [Test]
    public async Task Read_decide_write_is_repeated_until_its_check_holds()
    {
        await using var server = await OvsdbServerProcess.StartAsync();
        await server.VsctlAsync(false, "init");
        var clients = new[] { await ConnectAsync(server), await ConnectAsync(server), await ConnectAsync(server) };
        await Task.WhenAll(clients.Select(async client =>
        {
            for (var i = 0; i < 20; i++)
            {
                var outcome = await client.CommitRetryingAsync(
                    s =>
                    {
                        var root = s.Rows<OpenVSwitchTable>().Single();
                        var transaction = new Transaction();
                        transaction.RequireUnchanged(root.Untyped, OpenVSwitchTable.NextCfg);
                        transaction.Update<OpenVSwitchTable>(root.Uuid).Set(OpenVSwitchTable.NextCfg, root.Get(OpenVSwitchTable.NextCfg) + 1);
                        return transaction;
                    },
                    Limit());
                Assert.That(outcome!.IsSuccess, outcome.ToString());
            }

            Assert.That(await client.CommitRetryingAsync(_ => null, Limit()), Is.Null);
            await client.DisposeAsync();
        }));

        Assert.That((await server.VsctlAsync(false, "get", "open_vswitch", ".", "next_cfg")).Trim(), Is.EqualTo("60"));
    }

    [Test]
    public async Task Plain_requests_answer_as_ovsdb_client_does()
    {
        await using var server = await OvsdbServerProcess.StartAsync();
        await using var connection = await OvsdbConnection.ConnectAsync(OvsdbEndpoint.Unix(server.Socket));

        var names = (await server.ClientAsync("list-dbs")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.That(await connection.ListDatabasesAsync(), Is.SupersetOf(names));
        var schema = await connection.GetSchemaAsync("Open_vSwitch");
        Assert.That(schema.Version, Is.EqualTo((await server.ClientAsync("get-schema-version", "Open_vSwitch")).Trim()));
        var identity = await connection.GetServerIdAsync();
        Assert.That(await connection.GetServerIdAsync(), Is.EqualTo(identity));
        await connection.EchoAsync();
        await connection.SetDatabaseChangeAwareAsync(true);
        Assert.That(await connection.LockAsync("x"));
        await connection.UnlockAsync("x");
        Assert.That(await connection.StealAsync("x"));
        await connection.DisposeAsync();
        Assert.That(() => connection.EchoAsync(), Throws.TypeOf<OvsdbConnectionException>().With.Message.Contains("closed by this side"));
    }

    private static async Task<string?> AssertAsync(OvsdbClient client)
    {
        var transaction = new Transaction();
        transaction.AssertLock("job");
        return (await client.CommitAsync(transaction, Limit())).Error?.Error;
    }

    private static async Task<int> PortAsync(OvsdbServerProcess server)
    {
        var port = "";
        await Eventually.True("the server says its port", async () =>
        {
            var log = await File.ReadAllTextAsync(Path.Combine(server.Folder, "ovsdb-server.log"));
            var match = System.Text.RegularExpressions.Regex.Match(log, @"listening on port (\d+)");
            port = match.Groups[1].Value;
            return match.Success;
        });
        return int.Parse(port, System.Globalization.CultureInfo.InvariantCulture);
    }

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
