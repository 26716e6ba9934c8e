using System.Collections.Frozen;
using System.Collections.Immutable;
using Newtonsoft.Json;
using Newtonsoft.Json.Linq;

namespace Weft.Ovsdb;

/// <summary>Reads <c>&lt;database-schema&gt;</c> (RFC 7047 section 3.2). Unknown members are ignored: newer servers add some.</summary>
internal static class SchemaReader
{
    public static DatabaseSchema Read(OvsdbJsonReader reader)
    {
        reader.Expect(JsonToken.StartObject, "a schema");
        var name = "";
        var version = "";
        var tables = new Dictionary<string, TableSchema>(StringComparer.Ordinal);
        while (reader.NextMember(out var member))
        {
            switch (member)
            {
                case "name": name = reader.Text("the schema's name"); break;
                case "version": version = reader.Text("the schema's version"); break;
                case "tables":
                    reader.Expect(JsonToken.StartObject, "the schema's tables");
                    while (reader.NextMember(out var table))
                    {
                        tables[table] = ReadTable(reader, table);
                    }

                    break;
                default: reader.Skip(); break;
            }
        }

        return name.Length == 0
            ? throw new OvsdbProtocolException("the schema has no \"name\"")
            : new DatabaseSchema(name, version, tables.ToFrozenDictionary(StringComparer.Ordinal));
    }

    private static TableSchema ReadTable(OvsdbJsonReader reader, string name)
    {
        reader.Expect(JsonToken.StartObject, "a table's schema");
        var columns = new Dictionary<string, ColumnSchema>(StringComparer.Ordinal);
        var isRoot = false;
        var maxRows = long.MaxValue;
        ImmutableArray<ImmutableArray<string>> indexes = [];
        while (reader.NextMember(out var member))
        {
            switch (member)
            {
                case "isRoot": isRoot = reader.Flag("isRoot"); break;
                case "maxRows": maxRows = reader.Number("maxRows"); break;
                case "indexes": indexes = ReadIndexes(reader); break;
                case "columns":
                    reader.Expect(JsonToken.StartObject, "a table's columns");
                    while (reader.NextMember(out var column))
                    {
                        columns[column] = ReadColumn(reader, column);
                    }

                    break;
                default: reader.Skip(); break;
            }
        }

        return new TableSchema(name, columns.ToFrozenDictionary(StringComparer.Ordinal), isRoot, maxRows, indexes);
    }

    private static ImmutableArray<ImmutableArray<string>> ReadIndexes(OvsdbJsonReader reader) =>
        reader.Document() is JArray list && list.All(i => i is JArray columns && columns.All(c => c.Type == JTokenType.String))
            ? [.. list.Select(i => i.Select(c => (string)c!).ToImmutableArray())]
            : throw reader.Wrong("\"indexes\" that is no array of arrays of columns' names");

    private static ColumnSchema ReadColumn(OvsdbJsonReader reader, string name)
    {
        reader.Expect(JsonToken.StartObject, "a column's schema");
        ColumnType? type = null;
        bool mutable = true, ephemeral = false;
        while (reader.NextMember(out var member))
        {
            switch (member)
            {
                case "mutable": mutable = reader.Flag("mutable"); break;
                case "ephemeral": ephemeral = reader.Flag("ephemeral"); break;
                case "type": type = ReadType(reader, name); break;
                default: reader.Skip(); break;
            }
        }

        return new ColumnSchema(name, type ?? throw reader.Wrong($"the column \"{name}\" without \"type\""), mutable, ephemeral);
    }

    private static ColumnType ReadType(OvsdbJsonReader reader, string column)
    {
        if (reader.Token == JsonToken.String)
        {
            return new ColumnType(new BaseType(Type(reader.Text("a type"), column)), null, 1, 1);
        }

        // A column's type is a few dozen bytes: a document is the clearest way to read it.
        if (reader.Document() is not JObject type || type["key"] is not { } key)
        {
            throw new OvsdbProtocolException($"the type of column \"{column}\" has no \"key\"");
        }

        var max = type["max"] switch
        {
            null => 1,
            { Type: JTokenType.String } text when (string)text! == "unlimited" => ColumnType.Unlimited,
            JValue { Value: long number } => (int)Math.Clamp(number, 1, ColumnType.Unlimited),
            _ => throw new OvsdbProtocolException($"\"max\" of column \"{column}\" is neither a number nor \"unlimited\""),
        };
        var min = type["min"] is JValue { Value: long least } ? least : 1;
        return new ColumnType(Base(key, column), type["value"] is { } value ? Base(value, column) : null, min == 0 ? 0 : 1, max);
    }

    private static BaseType Base(JToken token, string column)
    {
        if (token.Type == JTokenType.String)
        {
            return new BaseType(Type((string)token!, column));
        }

        if (token is not JObject o || o["type"]?.Type != JTokenType.String)
        {
            throw new OvsdbProtocolException($"the type of column \"{column}\" has a part without \"type\"");
        }

        var type = Type((string)o["type"]!, column);
        long Integer(string name, long other) => o[name] is JValue { Value: long n } ? n : other;
        double Real(string name, double other) => o[name] is JValue { Value: double n } ? n : o[name] is JValue { Value: long whole } ? whole : other;
        return new BaseType(type)
        {
            Enum = o["enum"] is { } choices ? Choices(choices, type, column) : [],
            MinInteger = Integer("minInteger", long.MinValue),
            MaxInteger = Integer("maxInteger", long.MaxValue),
            MinReal = Real("minReal", double.NegativeInfinity),
            MaxReal = Real("maxReal", double.PositiveInfinity),
            MinLength = Integer("minLength", 0),
            MaxLength = Integer("maxLength", long.MaxValue),
            RefTable = o["refTable"] is { Type: JTokenType.String } table ? (string)table! : null,
            IsWeak = o["refType"] is { Type: JTokenType.String } strength && (string)strength! == "weak",
        };
    }

    private static ImmutableArray<OvsdbValue> Choices(JToken choices, AtomType type, string column)
    {
        var reader = new OvsdbJsonReader(new JTokenReader(choices));
        try
        {
            reader.Next();
            var set = (IOvsdbSet)ValueCodec.For(Cardinality.Set, type, type).Read(reader)!;
            return [.. set.Atoms.Select(a => new OvsdbValue(a))];
        }
        catch (OvsdbProtocolException e)
        {
            throw new OvsdbProtocolException($"\"enum\" of column \"{column}\": {e.Message}", e);
        }
    }

    private static AtomType Type(string name, string column) => name switch
    {
        "integer" => AtomType.Integer,
        "real" => AtomType.Real,
        "boolean" => AtomType.Boolean,
        "string" => AtomType.String,
        "uuid" => AtomType.Uuid,
        _ => throw new OvsdbProtocolException($"the type \"{name}\" of column \"{column}\" is unknown"),
    };
}
