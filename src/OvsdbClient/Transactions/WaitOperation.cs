namespace Weft.Ovsdb;

/// <summary>Holds the transaction until rows are, or are no longer, as given (RFC 7047 section 5.2.6).</summary>
/// <remarks>With a time-out of zero it is a check: the transaction fails at once with "timed out" when it does not hold.</remarks>
public sealed class WaitOperation : Operation
{
    private readonly Condition[] _where;
    private readonly string[] _columns;
    private readonly IReadOnlyList<IReadOnlyDictionary<string, OvsdbValue>> _rows;
    private readonly bool _equal;
    private readonly TimeSpan? _timeout;

    internal WaitOperation(
        string table, IEnumerable<Condition> where, IEnumerable<string> columns, bool equal,
        IReadOnlyList<IReadOnlyDictionary<string, OvsdbValue>> rows, TimeSpan? timeout)
        : base("wait", table)
    {
        _where = [.. where];
        _columns = [.. columns];
        _equal = equal;
        _rows = rows;
        _timeout = timeout;
    }

    internal override IEnumerable<string> UsedColumns => _columns;

    internal override void Check(TableSchema table)
    {
        foreach (var column in _columns)
        {
            CheckColumn(table, column);
        }
    }

    internal override void WriteMembers(OvsdbJsonWriter writer)
    {
        if (_timeout is { } timeout)
        {
            writer.Member("timeout").Number((long)timeout.TotalMilliseconds);
        }

        writer.Member("where").Conditions(_where).Member("columns").Texts(_columns)
            .Member("until").Text(_equal ? "==" : "!=").Member("rows").BeginArray();
        foreach (var row in _rows)
        {
            writer.BeginObject();
            foreach (var (column, value) in row)
            {
                writer.Member(column).Value(value);
            }

            writer.EndObject();
        }

        writer.EndArray();
    }
}
