namespace Weft.Ovsdb;

/// <summary>The type of a column: how many atoms, or pairs of atoms, it holds (RFC 7047 section 3.2, "type").</summary>
/// <param name="Key">The type of members, or of a map's keys.</param>
/// <param name="Value">The type of a map's values; null when the column is no map.</param>
/// <param name="Min">The least number of members: 0 or 1.</param>
/// <param name="Max">The greatest number of members; <see cref="Unlimited"/> when there is no limit.</param>
public sealed record ColumnType(BaseType Key, BaseType? Value, int Min, int Max)
{
    /// <summary>The value of <see cref="Max"/> without limit.</summary>
    public const int Unlimited = int.MaxValue;

    private ValueShape? _shape;
    private object? _default;

    /// <summary>True for a map.</summary>
    public bool IsMap => Value is not null;

    /// <summary>True for exactly one atom.</summary>
    public bool IsScalar => Value is null && Min == 1 && Max == 1;

    /// <summary>True for no or one atom.</summary>
    public bool IsOptional => Value is null && Min == 0 && Max == 1;

    /// <summary>What an unset column holds.</summary>
    public OvsdbValue Default => new(IsOptional ? null : _default ??= MakeDefault());

    internal ValueShape Shape => _shape ??= ValueShape.Of(this);

    private object MakeDefault() => IsScalar ? Atom.Default(Key.Type) : Shape.Codec.Empty!;

    /// <summary>What is wrong with a value by this type, or null when nothing is.</summary>
    internal string? Refuse(OvsdbValue value)
    {
        switch (value.Content)
        {
            case IOvsdbMap map:
                return !IsMap ? "is a map, but the column is none"
                    : map.Count > Max ? $"has {map.Count} pairs, but the column holds at most {Max}"
                    : map.Atoms.Select(p => Key.Refuse(p.Key) is { } why ? $"has a key {p.Key} that {why}"
                        : Value!.Refuse(p.Value) is { } other ? $"has a value {p.Value} that {other}" : null).FirstOrDefault(r => r is not null);
            case IOvsdbSet set:
                return IsMap ? "is a set, but the column is a map"
                    : set.Count > Max ? $"has {set.Count} members, but the column holds at most {Max}"
                    : set.Count < Min ? $"is empty, but the column holds at least {Min}"
                    : set.Atoms.Select(a => Key.Refuse(a) is { } why ? $"has a member {a} that {why}" : null).FirstOrDefault(r => r is not null);
            case null:
                return Min > 0 ? "is empty, but the column must have a value" : null;
            default:
                return IsMap ? "is an atom, but the column is a map" : Key.Refuse(value.Content);
        }
    }
}
