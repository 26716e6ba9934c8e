namespace Weft.Ovsdb;

/// <summary>How many atoms a value holds.</summary>
internal enum Cardinality
{
    Scalar,
    Optional,
    Set,
    Map,
}

/// <summary>A column's type without its constraints: what storage and JSON form depend on.</summary>
internal sealed record ValueShape(Cardinality Cardinality, AtomType Key, AtomType Value, bool ReplacesWhole)
{
    /// <summary>Reads and combines values of this shape.</summary>
    public ValueCodec Codec { get; } = ValueCodec.For(Cardinality, Key, Value);

    /// <summary>The shape of a schema's column.</summary>
    public static ValueShape Of(ColumnType type) => new(
        type.IsMap ? Cardinality.Map : type.IsScalar ? Cardinality.Scalar : type.IsOptional ? Cardinality.Optional : Cardinality.Set,
        type.Key.Type,
        type.Value?.Type ?? type.Key.Type,
        // ovsdb-server sends differences only for columns that may hold more than one member (ovsdb_type_is_composite).
        type.Max == 1);

    /// <summary>True when a value of the schema's shape can be read through a key of this shape.</summary>
    public bool CanRead(ValueShape stored) => Cardinality switch
    {
        Cardinality.Map => stored.Cardinality == Cardinality.Map && stored.Key == Key && stored.Value == Value,
        Cardinality.Set => stored.Cardinality != Cardinality.Map && stored.Key == Key,
        Cardinality.Optional => stored.Cardinality is Cardinality.Optional or Cardinality.Scalar && stored.Key == Key,
        _ => stored.Cardinality == Cardinality.Scalar && stored.Key == Key,
    };

    /// <inheritdoc/>
    public override string ToString() => Cardinality switch
    {
        Cardinality.Map => $"map of {BaseType.Name(Key)} to {BaseType.Name(Value)}",
        Cardinality.Set => $"set of {BaseType.Name(Key)}",
        Cardinality.Optional => $"optional {BaseType.Name(Key)}",
        _ => BaseType.Name(Key),
    };
}
