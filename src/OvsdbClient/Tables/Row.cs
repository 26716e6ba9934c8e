using System.Text;

namespace Weft.Ovsdb;

/// <summary>A row as it was at one moment. Immutable; equal rows of different moments are different objects.</summary>
public sealed class Row
{
    private readonly object?[] _values;

    internal Row(Guid uuid, TableLayout layout, object?[] values)
    {
        Uuid = uuid;
        Layout = layout;
        _values = values;
    }

    /// <summary>The row's identity.</summary>
    public Guid Uuid { get; }

    /// <summary>The table's name.</summary>
    public string Table => Layout.Name;

    /// <summary>The names of the columns that the row holds.</summary>
    public IReadOnlyList<string> Columns => Layout.Columns;

    internal TableLayout Layout { get; }

    /// <summary>A column's value. A column that the server's schema lacks reads as empty.</summary>
    /// <exception cref="InvalidOperationException">The column is not monitored.</exception>
    public OvsdbValue this[string column]
    {
        get
        {
            var index = Layout.IndexOf(column);
            return index >= 0 ? new OvsdbValue(_values[index]) : default;
        }
    }

    /// <summary>A column's value by its typed key. A column that the server's schema lacks reads as empty.</summary>
    /// <exception cref="InvalidOperationException">The column belongs to another table, or is not monitored.</exception>
    public T Get<TTable, T>(Column<TTable, T> column)
        where TTable : Table<TTable>, ITable
    {
        if (TTable.TableName != Table)
        {
            throw new InvalidOperationException($"{column} was asked of a row of {Table}");
        }

        return column.FromValue(column.Name == "_uuid" ? new OvsdbValue(Uuid) : this[column.Name]);
    }

    /// <summary>The row with the type of its table.</summary>
    /// <exception cref="InvalidOperationException">It belongs to another table.</exception>
    public Row<TTable> As<TTable>()
        where TTable : Table<TTable>, ITable => TTable.TableName == Table
            ? new Row<TTable>(this)
            : throw new InvalidOperationException($"a row of {Table} was taken for one of {TTable.TableName}");

    /// <summary>Table, identity and all values.</summary>
    public override string ToString()
    {
        var text = new StringBuilder().Append(Table).Append(' ').Append(Uuid);
        for (var i = 0; i < _values.Length; i++)
        {
            text.Append(' ').Append(Layout.Columns[i]).Append('=').Append(new OvsdbValue(_values[i]));
        }

        return text.ToString();
    }

    internal object? At(int index) => _values[index];

    internal object?[] CopyValues() => (object?[])_values.Clone();

    /// <summary>True when every column has an equal value.</summary>
    internal bool HasSameValues(Row other) => ReferenceEquals(Layout, other.Layout) || Layout.Columns.SequenceEqual(other.Layout.Columns)
        ? _values.AsSpan().SequenceEqual(other._values)
        : false;
}
