using Newtonsoft.Json;

namespace Weft.Ovsdb;

/// <summary>Reads the three forms of table updates into whole rows, against the rows that are there. Applies nothing.</summary>
internal sealed class UpdateReader(MonitorPlan plan, DatabaseSnapshot? present)
{
    /// <summary>The changes read so far.</summary>
    public Dictionary<TableLayout, List<(Guid Uuid, Row? Old, Row? New)>> Changes { get; } = [];

    /// <summary>Reads <c>&lt;table-updates2&gt;</c> (ovsdb-server(7) 4.1.14).</summary>
    public void ReadUpdates2(OvsdbJsonReader reader) => ReadTables(reader, ReadRow2);

    /// <summary>Reads <c>&lt;table-updates&gt;</c> (RFC 7047 section 4.1.6).</summary>
    public void ReadUpdates(OvsdbJsonReader reader) => ReadTables(reader, ReadRow1);

    private void ReadTables(OvsdbJsonReader reader, Func<OvsdbJsonReader, TableLayout, Guid, Row?, Row?> readRow)
    {
        reader.Expect(JsonToken.StartObject, "updates of tables");
        while (reader.NextMember(out var name))
        {
            if (!plan.Layouts.TryGetValue(name, out var layout))
            {
                throw reader.Wrong($"an update of the table \"{name}\", which is not followed");
            }

            var rows = present is not null && present.Tables.TryGetValue(name, out var table) ? table.Rows : null;
            var list = Changes.TryGetValue(layout, out var earlier) ? earlier : Changes[layout] = [];
            reader.Expect(JsonToken.StartObject, "updates of rows");
            while (reader.NextMember(out var text))
            {
                var uuid = Guid.TryParseExact(text, "D", out var id) ? id : throw reader.Wrong($"\"{text}\" where a row's uuid belongs");
                var old = rows?.GetValueOrDefault(uuid);
                var row = readRow(reader, layout, uuid, old);
                if (old is not null || row is not null)
                {
                    list.Add((uuid, old, row));
                }
            }

            if (list.Count == 0)
            {
                Changes.Remove(layout);
            }
        }
    }

    private static Row? ReadRow2(OvsdbJsonReader reader, TableLayout layout, Guid uuid, Row? old)
    {
        Row? result = null;
        reader.Expect(JsonToken.StartObject, "a row's update");
        while (reader.NextMember(out var kind))
        {
            switch (kind)
            {
                case "initial" or "insert":
                    var values = (object?[])layout.Defaults.Clone();
                    RowReader.Read(reader, layout, values);
                    result = new Row(uuid, layout, values);
                    break;
                case "modify":
                    result = RowReader.ReadDifference(reader, layout, old ?? throw reader.Wrong($"a change of the row {uuid}, which is not there"));
                    break;
                case "delete":
                    reader.Skip();
                    break;
                default:
                    throw reader.Wrong($"\"{kind}\" where initial, insert, modify or delete belongs");
            }
        }

        return result;
    }

    private static Row? ReadRow1(OvsdbJsonReader reader, TableLayout layout, Guid uuid, Row? _)
    {
        Row? result = null;
        reader.Expect(JsonToken.StartObject, "a row's update");
        while (reader.NextMember(out var part))
        {
            if (part == "new" && reader.Token != JsonToken.Null)
            {
                // "new" holds every monitored column, whatever "old" says.
                var values = (object?[])layout.Defaults.Clone();
                RowReader.Read(reader, layout, values);
                result = new Row(uuid, layout, values);
            }
            else
            {
                reader.Skip();
            }
        }

        return result;
    }
}
