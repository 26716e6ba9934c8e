using System.Collections.Frozen;
using System.Collections.Immutable;

namespace Weft.Ovsdb;

/// <summary>Which monitored column stands where in a row's values.</summary>
internal sealed class TableLayout
{
    private readonly FrozenDictionary<string, int> _index;
    private readonly FrozenSet<string> _missing;

    /// <param name="schema">The table in the live schema.</param>
    /// <param name="columns">The monitored columns, all of them in the schema.</param>
    /// <param name="missing">Wanted columns that the schema lacks, or has with another type: they read as empty.</param>
    public TableLayout(TableSchema schema, IEnumerable<string> columns, IEnumerable<string> missing)
    {
        Schema = schema;
        Columns = [.. columns];
        Types = [.. Columns.Select(c => schema.Columns[c].Type)];
        Shapes = [.. Types.Select(t => t.Shape)];
        Defaults = [.. Types.Select(t => t.Default.Content)];
        _index = Columns.Select((name, i) => KeyValuePair.Create(name, i)).ToFrozenDictionary(StringComparer.Ordinal);
        _missing = missing.ToFrozenSet(StringComparer.Ordinal);
    }

    public string Name => Schema.Name;

    public TableSchema Schema { get; }

    public ImmutableArray<string> Columns { get; }

    public ImmutableArray<ColumnType> Types { get; }

    public ImmutableArray<ValueShape> Shapes { get; }

    /// <summary>What columns hold that an insert does not mention.</summary>
    public object?[] Defaults { get; }

    /// <summary>The column's place, or -1 when the schema lacks it.</summary>
    /// <exception cref="InvalidOperationException">Nobody monitors the column.</exception>
    public int IndexOf(string column) => _index.TryGetValue(column, out var index) ? index
        : _missing.Contains(column) ? -1
        : throw new InvalidOperationException(
            $"{Name}.{column} is not monitored: add it to the MonitorSelection. Monitored are: {string.Join(", ", Columns)}");

    /// <summary>The column's place, or -1 when it is not monitored for any reason.</summary>
    public int Find(string column) => _index.GetValueOrDefault(column, -1);
}
