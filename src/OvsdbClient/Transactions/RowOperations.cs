namespace Weft.Ovsdb;

/// <summary>An operation that carries column values.</summary>
public abstract class RowValuesOperation : Operation
{
    private readonly SortedDictionary<string, OvsdbValue> _values = new(StringComparer.Ordinal);

    private protected RowValuesOperation(string name, string table)
        : base(name, table)
    {
    }

    /// <summary>The values set so far, by column.</summary>
    public IReadOnlyDictionary<string, OvsdbValue> Values => _values;

    internal override IEnumerable<string> UsedColumns => _values.Keys;

    internal void SetValue(string column, OvsdbValue value) => _values[column] = value;

    internal override void Check(TableSchema table)
    {
        foreach (var (column, value) in _values)
        {
            CheckValue(table, column, value);
        }
    }

    private protected void WriteRow(OvsdbJsonWriter writer)
    {
        writer.BeginObject();
        foreach (var (column, value) in _values)
        {
            writer.Member(column).Value(value);
        }

        writer.EndObject();
    }
}

/// <summary>Inserts a row (RFC 7047 section 5.2.1).</summary>
public class InsertOperation : RowValuesOperation
{
    internal InsertOperation(string table)
        : base("insert", table)
    {
    }

    /// <summary>Stands for the new row within the transaction: use it wherever a reference to the row belongs.
    /// The server chooses the real one, see <see cref="TransactionOutcome.UuidOf(InsertOperation)"/>.</summary>
    public Guid Uuid { get; } = Guid.NewGuid();

    internal string UuidName => "row" + Uuid.ToString("N");

    /// <summary>Sets a column.</summary>
    public InsertOperation Set(string column, OvsdbValue value)
    {
        SetValue(column, value);
        return this;
    }

    internal override void WriteMembers(OvsdbJsonWriter writer)
    {
        writer.Member("uuid-name").Text(UuidName).Member("row");
        WriteRow(writer);
    }
}

/// <summary>Inserts a row of a known table.</summary>
/// <typeparam name="TTable">The table.</typeparam>
public sealed class InsertOperation<TTable> : InsertOperation
    where TTable : Table<TTable>, ITable
{
    internal InsertOperation()
        : base(TTable.TableName)
    {
    }

    /// <summary>Sets a column; columns that are not set get their type's default.</summary>
    public InsertOperation<TTable> Set<T>(Column<TTable, T> column, T value)
    {
        SetValue(column.Name, Column<TTable, T>.ToValue(value));
        return this;
    }
}

/// <summary>Sets columns of the rows that match all conditions (RFC 7047 section 5.2.3).</summary>
public class UpdateOperation : RowValuesOperation
{
    private readonly Condition[] _where;

    internal UpdateOperation(string table, IEnumerable<Condition> where)
        : base("update", table) => _where = [.. where];

    /// <summary>Sets a column.</summary>
    public UpdateOperation Set(string column, OvsdbValue value)
    {
        SetValue(column, value);
        return this;
    }

    internal override void WriteMembers(OvsdbJsonWriter writer)
    {
        writer.Member("where").Conditions(_where).Member("row");
        WriteRow(writer);
    }
}

/// <summary>Sets columns of rows of a known table.</summary>
/// <typeparam name="TTable">The table.</typeparam>
public sealed class UpdateOperation<TTable> : UpdateOperation
    where TTable : Table<TTable>, ITable
{
    internal UpdateOperation(IEnumerable<Condition> where)
        : base(TTable.TableName, where)
    {
    }

    /// <summary>Sets a column.</summary>
    public UpdateOperation<TTable> Set<T>(Column<TTable, T> column, T value)
    {
        SetValue(column.Name, Column<TTable, T>.ToValue(value));
        return this;
    }
}
