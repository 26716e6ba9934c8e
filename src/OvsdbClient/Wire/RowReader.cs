using Newtonsoft.Json;

namespace Weft.Ovsdb;

/// <summary>Reads <c>&lt;row&gt;</c> (RFC 7047 section 5.1) into the places of a layout.</summary>
internal static class RowReader
{
    /// <summary>Reads a row's columns into <paramref name="values"/> and returns its <c>_uuid</c>, or the zero uuid without one.</summary>
    public static Guid Read(OvsdbJsonReader reader, TableLayout layout, object?[] values)
    {
        var uuid = Guid.Empty;
        reader.Expect(JsonToken.StartObject, "a row");
        while (reader.NextMember(out var column))
        {
            var index = layout.Find(column);
            if (index >= 0)
            {
                values[index] = layout.Shapes[index].Codec.Read(reader);
            }
            else if (column == "_uuid")
            {
                uuid = reader.TypedAtom<Guid>();
            }
            else
            {
                reader.Skip();
            }
        }

        return uuid;
    }

    /// <summary>Reads the differences of update2 and applies them to a copy of <paramref name="old"/>.</summary>
    public static Row ReadDifference(OvsdbJsonReader reader, TableLayout layout, Row old)
    {
        var values = old.CopyValues();
        reader.Expect(JsonToken.StartObject, "a row");
        while (reader.NextMember(out var column))
        {
            var index = layout.Find(column);
            if (index < 0)
            {
                reader.Skip();
                continue;
            }

            var shape = layout.Shapes[index];
            var difference = shape.Codec.Read(reader);
            values[index] = shape.ReplacesWhole ? difference : shape.Codec.Apply(values[index], difference);
        }

        return new Row(old.Uuid, layout, values);
    }
}
