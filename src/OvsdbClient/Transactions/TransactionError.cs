using System.Text.RegularExpressions;

namespace Weft.Ovsdb;

/// <summary>Why the server refused a transaction, and which of its operations was the reason.</summary>
/// <param name="Error">The server's error string, such as <c>constraint violation</c> (RFC 7047 section 3.1 and 5.2).</param>
/// <param name="Details">The server's explanation, or null.</param>
/// <param name="Operation">The failing operation; null when the commit as a whole failed and the server names no table of ours.</param>
/// <param name="OperationIndex">Its position, or null.</param>
/// <param name="Column">The column at fault, as far as the server's explanation names one of the operation's columns; else null.</param>
public sealed partial record TransactionError(string Error, string? Details, Operation? Operation, int? OperationIndex, string? Column)
{
    /// <summary>True when the same operations may succeed later: a wait that did not hold, a lock, a cluster without leader.</summary>
    public bool IsTransient => Error is "timed out" or "not owner" or "not leader" or "not connected" or "cluster error" or "canceled"
        or "resources exhausted" or "I/O error";

    /// <summary>True when a check (<c>wait</c>) did not hold: read again and rebuild the transaction.</summary>
    public bool IsConflict => Error == "timed out";

    /// <summary>One sentence with operation, table, column, error and explanation.</summary>
    public override string ToString()
    {
        var where = Operation is null ? "the commit"
            : $"operation {OperationIndex} ({Operation.Name}{(Operation.Table is null ? "" : " " + Operation.Table)}{(Column is null ? "" : "." + Column)})";
        return $"{where} failed: {Error}{(Details is null ? "" : ": " + Details)}";
    }

    /// <summary>Finds the operation and the column that an error speaks of.</summary>
    internal static TransactionError Locate(IReadOnlyList<Operation> operations, int index, string error, string? details, string? syntax)
    {
        var text = details is null ? syntax : syntax is null ? details : $"{details} (at {syntax})";
        // Errors of the commit as a whole come after the last operation's result (RFC 7047 section 4.1.3).
        var found = index < operations.Count ? index : FindByTable(operations, text);
        var operation = found is { } i ? operations[i] : null;
        return new TransactionError(error, text, operation, found, operation is null ? null : FindColumn(operation, text));
    }

    private static int? FindByTable(IReadOnlyList<Operation> operations, string? text)
    {
        for (var i = operations.Count - 1; text is not null && i >= 0; i--)
        {
            if (operations[i] is { Table: { } table, Name: not "select" and not "wait" }
                && text.Contains($"\"{table}\"", StringComparison.Ordinal))
            {
                return i;
            }

            if (operations[i].Table is { } other && Regex.IsMatch(text, $@"\b{Regex.Escape(other)}\b") && operations[i].Name is not ("select" or "wait"))
            {
                return i;
            }
        }

        return null;
    }

    private static string? FindColumn(Operation operation, string? text)
    {
        if (text is null)
        {
            return null;
        }

        var named = ColumnName().Match(text);
        if (named.Success)
        {
            return named.Groups[1].Value;
        }

        var used = operation.UsedColumns.Distinct(StringComparer.Ordinal).ToArray();
        return used.FirstOrDefault(c => Regex.IsMatch(text, $@"\b{Regex.Escape(c)}\b")) ?? (used.Length == 1 ? used[0] : null);
    }

    [GeneratedRegex("""column "?([A-Za-z_][A-Za-z0-9_]*)"?""", RegexOptions.IgnoreCase)]
    private static partial Regex ColumnName();
}
