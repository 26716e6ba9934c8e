namespace Weft.Ovsdb;

/// <summary>The key of a column: one object for reading, writing, conditions, mutations, monitor selection and indexes.</summary>
public abstract class Column
{
    private protected Column(string table, string name, Cardinality cardinality, AtomType key, AtomType value)
    {
        Table = table;
        Name = name;
        Shape = new ValueShape(cardinality, key, value, ReplacesWhole: false);
    }

    /// <summary>The table's name.</summary>
    public string Table { get; }

    /// <summary>The column's name in the schema.</summary>
    public string Name { get; }

    internal ValueShape Shape { get; }

    /// <summary>Table and column, with a dot.</summary>
    public override string ToString() => $"{Table}.{Name}";
}
