namespace Weft.Ovsdb;

/// <summary>Conditions and mutations that only columns of certain types have.</summary>
public static class ColumnOperations
{
    /// <summary>Rows in which the number is below <paramref name="value"/>.</summary>
    public static Condition<TTable> IsLess<TTable>(this Column<TTable, long> column, long value)
        where TTable : Table<TTable>, ITable => new(column.Name, ConditionFunction.Less, OvsdbValue.Of(value));

    /// <summary>Rows in which the number is above <paramref name="value"/>.</summary>
    public static Condition<TTable> IsGreater<TTable>(this Column<TTable, long> column, long value)
        where TTable : Table<TTable>, ITable => new(column.Name, ConditionFunction.Greater, OvsdbValue.Of(value));

    /// <summary>Rows in which the number is below <paramref name="value"/>.</summary>
    public static Condition<TTable> IsLess<TTable>(this Column<TTable, double> column, double value)
        where TTable : Table<TTable>, ITable => new(column.Name, ConditionFunction.Less, OvsdbValue.Of(value));

    /// <summary>Rows in which the number is above <paramref name="value"/>.</summary>
    public static Condition<TTable> IsGreater<TTable>(this Column<TTable, double> column, double value)
        where TTable : Table<TTable>, ITable => new(column.Name, ConditionFunction.Greater, OvsdbValue.Of(value));

    /// <summary>Adds a number; negative numbers subtract.</summary>
    public static Mutation<TTable> Add<TTable>(this Column<TTable, long> column, long value)
        where TTable : Table<TTable>, ITable => new(column.Name, "+=", OvsdbValue.Of(value));

    /// <summary>Multiplies by a number.</summary>
    public static Mutation<TTable> Multiply<TTable>(this Column<TTable, long> column, long value)
        where TTable : Table<TTable>, ITable => new(column.Name, "*=", OvsdbValue.Of(value));

    /// <summary>Divides by a number, truncating. By zero the server refuses with "domain error".</summary>
    public static Mutation<TTable> Divide<TTable>(this Column<TTable, long> column, long value)
        where TTable : Table<TTable>, ITable => new(column.Name, "/=", OvsdbValue.Of(value));

    /// <summary>Keeps the remainder of a division. By zero the server refuses with "domain error".</summary>
    public static Mutation<TTable> Remainder<TTable>(this Column<TTable, long> column, long value)
        where TTable : Table<TTable>, ITable => new(column.Name, "%=", OvsdbValue.Of(value));

    /// <summary>Adds a number; negative numbers subtract.</summary>
    public static Mutation<TTable> Add<TTable>(this Column<TTable, double> column, double value)
        where TTable : Table<TTable>, ITable => new(column.Name, "+=", OvsdbValue.Of(value));

    /// <summary>Multiplies by a number.</summary>
    public static Mutation<TTable> Multiply<TTable>(this Column<TTable, double> column, double value)
        where TTable : Table<TTable>, ITable => new(column.Name, "*=", OvsdbValue.Of(value));

    /// <summary>Inserts members that are not there yet.</summary>
    public static Mutation<TTable> Insert<TTable, T>(this Column<TTable, OvsdbSet<T>> column, params ReadOnlySpan<T> items)
        where TTable : Table<TTable>, ITable
        where T : notnull => new(column.Name, "insert", new OvsdbValue(OvsdbSet.Create(items)));

    /// <summary>Deletes members that are there.</summary>
    public static Mutation<TTable> Delete<TTable, T>(this Column<TTable, OvsdbSet<T>> column, params ReadOnlySpan<T> items)
        where TTable : Table<TTable>, ITable
        where T : notnull => new(column.Name, "delete", new OvsdbValue(OvsdbSet.Create(items)));

    /// <summary>Inserts a pair when the key is not there yet; an existing key keeps its value (RFC 7047 section 5.1).
    /// To replace a value, <see cref="DeleteKeys"/> first.</summary>
    public static Mutation<TTable> Insert<TTable, TKey, TValue>(this Column<TTable, OvsdbMap<TKey, TValue>> column, TKey key, TValue value)
        where TTable : Table<TTable>, ITable
        where TKey : notnull
        where TValue : notnull => new(column.Name, "insert", new OvsdbValue(new OvsdbMap<TKey, TValue>([key], [value])));

    /// <summary>Deletes pairs by key, whatever their values.</summary>
    public static Mutation<TTable> DeleteKeys<TTable, TKey, TValue>(
        this Column<TTable, OvsdbMap<TKey, TValue>> column, params ReadOnlySpan<TKey> keys)
        where TTable : Table<TTable>, ITable
        where TKey : notnull
        where TValue : notnull => new(column.Name, "delete", new OvsdbValue(OvsdbSet.Create(keys)));

    /// <summary>Deletes a pair when both key and value agree.</summary>
    public static Mutation<TTable> DeletePair<TTable, TKey, TValue>(this Column<TTable, OvsdbMap<TKey, TValue>> column, TKey key, TValue value)
        where TTable : Table<TTable>, ITable
        where TKey : notnull
        where TValue : notnull => new(column.Name, "delete", new OvsdbValue(new OvsdbMap<TKey, TValue>([key], [value])));
}
