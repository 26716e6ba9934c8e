using Weft.TestSupport;
using static Weft.Ovsdb.Tests.ClientFixture;

namespace Weft.Ovsdb.Tests;

/// <summary>The same client follows databases that the library has no keys for.</summary>
public sealed class NorthboundTests
{
    [Test]
    public async Task OVN_Northbound_is_followed_and_changed_without_a_line_about_it_in_the_library()
    {
        await using var server = await OvsdbServerProcess.StartAsync(["/usr/share/ovn/ovn-nb.ovsschema"]);
        await using var client = await LiveAsync(Options(server) with { Database = "OVN_Northbound", Monitor = MonitorSelection.Everything });
        var transaction = new Transaction();
        var port = transaction.Insert("Logical_Switch_Port").Set("name", OvsdbValue.Of("p0")).Set("addresses", OvsdbValue.Of((OvsdbSet<string>)["unknown"]))
            .Set("tag", OvsdbValue.Of(7));
        var network = transaction.Insert("Logical_Switch").Set("name", OvsdbValue.Of("net")).Set("ports", OvsdbValue.Of((OvsdbSet<Guid>)[port.Uuid]));
        transaction.Insert("Address_Set").Set("name", OvsdbValue.Of("as0")).Set("addresses", OvsdbValue.Of((OvsdbSet<string>)["10.0.0.2", "10.0.0.1"]));

        var outcome = (await client.CommitAsync(transaction, Limit())).ThrowIfFailed();

        var snapshot = client.Replica.Current!;
        var row = snapshot.Row("Logical_Switch", outcome.UuidOf(network))!;
        Assert.That(row["ports"].AsSet<Guid>(), Is.EqualTo((OvsdbSet<Guid>)[outcome.UuidOf(port)]));
        Assert.That(snapshot.Row("Logical_Switch_Port", outcome.UuidOf(port))!["tag"].As<long>(), Is.EqualTo(7));
        Assert.That(snapshot.Rows("Address_Set").Single()["addresses"].ToString(), Is.EqualTo("[10.0.0.1, 10.0.0.2]"));
        var oracle = await server.ClientAsync("transact", """["OVN_Northbound",{"op":"select","table":"Logical_Switch","where":[],"columns":["name","ports"]}]""");
        Assert.That(oracle, Does.Contain(outcome.UuidOf(port).ToString()));
        Assert.That(snapshot.Tables, Has.Count.EqualTo(snapshot.Schema.Tables.Count));
    }

    [Test]
    public async Task Keys_for_any_table_can_be_written_by_its_user()
    {
        await using var server = await OvsdbServerProcess.StartAsync(["/usr/share/ovn/ovn-nb.ovsschema"]);
        await using var client = await LiveAsync(Options(server) with { Database = "OVN_Northbound", Monitor = MonitorSelection.None.Add<LogicalSwitch>() });
        var transaction = new Transaction();
        transaction.Insert<LogicalSwitch>().Set(LogicalSwitch.Name, "net").Set(LogicalSwitch.OtherConfig, OvsdbMap.Of(("subnet", "10.0.0.0/24")));
        (await client.CommitAsync(transaction, Limit())).ThrowIfFailed();

        var row = client.Replica.Current!.Rows<LogicalSwitch>().Single();
        Assert.That(row.Get(LogicalSwitch.OtherConfig)["subnet"], Is.EqualTo("10.0.0.0/24"));
        Assert.That(client.Replica.Current!.Differences, Is.Empty);
    }

    [TestCase("/usr/share/ovn/ovn-sb.ovsschema", "OVN_Southbound")]
    [TestCase("/usr/share/openvswitch/local-config.ovsschema", "Local_Config")]
    public async Task Other_schemas_are_read_and_followed(string schema, string name)
    {
        await using var server = await OvsdbServerProcess.StartAsync([schema]);
        await using var client = await LiveAsync(Options(server) with { Database = name, Monitor = MonitorSelection.Everything });

        Assert.That(client.Replica.Current!.Tables.Keys, Is.EquivalentTo(DatabaseSchema.Parse(await File.ReadAllTextAsync(schema)).Tables.Keys));
    }

    private sealed class LogicalSwitch : Table<LogicalSwitch>, ITable
    {
        public static readonly Column<LogicalSwitch, string> Name = Text("name");
        public static readonly Column<LogicalSwitch, OvsdbMap<string, string>> OtherConfig = TextMap("other_config");
        public static readonly Column<LogicalSwitch, OvsdbSet<Guid>> Ports = References("ports");

        public static string TableName => "Logical_Switch";

        public static IReadOnlyList<Column> Columns { get; } = [Name, OtherConfig, Ports];
    }
}
