using System.Collections.Immutable;

namespace Weft.Ovsdb;

/// <summary>A declared way to find rows by the values of columns. Kept up to date with every change.</summary>
/// <remarks>Declare it once, give it to <see cref="OvsdbClientOptions.Indexes"/>, and use the same object for look-ups.</remarks>
public abstract class RowIndex
{
    private protected RowIndex(string table, string description, bool isUnique)
    {
        Table = table;
        Description = description;
        IsUnique = isUnique;
    }

    /// <summary>The table.</summary>
    public string Table { get; }

    /// <summary>True when every key is expected to belong to one row.</summary>
    public bool IsUnique { get; }

    internal string Description { get; }

    /// <summary>The keys under which a row is found.</summary>
    internal abstract IEnumerable<object> KeysOf(Row row);

    /// <summary>An index over one column of a table without typed keys.</summary>
    public static RowIndex<OvsdbValue> On(string table, string column, bool isUnique = false) =>
        new(table, column, isUnique, row => [row[column].Content ?? DBNull.Value], key => key.Content ?? DBNull.Value);
}

/// <summary>An index with keys of one type.</summary>
/// <typeparam name="TKey">The key's type: a column's, or a pair of two columns'.</typeparam>
public sealed class RowIndex<TKey> : RowIndex
{
    private readonly Func<Row, IEnumerable<object>> _keysOf;
    private readonly Func<TKey, object> _toKey;

    internal RowIndex(string table, string description, bool isUnique, Func<Row, IEnumerable<object>> keysOf, Func<TKey, object> toKey)
        : base(table, description, isUnique)
    {
        _keysOf = keysOf;
        _toKey = toKey;
    }

    internal override IEnumerable<object> KeysOf(Row row) => _keysOf(row);

    internal object KeyOf(TKey key) => _toKey(key);
}

/// <summary>Makes indexes from typed columns.</summary>
public static class ColumnIndexes
{
    /// <summary>Finds rows by the column's value.</summary>
    public static RowIndex<T> Index<TTable, T>(this Column<TTable, T> column, bool isUnique = false)
        where TTable : Table<TTable>, ITable =>
        new(TTable.TableName, column.Name, isUnique, row => [Key(row, column)], key => Column<TTable, T>.ToValue(key).Content ?? DBNull.Value);

    /// <summary>Finds rows by one member of a set, such as the bridge that has a port: references followed backwards.</summary>
    public static RowIndex<T> MemberIndex<TTable, T>(this Column<TTable, OvsdbSet<T>> column, bool isUnique = false)
        where TTable : Table<TTable>, ITable
        where T : notnull =>
        new(TTable.TableName, column.Name, isUnique, row => row.Get(column).Select(m => Atom.BoxAny(m)), key => Atom.BoxAny(key));

    /// <summary>Finds rows by one key of a text map, such as <c>external_ids:owner</c>.</summary>
    public static RowIndex<string> KeyIndex<TTable>(this Column<TTable, OvsdbMap<string, string>> column, string key, bool isUnique = false)
        where TTable : Table<TTable>, ITable =>
        new(TTable.TableName, $"{column.Name}:{key}", isUnique, row => row.Get(column).TryGetValue(key, out var value) ? [value] : [], value => value);

    /// <summary>Finds rows by two columns together.</summary>
    public static RowIndex<(T1 First, T2 Second)> IndexWith<TTable, T1, T2>(this Column<TTable, T1> first, Column<TTable, T2> second, bool isUnique = false)
        where TTable : Table<TTable>, ITable =>
        new(TTable.TableName, $"{first.Name} and {second.Name}", isUnique, row => [(Key(row, first), Key(row, second))],
            key => (Column<TTable, T1>.ToValue(key.First).Content ?? DBNull.Value, Column<TTable, T2>.ToValue(key.Second).Content ?? DBNull.Value));

    // Through the typed value, so that a column that is stored as a set of one has the same key as the atom.
    private static object Key<TTable, T>(Row row, Column<TTable, T> column)
        where TTable : Table<TTable>, ITable => Column<TTable, T>.ToValue(row.Get(column)).Content ?? DBNull.Value;
}
