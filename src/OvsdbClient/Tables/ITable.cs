namespace Weft.Ovsdb;

/// <summary>What a type says that stands for a table.</summary>
public interface ITable
{
    /// <summary>The table's name in the schema.</summary>
    static abstract string TableName { get; }

    /// <summary>The columns with typed keys.</summary>
    static abstract IReadOnlyList<Column> Columns { get; }
}
