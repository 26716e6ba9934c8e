namespace Weft.Ovsdb;

/// <summary>Changes columns of matching rows from their present values (RFC 7047 section 5.2.4).</summary>
public sealed class MutateOperation : Operation
{
    private readonly Condition[] _where;
    private readonly List<Mutation> _mutations;

    internal MutateOperation(string table, IEnumerable<Condition> where, IEnumerable<Mutation> mutations)
        : base("mutate", table)
    {
        _where = [.. where];
        _mutations = [.. mutations];
    }

    internal override IEnumerable<string> UsedColumns => _mutations.Select(m => m.Column);

    internal override void Check(TableSchema table)
    {
        foreach (var mutation in _mutations)
        {
            CheckColumn(table, mutation.Column);
        }
    }

    internal override void WriteMembers(OvsdbJsonWriter writer)
    {
        writer.Member("where").Conditions(_where).Member("mutations").BeginArray();
        foreach (var mutation in _mutations)
        {
            writer.BeginArray().Text(mutation.Column).Text(mutation.Mutator).Value(mutation.Value).EndArray();
        }

        writer.EndArray();
    }
}

/// <summary>Deletes matching rows (RFC 7047 section 5.2.5).</summary>
public sealed class DeleteOperation : Operation
{
    private readonly Condition[] _where;

    internal DeleteOperation(string table, IEnumerable<Condition> where)
        : base("delete", table) => _where = [.. where];

    internal override void WriteMembers(OvsdbJsonWriter writer) => writer.Member("where").Conditions(_where);
}

/// <summary>Reads matching rows (RFC 7047 section 5.2.2); <see cref="TransactionOutcome.Rows(SelectOperation)"/> has them.</summary>
public class SelectOperation : Operation
{
    private readonly Condition[] _where;
    private readonly string[]? _columns;

    internal SelectOperation(string table, IEnumerable<Condition> where, IEnumerable<string>? columns)
        : base("select", table)
    {
        _where = [.. where];
        _columns = columns is null ? null : [.. columns];
    }

    internal override IEnumerable<string> UsedColumns => _columns ?? [];

    internal override void Check(TableSchema table)
    {
        foreach (var column in UsedColumns)
        {
            CheckColumn(table, column);
        }
    }

    /// <summary>Reads the rows of a reply.</summary>
    internal List<Row> ReadRows(OvsdbJsonReader reader, TableSchema table)
    {
        var layout = new TableLayout(table, (_columns ?? [.. table.Columns.Keys]).Where(table.Columns.ContainsKey), []);
        var rows = new List<Row>();
        reader.Expect(Newtonsoft.Json.JsonToken.StartArray, "the selected rows");
        while (reader.Next() != Newtonsoft.Json.JsonToken.EndArray)
        {
            var values = (object?[])layout.Defaults.Clone();
            rows.Add(new Row(RowReader.Read(reader, layout, values), layout, values));
        }

        return rows;
    }

    internal override void WriteMembers(OvsdbJsonWriter writer)
    {
        writer.Member("where").Conditions(_where);
        if (_columns is not null)
        {
            writer.Member("columns").Texts(["_uuid", .. _columns]);
        }
    }
}

/// <summary>Reads rows of a known table.</summary>
/// <typeparam name="TTable">The table.</typeparam>
public sealed class SelectOperation<TTable> : SelectOperation
    where TTable : Table<TTable>, ITable
{
    internal SelectOperation(IEnumerable<Condition> where, IEnumerable<string>? columns)
        : base(TTable.TableName, where, columns)
    {
    }
}
