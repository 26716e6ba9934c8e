namespace Weft.Ovsdb;

/// <summary>A change that depends on a column's present value (RFC 7047 section 5.1, "mutation").</summary>
/// <param name="Column">The column's name.</param>
/// <param name="Mutator"><c>+=</c>, <c>-=</c>, <c>*=</c>, <c>/=</c>, <c>%=</c>, <c>insert</c> or <c>delete</c>.</param>
/// <param name="Value">The argument.</param>
public record Mutation(string Column, string Mutator, OvsdbValue Value);

/// <summary>A mutation of rows of one table.</summary>
/// <typeparam name="TTable">The table.</typeparam>
/// <param name="Column">The column's name.</param>
/// <param name="Mutator">The mutator.</param>
/// <param name="Value">The argument.</param>
public sealed record Mutation<TTable>(string Column, string Mutator, OvsdbValue Value) : Mutation(Column, Mutator, Value)
    where TTable : Table<TTable>, ITable;
