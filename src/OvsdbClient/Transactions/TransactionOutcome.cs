namespace Weft.Ovsdb;

/// <summary>What became of a transaction: refusal is an ordinary outcome, not an exception.</summary>
public sealed class TransactionOutcome
{
    private readonly IReadOnlyList<OperationResult?> _results;
    private readonly IReadOnlyList<Operation> _operations;

    internal TransactionOutcome(IReadOnlyList<Operation> operations, IReadOnlyList<OperationResult?> results, TransactionError? error)
    {
        _operations = operations;
        _results = results;
        Error = error;
    }

    /// <summary>True when every operation was carried out and committed.</summary>
    public bool IsSuccess => Error is null;

    /// <summary>The first failure, or null.</summary>
    public TransactionError? Error { get; }

    /// <summary>True when <see cref="OvsdbClient.CommitOnceAsync"/> found, after a lost reply, that an earlier attempt had been committed.
    /// Results of single operations are unknown then.</summary>
    public bool WasCommittedEarlier { get; private init; }

    /// <summary>The identity that the server gave to an inserted row.</summary>
    /// <exception cref="InvalidOperationException">The row was not inserted, or the result is unknown.</exception>
    public Guid UuidOf(InsertOperation insert) => ResultOf(insert).Uuid
        ?? throw new InvalidOperationException($"the insert into {insert.Table} has no result: {Error?.ToString() ?? "it was committed by an earlier attempt"}");

    /// <summary>How many rows an update, mutate or delete matched.</summary>
    /// <exception cref="InvalidOperationException">The operation was not carried out, or counts nothing.</exception>
    public long CountOf(Operation operation) => ResultOf(operation).Count
        ?? throw new InvalidOperationException($"{operation.Name} has no count: {Error?.ToString() ?? "it counts nothing"}");

    /// <summary>The rows that a select read.</summary>
    /// <exception cref="InvalidOperationException">It was not carried out.</exception>
    public IReadOnlyList<Row> Rows(SelectOperation select) => ResultOf(select).Rows
        ?? throw new InvalidOperationException($"the select has no rows: {Error?.ToString() ?? "the result is unknown"}");

    /// <summary>The rows that a select read.</summary>
    /// <exception cref="InvalidOperationException">It was not carried out.</exception>
    public IEnumerable<Row<TTable>> Rows<TTable>(SelectOperation<TTable> select)
        where TTable : Table<TTable>, ITable => Rows((SelectOperation)select).Select(r => r.As<TTable>());

    /// <summary>Returns this outcome when it is a success.</summary>
    /// <exception cref="TransactionFailedException">It is none.</exception>
    public TransactionOutcome ThrowIfFailed() => Error is null ? this : throw new TransactionFailedException(Error);

    /// <summary>"committed", or the failure in one sentence.</summary>
    public override string ToString() => Error?.ToString() ?? "committed";

    internal static TransactionOutcome CommittedEarlier(IReadOnlyList<Operation> operations) =>
        new(operations, [], null) { WasCommittedEarlier = true };

    private OperationResult ResultOf(Operation operation)
    {
        for (var i = 0; i < _operations.Count; i++)
        {
            if (ReferenceEquals(_operations[i], operation))
            {
                return i < _results.Count ? _results[i] ?? default : default;
            }
        }

        throw new InvalidOperationException($"this {operation.Name} does not belong to the transaction");
    }
}

/// <summary>The result of one operation; which part is there depends on the operation.</summary>
internal readonly record struct OperationResult(Guid? Uuid, long? Count, IReadOnlyList<Row>? Rows);
