using System.Collections.Immutable;

namespace Weft.Ovsdb;

/// <summary>An atomic type with its constraints (RFC 7047 section 3.2, "base-type").</summary>
public sealed record BaseType(AtomType Type)
{
    /// <summary>The allowed values; empty when every value is allowed.</summary>
    public ImmutableArray<OvsdbValue> Enum { get; init; } = [];

    /// <summary>The smallest integer allowed.</summary>
    public long MinInteger { get; init; } = long.MinValue;

    /// <summary>The largest integer allowed.</summary>
    public long MaxInteger { get; init; } = long.MaxValue;

    /// <summary>The smallest real allowed.</summary>
    public double MinReal { get; init; } = double.NegativeInfinity;

    /// <summary>The largest real allowed.</summary>
    public double MaxReal { get; init; } = double.PositiveInfinity;

    /// <summary>The least number of characters.</summary>
    public long MinLength { get; init; }

    /// <summary>The greatest number of characters.</summary>
    public long MaxLength { get; init; } = long.MaxValue;

    /// <summary>The table whose rows a uuid refers to, or null.</summary>
    public string? RefTable { get; init; }

    /// <summary>True when a reference disappears by itself with the row that it names.</summary>
    public bool IsWeak { get; init; }

    /// <summary>What is wrong with an atom by this type, or null when nothing is.</summary>
    internal string? Refuse(object atom)
    {
        if (Atom.TypeOf(atom) != Type)
        {
            return $"is of type {Name(Atom.TypeOf(atom))}, but must be of type {Name(Type)}";
        }

        if (!Enum.IsEmpty && !Enum.Contains(new OvsdbValue(atom)))
        {
            return $"is not one of {string.Join(", ", Enum)}";
        }

        return atom switch
        {
            long number when number < MinInteger || number > MaxInteger => $"is outside {MinInteger} to {MaxInteger}",
            double number when number < MinReal || number > MaxReal => $"is outside {MinReal} to {MaxReal}",
            string text when text.Length < MinLength || text.Length > MaxLength =>
                $"has {text.Length} characters, but must have {MinLength} to {MaxLength}",
            _ => null,
        };
    }

    /// <summary>The type's name in schemas.</summary>
    internal static string Name(AtomType type) => type switch
    {
        AtomType.Integer => "integer",
        AtomType.Real => "real",
        AtomType.Boolean => "boolean",
        AtomType.String => "string",
        _ => "uuid",
    };
}
