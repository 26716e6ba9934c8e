namespace Weft.Ovsdb;

/// <summary>Operations that the server carries out together or not at all. Collect them in any order from any place, then commit once.</summary>
/// <remarks>
/// A new row is referred to by its <see cref="InsertOperation.Uuid"/>, before or after its insertion.
/// Not thread-safe; it can be committed several times, and each time is a transaction of its own.
/// </remarks>
public sealed class Transaction
{
    private readonly List<Operation> _operations = [];

    /// <summary>The operations in the order in which they were added.</summary>
    public IReadOnlyList<Operation> Operations => _operations;

    /// <summary>True when nothing was added.</summary>
    public bool IsEmpty => _operations.Count == 0;

    /// <summary>Inserts a row.</summary>
    public InsertOperation<TTable> Insert<TTable>()
        where TTable : Table<TTable>, ITable => Add(new InsertOperation<TTable>());

    /// <summary>Inserts a row of a table without typed keys.</summary>
    public InsertOperation Insert(string table) => Add(new InsertOperation(table));

    /// <summary>Sets columns of one row.</summary>
    public UpdateOperation<TTable> Update<TTable>(Guid row)
        where TTable : Table<TTable>, ITable => Add(new UpdateOperation<TTable>([Condition.Row(row)]));

    /// <summary>Sets columns of the rows that match all conditions; of every row without conditions.</summary>
    public UpdateOperation<TTable> Update<TTable>(params ReadOnlySpan<Condition<TTable>> where)
        where TTable : Table<TTable>, ITable => Add(new UpdateOperation<TTable>(where.ToArray()));

    /// <summary>Sets columns of matching rows of a table without typed keys.</summary>
    public UpdateOperation Update(string table, params ReadOnlySpan<Condition> where) => Add(new UpdateOperation(table, where.ToArray()));

    /// <summary>Mutates columns of one row.</summary>
    public MutateOperation Mutate<TTable>(Guid row, params ReadOnlySpan<Mutation<TTable>> mutations)
        where TTable : Table<TTable>, ITable => Add(new MutateOperation(TTable.TableName, [Condition.Row(row)], mutations.ToArray()));

    /// <summary>Mutates columns of the rows that match all conditions; of every row without conditions.</summary>
    public MutateOperation Mutate<TTable>(IEnumerable<Condition<TTable>> where, params ReadOnlySpan<Mutation<TTable>> mutations)
        where TTable : Table<TTable>, ITable => Add(new MutateOperation(TTable.TableName, where, mutations.ToArray()));

    /// <summary>Mutates columns of matching rows of a table without typed keys.</summary>
    public MutateOperation Mutate(string table, IEnumerable<Condition> where, params ReadOnlySpan<Mutation> mutations) =>
        Add(new MutateOperation(table, where, mutations.ToArray()));

    /// <summary>Deletes one row.</summary>
    public DeleteOperation Delete<TTable>(Guid row)
        where TTable : Table<TTable>, ITable => Add(new DeleteOperation(TTable.TableName, [Condition.Row(row)]));

    /// <summary>Deletes the rows that match all conditions.</summary>
    public DeleteOperation Delete<TTable>(Condition<TTable> first, params ReadOnlySpan<Condition<TTable>> others)
        where TTable : Table<TTable>, ITable => Add(new DeleteOperation(TTable.TableName, [first, .. others]));

    /// <summary>Deletes matching rows of a table without typed keys; every row without conditions.</summary>
    public DeleteOperation Delete(string table, params ReadOnlySpan<Condition> where) => Add(new DeleteOperation(table, where.ToArray()));

    /// <summary>Reads the rows that match all conditions, as they are at this point of the transaction.</summary>
    /// <param name="where">The conditions; none selects every row.</param>
    /// <param name="columns">The columns to read; null reads all.</param>
    public SelectOperation<TTable> Select<TTable>(IEnumerable<Condition<TTable>> where, IEnumerable<Column>? columns = null)
        where TTable : Table<TTable>, ITable => Add(new SelectOperation<TTable>(where, columns?.Select(c => c.Name)));

