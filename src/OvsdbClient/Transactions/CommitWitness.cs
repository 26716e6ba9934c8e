namespace Weft.Ovsdb;

/// <summary>Where <see cref="OvsdbClient.CommitOnceAsync"/> leaves its mark: one key of a text map in a row that exists.</summary>
/// <typeparam name="TTable">The row's table.</typeparam>
/// <param name="Row">The row.</param>
/// <param name="Column">The map, such as <c>external_ids</c>.</param>
/// <param name="Key">A key that only this client writes: another client's mark would hide this one's.</param>
public sealed record CommitWitness<TTable>(Guid Row, Column<TTable, OvsdbMap<string, string>> Column, string Key)
    where TTable : Table<TTable>, ITable;
