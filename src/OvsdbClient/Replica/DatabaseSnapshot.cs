using System.Collections.Immutable;

namespace Weft.Ovsdb;

/// <summary>The followed part of a database at one moment, between two transactions. Immutable; safe to read from any thread.</summary>
public sealed class DatabaseSnapshot
{
    internal DatabaseSnapshot(
        DatabaseSchema schema, ImmutableDictionary<string, TableSnapshot> tables, ImmutableArray<SchemaDifference> differences, Guid lastTransaction,
        long version)
    {
        Schema = schema;
        Tables = tables;
        Differences = differences;
        LastTransaction = lastTransaction;
        Version = version;
    }

    /// <summary>The schema that the server had at that moment.</summary>
    public DatabaseSchema Schema { get; }

    /// <summary>The followed tables by name.</summary>
    public ImmutableDictionary<string, TableSnapshot> Tables { get; }

    /// <summary>What was selected but is not in the schema: it reads as empty.</summary>
    public ImmutableArray<SchemaDifference> Differences { get; }

    /// <summary>The server's identity of the last transaction in it; zero when the server keeps no history.</summary>
    public Guid LastTransaction { get; }

    /// <summary>Counts the changes that this client has seen, from 1.</summary>
    public long Version { get; }

    /// <summary>All rows of a table; none when the server lacks the table.</summary>
    /// <exception cref="InvalidOperationException">The table is not selected.</exception>
    public IEnumerable<Row<TTable>> Rows<TTable>()
        where TTable : Table<TTable>, ITable => Rows(TTable.TableName).Select(r => new Row<TTable>(r));

    /// <summary>All rows of a table; none when the server lacks the table.</summary>
    /// <exception cref="InvalidOperationException">The table is not selected.</exception>
    public IEnumerable<Row> Rows(string table) => TableOrNull(table)?.Rows.Values ?? [];

    /// <summary>The row with this identity, or null.</summary>
    public Row<TTable>? Row<TTable>(Guid uuid)
        where TTable : Table<TTable>, ITable => Row(TTable.TableName, uuid) is { } row ? new Row<TTable>(row) : null;

    /// <summary>The row with this identity, or null.</summary>
    public Row? Row(string table, Guid uuid) => TableOrNull(table) is { } t && t.Rows.TryGetValue(uuid, out var row) ? row : null;

    /// <summary>The rows that references name, in their order. References to rows that are not followed are left out.</summary>
    public IEnumerable<Row<TTable>> Resolve<TTable>(IEnumerable<Guid> references)
        where TTable : Table<TTable>, ITable
    {
        var table = TableOrNull(TTable.TableName);
        foreach (var uuid in references)
        {
            if (table is not null && table.Rows.TryGetValue(uuid, out var row))
            {
                yield return new Row<TTable>(row);
            }
        }
    }

    /// <summary>The row that a reference names, or null when it is empty or the row is not followed.</summary>
    public Row<TTable>? Resolve<TTable>(Guid? reference)
        where TTable : Table<TTable>, ITable => reference is { } uuid ? Row<TTable>(uuid) : null;

    /// <summary>The rows with a key.</summary>
    /// <exception cref="InvalidOperationException">The index was not declared in the options.</exception>
    public IEnumerable<Row> Find<TKey>(RowIndex<TKey> index, TKey key) =>
        TableOrNull(index.Table) is { } table ? table.Find(index, key).Select(u => table.Rows[u]) : [];

    /// <summary>The row with a key of a unique index, or null.</summary>
    /// <exception cref="InvalidOperationException">The index is not unique, was not declared, or several rows have the key.</exception>
    public Row? FindOne<TKey>(RowIndex<TKey> index, TKey key)
    {
        if (!index.IsUnique)
        {
            throw new InvalidOperationException($"the index over {index.Table}.{index.Description} is not unique: use Find");
        }

        if (TableOrNull(index.Table) is not { } table)
        {
            return null;
        }

        var found = table.Find(index, key);
        return found.Length <= 1
            ? found.Length == 0 ? null : table.Rows[found[0]]
            : throw new InvalidOperationException($"{found.Length} rows of {index.Table} have {index.Description} = {key}, but the index was declared unique");
    }

    private TableSnapshot? TableOrNull(string name) => Tables.TryGetValue(name, out var table) ? table
        : Differences.Any(d => d.Table == name && d.Column is null) ? null
        : throw new InvalidOperationException(
            $"the table {name} is not selected: add it to the MonitorSelection. Selected are: {string.Join(", ", Tables.Keys.Order(StringComparer.Ordinal))}");
}
