using Newtonsoft.Json;

namespace Weft.Ovsdb;

/// <summary>Reads the reply to a transact request (RFC 7047 section 4.1.3).</summary>
internal static class OutcomeReader
{
    public static TransactionOutcome Read(OvsdbJsonReader reader, IReadOnlyList<Operation> operations, DatabaseSchema schema)
    {
        reader.Expect(JsonToken.StartArray, "the results of a transaction");
        var results = new List<OperationResult?>();
        TransactionError? error = null;
        while (reader.Next() != JsonToken.EndArray)
        {
            var index = results.Count;
            results.Add(null);
            if (reader.Token == JsonToken.Null)
            {
                continue;
            }

            reader.Expect(JsonToken.StartObject, "the result of an operation");
            var select = index < operations.Count ? operations[index] as SelectOperation : null;
            results[index] = ReadResult(reader, select, schema, out var code, out var details, out var syntax);
            if (code is not null)
            {
                results[index] = null;
                error ??= TransactionError.Locate(operations, index, code, details, syntax);
            }
        }

        return error is null && results.Count < operations.Count
            ? throw new OvsdbProtocolException($"{results.Count} results for {operations.Count} operations")
            : new TransactionOutcome(operations, results, error);
    }

    private static OperationResult ReadResult(
        OvsdbJsonReader reader, SelectOperation? select, DatabaseSchema schema, out string? error, out string? details, out string? syntax)
    {
        OperationResult result = default;
        error = details = syntax = null;
        while (reader.NextMember(out var member))
        {
            switch (member)
            {
                case "uuid": result = result with { Uuid = reader.TypedAtom<Guid>() }; break;
                case "count": result = result with { Count = reader.Number("a count") }; break;
                case "rows" when select is not null && schema.Tables.TryGetValue(select.Table!, out var table):
                    result = result with { Rows = select.ReadRows(reader, table) };
                    break;
                case "error": error = reader.Text("an error's name"); break;
                case "details": details = reader.Text("an error's details"); break;
                case "syntax": syntax = reader.Text("an error's syntax"); break;
                default: reader.Skip(); break;
            }
        }

        return result;
    }
}
