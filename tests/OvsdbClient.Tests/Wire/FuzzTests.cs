using System.Diagnostics;
using System.Text;
using Newtonsoft.Json.Linq;
using Weft.Ovsdb.OpenVSwitch;

namespace Weft.Ovsdb.Tests.Wire;

/// <summary>Damaged messages into the real reading path: a clear error or a right message, never another exception, a hang or half an update.</summary>
public sealed class FuzzTests
{
    private static readonly string[] Seeds =
    [
        """{"id":null,"method":"update3","params":["main","11111111-1111-1111-1111-111111111111",{"Bridge":{"00000000-0000-0000-0000-000000000001":{"modify":{"name":"x","external_ids":["map",[["a","2"],["c","3"]]]}},"00000000-0000-0000-0000-000000000003":{"insert":{"name":"new","ports":["set",[["uuid","00000000-0000-0000-0000-000000000009"]]]}}}}]}""",
        """{"id":null,"method":"update2","params":["main",{"Bridge":{"00000000-0000-0000-0000-000000000002":{"delete":null}},"Interface":{"00000000-0000-0000-0000-000000000004":{"initial":{"name":"i","ofport":["set",[]],"mtu":1500}}}}]}""",
        """{"id":null,"method":"update","params":["main",{"Bridge":{"00000000-0000-0000-0000-000000000001":{"old":{"name":"a"},"new":{"name":"b","fail_mode":"secure","flood_vlans":["set",[1,2,3]]}}}}]}""",
        """{"id":1,"result":[false,"11111111-1111-1111-1111-111111111111",{"Bridge":{"00000000-0000-0000-0000-000000000005":{"initial":{"name":"z"}}}}],"error":null}""",
        """{"id":1,"result":[true,"11111111-1111-1111-1111-111111111111",{}],"error":null}""",
        """{"id":2,"result":[{"uuid":["uuid","00000000-0000-0000-0000-000000000007"]},{"count":1},{"rows":[{"_uuid":["uuid","00000000-0000-0000-0000-000000000007"],"name":"q"}]}],"error":null}""",
        """{"id":2,"result":[{"error":"constraint violation","details":"column \"name\" is wrong"},null,null],"error":null}""",
        """{"id":3,"result":["a","b"],"error":null}""",
        """{"id":3,"result":null,"error":{"error":"unknown database","details":"no"}}""",
        """{"id":"echo","method":"echo","params":["hello",{"a":[1,2,3.5e3,true,null]}]}""",
        """{"id":null,"method":"locked","params":["job"]}""",
        """{"id":null,"method":"monitor_canceled","params":["main"]}""",
        """{"params":["main",{"Bridge":{}}],"method":"update2","id":null}""",
        """{"id":3,"result":{"name":"D","version":"1.0","tables":{"T":{"isRoot":true,"maxRows":7,"indexes":[["a","b"]],"columns":{"a":{"type":{"key":{"type":"integer","minInteger":0,"maxInteger":9,"enum":["set",[1,2]]},"value":{"type":"uuid","refTable":"T","refType":"weak"},"min":0,"max":"unlimited"}},"b":{"type":"real","mutable":false,"ephemeral":true}}}}},"error":null}""",
    ];

    [Test]
    public void A_million_damaged_messages_give_clear_errors_and_whole_updates_only()
    {
        var count = Environment.GetEnvironmentVariable("WEFT_TEST_FULL") == "1" ? 5_000_000 : 1_000_000;
        var random = new Random(20260101);
        var target = new Target();
        var (accepted, refused) = (0, 0);
        var slowest = TimeSpan.Zero;
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < count; i++)
        {
            if (i % 64 == 0)
            {
                // A reconnect: start again from a known snapshot.
                target.Reset();
            }

            var message = Damage(random, Seeds[random.Next(Seeds.Length)]);
            var before = target.Replica.Current!;
            var start = clock.Elapsed;
            try
            {
                using var stream = new MemoryStream(message);
                var reader = new MessageReader(new OvsdbJsonReader(new Utf8StreamText(stream), target.Strings), target);
                while (reader.ReadOne())
                {
                    before = target.Replica.Current!;
                }

                accepted++;
            }
            catch (OvsdbException e)
            {
                refused++;
                Assert.That(e.Message, Is.Not.Empty);
                Assert.That(target.Replica.Current, Is.SameAs(before), "nothing of the damaged message was applied");
            }
            catch (Exception e)
            {
                Assert.Fail($"{e.GetType().Name} for {Encoding.Latin1.GetString(message)}: {e}");
            }

            slowest = clock.Elapsed - start > slowest ? clock.Elapsed - start : slowest;
        }