    /// <summary>Reads matching rows of a table without typed keys.</summary>
    public SelectOperation Select(string table, IEnumerable<Condition>? where = null, IEnumerable<string>? columns = null) =>
        Add(new SelectOperation(table, where ?? [], columns));

    /// <summary>Holds the transaction until the matching rows' columns equal, or differ from, the given rows.</summary>
    /// <param name="table">The table.</param>
    /// <param name="where">The conditions that select the rows to compare.</param>
    /// <param name="columns">The columns to compare.</param>
    /// <param name="equal">True to wait until they are equal, false until they differ.</param>
    /// <param name="rows">The rows to compare with, each with the named columns.</param>
    /// <param name="timeout">Zero checks at once; null waits without limit.</param>
    public WaitOperation Wait(
        string table, IEnumerable<Condition> where, IEnumerable<string> columns, bool equal,
        IReadOnlyList<IReadOnlyDictionary<string, OvsdbValue>> rows, TimeSpan? timeout = null) =>
        Add(new WaitOperation(table, where, columns, equal, rows, timeout));

    /// <summary>Lets the transaction fail with "timed out" unless these columns are still as in <paramref name="row"/>.</summary>
    public WaitOperation RequireUnchanged(Row row, params ReadOnlySpan<Column> columns)
    {
        var names = columns.ToArray().Select(c => c.Name).ToArray();
        return Wait(row.Table, [Condition.Row(row.Uuid)], names, equal: true, [names.ToDictionary(n => n, n => row[n])], TimeSpan.Zero);
    }

    /// <summary>Lets the transaction fail with "timed out" when a row matches all conditions.</summary>
    public WaitOperation RequireNone<TTable>(params ReadOnlySpan<Condition<TTable>> where)
        where TTable : Table<TTable>, ITable => Wait(TTable.TableName, where.ToArray(), ["_uuid"], equal: true, [], TimeSpan.Zero);

    /// <summary>Writes a line to the server's log of the transaction (<c>ovsdb-tool show-log</c>).</summary>
    public ControlOperation Comment(string text) => Add(new ControlOperation("comment", w => w.Member("comment").Text(text)));

    /// <summary>Lets the transaction fail with "aborted", after the results of what comes before.</summary>
    public ControlOperation Abort() => Add(new ControlOperation("abort", _ => { }));

    /// <summary>Asks for the transaction to be on disk before the reply.</summary>
    public ControlOperation CommitDurably() => Add(new ControlOperation("commit", w => w.Member("durable").Flag(true)));

    /// <summary>Lets the transaction fail with "not owner" unless this connection holds the lock.</summary>
    public ControlOperation AssertLock(string name) => Add(new ControlOperation("assert", w => w.Member("lock").Text(name)));

    /// <summary>Appends all operations of another transaction.</summary>
    public Transaction Append(Transaction other)
    {
        _operations.AddRange(other._operations);
        return this;
    }

    /// <summary>Throws when a table, column or value cannot be right by the schema, before anything is sent.</summary>
    /// <exception cref="ArgumentException">The message names table, column, value and what is allowed.</exception>
    public void Check(DatabaseSchema schema)
    {
        foreach (var operation in _operations)
        {
            if (operation.Table is { } name)
            {
                operation.Check(schema.Tables.TryGetValue(name, out var table) ? table : throw new ArgumentException(
                    $"the database {schema.Name} has no table \"{name}\"; it has {string.Join(", ", schema.Tables.Keys.Order(StringComparer.Ordinal))}"));
            }
        }
    }

    internal void WriteTo(OvsdbJsonWriter writer)
    {
        if (_operations.Exists(o => o is InsertOperation))
        {
            writer.Names = _operations.OfType<InsertOperation>().ToDictionary(i => i.Uuid, i => i.UuidName);
        }

        foreach (var operation in _operations)
        {
            operation.Write(writer);
        }
    }

    private T Add<T>(T operation)
        where T : Operation
    {
        _operations.Add(operation);
        return operation;
    }
}
