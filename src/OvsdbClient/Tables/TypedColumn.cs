namespace Weft.Ovsdb;

/// <summary>A column's key that knows its table and its type: a key of another table does not compile.</summary>
/// <typeparam name="TTable">The table.</typeparam>
/// <typeparam name="T">The value's type: an atom, a nullable atom, <see cref="OvsdbSet{T}"/> or <see cref="OvsdbMap{TKey, TValue}"/>.</typeparam>
public sealed class Column<TTable, T> : Column
    where TTable : Table<TTable>, ITable
{
    private readonly Func<OvsdbValue, T> _read;

    internal Column(string table, string name, Cardinality cardinality, AtomType key, AtomType value, Func<OvsdbValue, T> read)
        : base(table, name, cardinality, key, value) => _read = read;

    /// <summary>Rows in which the column equals <paramref name="value"/>.</summary>
    public Condition<TTable> Is(T value) => new(Name, ConditionFunction.Equal, ToValue(value));

    /// <summary>Rows in which the column differs from <paramref name="value"/>.</summary>
    public Condition<TTable> IsNot(T value) => new(Name, ConditionFunction.NotEqual, ToValue(value));

    /// <summary>Rows whose set or map contains every member of <paramref name="value"/>; for an atom the same as <see cref="Is"/>.</summary>
    public Condition<TTable> Includes(T value) => new(Name, ConditionFunction.Includes, ToValue(value));

    /// <summary>Rows whose set or map contains no member of <paramref name="value"/>.</summary>
    public Condition<TTable> Excludes(T value) => new(Name, ConditionFunction.Excludes, ToValue(value));

    /// <summary>The column in a row, from what the row stores.</summary>
    internal T FromValue(OvsdbValue value) => _read(value);

    /// <summary>What a row stores for a value.</summary>
    internal static OvsdbValue ToValue(T value) => value is null ? default : new OvsdbValue(value is IOvsdbSet or IOvsdbMap ? value : Atom.BoxAny<T>(value));
}
