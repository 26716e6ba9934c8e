using Weft.Ovsdb.OpenVSwitch;
using Weft.TestSupport;

namespace Weft.Ovsdb.Tests.Schema;

/// <summary>The typed keys against the schema that Debian ships, and schemas that are none.</summary>
public sealed class TypedTableTests
{
    private static readonly MonitorSelection All = MonitorSelection.None
        .Add<OpenVSwitchTable>().Add<Bridge>().Add<Port>().Add<Interface>().Add<FlowTable>().Add<Qos>().Add<Queue>().Add<Controller>()
        .Add<Manager>().Add<Ssl>().Add<Mirror>().Add<ConntrackZone>().Add<ConntrackTimeoutPolicy>().Add<Datapath>();

    [Test]
    public void Every_key_has_the_name_and_type_of_the_shipped_schema()
    {
        var schema = DatabaseSchema.Parse(File.ReadAllText(OvsdbServerProcess.OpenVSwitchSchema));

        Assert.That(MonitorPlan.Make(schema, All).Differences, Is.Empty);
        foreach (var table in All.Tables.Values)
        {
            foreach (var key in table.Keys)
            {
                Assert.That(key.Shape with { ReplacesWhole = schema.Tables[table.Table].Columns[key.Name].Type.Shape.ReplacesWhole },
                    Is.EqualTo(schema.Tables[table.Table].Columns[key.Name].Type.Shape), key.ToString());
            }
        }
    }

    [Test]
    public void Constraints_of_the_schema_are_read()
    {
        var bridge = DatabaseSchema.Parse(File.ReadAllText(OvsdbServerProcess.OpenVSwitchSchema)).Tables["Bridge"];

        using (Assert.EnterMultipleScope())
        {
            Assert.That(bridge.IsRoot, Is.False);
            Assert.That(bridge.Indexes.Single(), Is.EqualTo(new[] { "name" }));
            Assert.That(bridge.Columns["name"].IsMutable, Is.False);
            Assert.That(bridge.Columns["datapath_id"].IsEphemeral);
            Assert.That(bridge.Columns["fail_mode"].Type.Key.Enum.Select(v => v.As<string>()), Is.EqualTo(new[] { "secure", "standalone" }));
            Assert.That(bridge.Columns["flood_vlans"].Type, Has.Property("Max").EqualTo(4096).And.Property("Min").EqualTo(0));
            Assert.That(bridge.Columns["flow_tables"].Type.Value!.RefTable, Is.EqualTo("Flow_Table"));
            Assert.That(bridge.Columns["flow_tables"].Type.Key.MaxInteger, Is.EqualTo(254));
            Assert.That(bridge.Columns["ports"].Type.Max, Is.EqualTo(ColumnType.Unlimited));
        }
    }

    [TestCase("", "a schema is a JSON object")]
    [TestCase("[]", "a schema is a JSON object")]
    [TestCase("{", "the stream ended")]
    [TestCase("""{"name":7}""", "\"7\" where the schema's name belongs")]
    [TestCase("""{"version":"1"}""", "has no \"name\"")]
    [TestCase("""{"name":"x","tables":{"T":{"columns":{"c":{}}}}}""", "the column \"c\" without \"type\"")]
    [TestCase("""{"name":"x","tables":{"T":{"columns":{"c":{"type":"odd"}}}}}""", "the type \"odd\" of column \"c\" is unknown")]
    [TestCase("""{"name":"x","tables":{"T":{"columns":{"c":{"type":{"min":0}}}}}}""", "column \"c\" has no \"key\"")]
    [TestCase("""{"name":"x","tables":{"T":{"columns":{"c":{"type":{"key":"string","max":"many"}}}}}}""", "\"max\" of column \"c\"")]
    [TestCase("""{"name":"x","tables":{"T":{"columns":{"c":{"type":{"key":{"type":"integer","enum":"a"}}}}}}}""", "\"enum\" of column \"c\"")]
    public void A_schema_that_is_none_says_where(string text, string expected) =>
        Assert.That(() => DatabaseSchema.Parse(text), Throws.TypeOf<OvsdbProtocolException>().With.Message.Contains(expected));
}
