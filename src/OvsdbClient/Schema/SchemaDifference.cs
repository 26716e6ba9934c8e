namespace Weft.Ovsdb;

/// <summary>Something that a client wants to follow and the server's schema does not have so. It reads as empty.</summary>
/// <param name="Table">The table.</param>
/// <param name="Column">The column, or null when the whole table is missing.</param>
/// <param name="Reason">What is different.</param>
public sealed record SchemaDifference(string Table, string? Column, string Reason)
{
    /// <summary>The place and the reason.</summary>
    public override string ToString() => $"{Table}{(Column is null ? "" : "." + Column)}: {Reason}";
}