        TestContext.Out.WriteLine($"{count} messages in {clock.Elapsed.TotalSeconds:0.0} s: {accepted} accepted, {refused} refused, slowest {slowest.TotalMilliseconds:0.0} ms");
        Assert.That(accepted, Is.GreaterThan(count / 100));
        Assert.That(refused, Is.GreaterThan(count / 100));
        Assert.That(slowest, Is.LessThan(TimeSpan.FromSeconds(2)));
    }

    private static byte[] Damage(Random random, string seed)
    {
        var bytes = new List<byte>(Encoding.UTF8.GetBytes(seed));
        for (var n = random.Next(4); n >= 0 && bytes.Count > 1; n--)
        {
            var at = random.Next(bytes.Count);
            var length = Math.Min(random.Next(1, 24), bytes.Count - at);
            switch (random.Next(9))
            {
                case 0: bytes[at] = (byte)random.Next(256); break;
                case 1: bytes.RemoveRange(at, length); break;
                case 2: bytes.InsertRange(at, bytes.GetRange(at, length)); break;
                case 3: bytes.RemoveRange(at, bytes.Count - at); break;
                case 4: bytes[at] = (byte)"{}[]\",:0123456789-.eEtfn\\u"[random.Next(26)]; break;
                case 5: bytes.InsertRange(at, Encoding.UTF8.GetBytes(Pieces[random.Next(Pieces.Length)])); break;
                case 6: (bytes[at], bytes[random.Next(bytes.Count)]) = (bytes[random.Next(bytes.Count)], bytes[at]); break;
                case 7: ReplaceNumber(random, bytes); break;
                default: break;
            }
        }

        return [.. bytes];
    }

    private static readonly string[] Pieces =
    [
        "null", "true", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "\"\"", "99999999999999999999", "-0", "1e999", "[\"set\",[]]", "[\"map\",[]]",
        "[\"uuid\",\"x\"]", "{\"modify\":{}}", "\\ud800", "/*", "//", "NaN", "Infinity", "undefined", "new Date(1)", "'", "\u0000",
    ];

    private static void ReplaceNumber(Random random, List<byte> bytes)
    {
        var digit = bytes.FindIndex(random.Next(bytes.Count), b => b is >= (byte)'0' and <= (byte)'9');
        if (digit >= 0)
        {
            bytes[digit] = (byte)('0' + random.Next(10));
        }
    }

    /// <summary>The library's own parts behind a reader, without a socket.</summary>
    private sealed class Target : MessageReader.ITarget
    {
        private static readonly DatabaseSchema Schema = DatabaseSchema.Parse(File.ReadAllText(TestSupport.OvsdbServerProcess.OpenVSwitchSchema));
        private static readonly MonitorPlan Plan = MonitorPlan.Make(Schema, MonitorSelection.None.Add<Bridge>().Add<Interface>());
        private static readonly Transaction Operations = MakeOperations();

        public DatabaseReplica Replica { get; private set; } = null!;

        public StringPool Strings { get; } = new();

        public void Reset()
        {
            Replica = new DatabaseReplica([Bridge.Name.Index(), Bridge.Ports.MemberIndex()]);
            const string contents = """{"Bridge":{"00000000-0000-0000-0000-000000000001":{"initial":{"name":"a","external_ids":["map",[["a","1"]]]}},"00000000-0000-0000-0000-000000000002":{"initial":{"name":"b"}}}}""";
            var reader = new OvsdbJsonReader(new StringReader(contents), Strings);
            reader.NextMessage();
            var updates = new UpdateReader(Plan, null);
            updates.ReadUpdates2(reader);
            Replica.Replace(Plan, updates.Changes, Guid.Empty);
        }

        public PendingCall? Take(long id) => id switch
        {
            1 => new PendingCall<bool>("monitor_cond_since", ReadMonitor),
            2 => new PendingCall<TransactionOutcome>("transact", r => OutcomeReader.Read(r, Operations.Operations, Schema)),
            3 => new PendingCall<DatabaseSchema>("get_schema", SchemaReader.Read),
            _ => null,
        };

        public void Answer(string method, JToken id, JToken parameters)
        {
        }

        public Action? Read(string method, OvsdbJsonReader reader)
        {
            if (method is not ("update" or "update2" or "update3"))
            {
                reader.Skip();
                return null;
            }

            reader.Expect(Newtonsoft.Json.JsonToken.StartArray, "parameters");
            reader.Next();
            reader.Text("a monitor's id");
            reader.Next();
            var updates = new UpdateReader(Plan, Replica.Current);
            if (method == "update3")
            {
                reader.Uuid();
                reader.Next();
            }

            if (method == "update")
            {
                updates.ReadUpdates(reader);
            }
            else
            {
                updates.ReadUpdates2(reader);
            }

            reader.NextExpect(Newtonsoft.Json.JsonToken.EndArray, "the end");
            return () => Replica.Apply(Plan, updates.Changes, Guid.Empty);
        }

        private static Transaction MakeOperations()
        {
            var transaction = new Transaction();
            transaction.Insert<Bridge>();
            transaction.Update<Bridge>();
            transaction.Select<Bridge>([]);
            return transaction;
        }

        private static bool ReadMonitor(OvsdbJsonReader reader)
        {
            reader.Expect(Newtonsoft.Json.JsonToken.StartArray, "a reply");
            reader.Next();
            var found = reader.Flag("found");
            reader.Next();
            reader.Uuid();
            reader.Next();
            new UpdateReader(Plan, null).ReadUpdates2(reader);
            reader.NextExpect(Newtonsoft.Json.JsonToken.EndArray, "the end");
            return found;
        }
    }
}
