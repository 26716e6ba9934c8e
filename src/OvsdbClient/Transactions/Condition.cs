namespace Weft.Ovsdb;

/// <summary>A clause that selects rows (RFC 7047 section 5.1, "condition").</summary>
/// <param name="Column">The column's name.</param>
/// <param name="Function">The comparison.</param>
/// <param name="Value">What to compare with.</param>
public record Condition(string Column, ConditionFunction Function, OvsdbValue Value)
{
    /// <summary>The row with this identity.</summary>
    public static Condition Row(Guid uuid) => new("_uuid", ConditionFunction.Equal, OvsdbValue.Of(uuid));

    internal string FunctionText => Function switch
    {
        ConditionFunction.Equal => "==",
        ConditionFunction.NotEqual => "!=",
        ConditionFunction.Less => "<",
        ConditionFunction.LessOrEqual => "<=",
        ConditionFunction.Greater => ">",
        ConditionFunction.GreaterOrEqual => ">=",
        ConditionFunction.Includes => "includes",
        _ => "excludes",
    };

    /// <summary>The clause as people write it.</summary>
    public sealed override string ToString() => $"{Column} {FunctionText} {Value}";
}

/// <summary>A clause about rows of one table.</summary>
/// <typeparam name="TTable">The table.</typeparam>
/// <param name="Column">The column's name.</param>
/// <param name="Function">The comparison.</param>
/// <param name="Value">What to compare with.</param>
public sealed record Condition<TTable>(string Column, ConditionFunction Function, OvsdbValue Value) : Condition(Column, Function, Value)
    where TTable : Table<TTable>, ITable;
