using System.Collections.Immutable;

namespace Weft.Ovsdb;

/// <summary>What to follow of one table.</summary>
/// <param name="Table">The table's name.</param>
/// <param name="Columns">The columns by name; null for all that the server has.</param>
/// <param name="Where">Rows are followed that match <em>any</em> of these; null for all rows, empty for none (ovsdb-server(7) 4.1.12).</param>
public sealed record TableSelection(string Table, ImmutableArray<string>? Columns, ImmutableArray<Condition>? Where)
{
    /// <summary>The typed keys of the columns, which the live schema is compared with.</summary>
    internal ImmutableArray<Column> Keys { get; init; } = [];
}
