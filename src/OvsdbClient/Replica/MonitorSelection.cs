using System.Collections.Immutable;

namespace Weft.Ovsdb;

/// <summary>Which tables, columns and rows a client follows. Immutable: every call returns a new selection.</summary>
public sealed class MonitorSelection
{
    /// <summary>Nothing: for clients that only commit transactions.</summary>
    public static readonly MonitorSelection None = new(ImmutableSortedDictionary.Create<string, TableSelection>(StringComparer.Ordinal), false);

    /// <summary>Every table with every column.</summary>
    public static readonly MonitorSelection Everything = new(None.Tables, true);

    private MonitorSelection(ImmutableSortedDictionary<string, TableSelection> tables, bool isEverything)
    {
        Tables = tables;
        IsEverything = isEverything;
    }

    /// <summary>The tables that were named.</summary>
    public ImmutableSortedDictionary<string, TableSelection> Tables { get; }

    /// <summary>True when tables that were not named are followed too.</summary>
    public bool IsEverything { get; }

    /// <summary>Follows all columns that the type has keys for.</summary>
    public MonitorSelection Add<TTable>()
        where TTable : Table<TTable>, ITable => With(new TableSelection(TTable.TableName, Names(TTable.Columns), null) { Keys = [.. TTable.Columns] });

    /// <summary>Follows these columns of a table.</summary>
    public MonitorSelection Add<TTable>(params ReadOnlySpan<Column> columns)
        where TTable : Table<TTable>, ITable
    {
        foreach (var column in columns)
        {
            if (column.Table != TTable.TableName)
            {
                throw new ArgumentException($"{column} is no column of {TTable.TableName}");
            }
        }

        return With(new TableSelection(TTable.TableName, Names(columns.ToArray()), null) { Keys = [.. columns] });
    }

    /// <summary>Follows a table without typed keys; all its columns when none is named.</summary>
    public MonitorSelection Add(string table, params ReadOnlySpan<string> columns) =>
        With(new TableSelection(table, columns.Length == 0 ? null : [.. columns], null));

    /// <summary>Follows only the rows of an added table that match any of the conditions; no row when there are none.</summary>
    /// <remarks>A server without conditional monitors (Open vSwitch before 2.6) sends all rows.</remarks>
    public MonitorSelection Where<TTable>(params ReadOnlySpan<Condition<TTable>> any)
        where TTable : Table<TTable>, ITable => Where(TTable.TableName, [.. any]);

    /// <summary>Follows only matching rows of an added table; all rows for null.</summary>
    public MonitorSelection Where(string table, ImmutableArray<Condition>? any) => Tables.TryGetValue(table, out var selection)
        ? With(selection with { Where = any })
        : throw new ArgumentException($"{table} is not selected: add it before its condition");

    /// <summary>True when both follow the same tables and columns, whatever the conditions.</summary>
    internal bool HasSameColumns(MonitorSelection other) => IsEverything == other.IsEverything && Tables.Count == other.Tables.Count
        && Tables.Values.All(t => other.Tables.TryGetValue(t.Table, out var o)
            && (t.Columns is { } mine && o.Columns is { } theirs ? mine.SequenceEqual(theirs) : t.Columns is null && o.Columns is null));

    private static ImmutableArray<string> Names(IEnumerable<Column> columns) =>
        [.. columns.Select(c => c.Name).Where(n => n != "_uuid").Distinct(StringComparer.Ordinal)];

    private MonitorSelection With(TableSelection selection) => new(Tables.SetItem(selection.Table, selection), IsEverything);
}
