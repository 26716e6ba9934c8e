namespace Weft.Ovsdb;

/// <summary>What happened to a row.</summary>
public enum RowChangeKind
{
    /// <summary>It is new, or matches the selection's condition now.</summary>
    Inserted,

    /// <summary>It has other values.</summary>
    Modified,

    /// <summary>It is gone, or no longer matches the condition.</summary>
    Deleted,
}

/// <summary>A row before and after a change.</summary>
/// <param name="Uuid">The row's identity.</param>
/// <param name="Old">The row before; null when inserted.</param>
/// <param name="New">The row after; null when deleted.</param>
public sealed record RowChange(Guid Uuid, Row? Old, Row? New)
{
    /// <summary>What happened.</summary>
    public RowChangeKind Kind => Old is null ? RowChangeKind.Inserted : New is null ? RowChangeKind.Deleted : RowChangeKind.Modified;

    /// <summary>The table's name.</summary>
    public string Table => (New ?? Old)!.Table;

    /// <summary>True when the column's value differs; for inserted and deleted rows always.</summary>
    public bool Changed(Column column) => Old is null || New is null || Old[column.Name] != New[column.Name];
}

/// <summary>A row of a known table before and after a change.</summary>
/// <typeparam name="TTable">The table.</typeparam>
/// <param name="Change">The change without its type.</param>
public readonly record struct RowChange<TTable>(RowChange Change)
    where TTable : Table<TTable>, ITable
{
    /// <summary>The row's identity.</summary>
    public Guid Uuid => Change.Uuid;

    /// <summary>What happened.</summary>
    public RowChangeKind Kind => Change.Kind;

    /// <summary>The row before; null when inserted.</summary>
    public Row<TTable>? Old => Change.Old?.As<TTable>();

    /// <summary>The row after; null when deleted.</summary>
    public Row<TTable>? New => Change.New?.As<TTable>();

    /// <summary>True when the column's value differs; for inserted and deleted rows always.</summary>
    public bool Changed<T>(Column<TTable, T> column) => Change.Changed(column);
}
