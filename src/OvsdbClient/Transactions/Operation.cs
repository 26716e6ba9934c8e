namespace Weft.Ovsdb;

/// <summary>One operation of a transaction (RFC 7047 section 5.2). Made by <see cref="Transaction"/>.</summary>
public abstract class Operation
{
    private protected Operation(string name, string? table)
    {
        Name = name;
        Table = table;
    }

    /// <summary>The operation's name on the wire, such as <c>insert</c>.</summary>
    public string Name { get; }

    /// <summary>The table that it works on, or null.</summary>
    public string? Table { get; }

    /// <summary>What it does, for logs: <c>update Interface (type, options)</c>. No values.</summary>
    public sealed override string ToString() => $"{Name} {Table} ({string.Join(", ", UsedColumns)})";

    /// <summary>The columns that it sets, mutates, compares or reads.</summary>
    internal virtual IEnumerable<string> UsedColumns => [];

    /// <summary>Throws when a value cannot be right by the schema.</summary>
    internal virtual void Check(TableSchema table)
    {
    }

    /// <summary>Writes the members after <c>op</c> and <c>table</c>.</summary>
    internal abstract void WriteMembers(OvsdbJsonWriter writer);

    internal void Write(OvsdbJsonWriter writer)
    {
        writer.BeginObject().Member("op").Text(Name);
        if (Table is not null)
        {
            writer.Member("table").Text(Table);
        }

        WriteMembers(writer);
        writer.EndObject();
    }

    private protected static void CheckColumn(TableSchema table, string column)
    {
        if (!table.Columns.ContainsKey(column) && column is not ("_uuid" or "_version"))
        {
            throw new ArgumentException(
                $"{table.Name} has no column \"{column}\" in this server's schema; it has {string.Join(", ", table.Columns.Keys.Order(StringComparer.Ordinal))}");
        }
    }

    private protected static void CheckValue(TableSchema table, string column, OvsdbValue value)
    {
        CheckColumn(table, column);
        if (table.Columns.TryGetValue(column, out var schema) && schema.Type.Refuse(value) is { } why)
        {
            throw new ArgumentException($"{table.Name}.{column} = {value}: the value {why}");
        }
    }
}
