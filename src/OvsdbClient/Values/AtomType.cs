namespace Weft.Ovsdb;

/// <summary>The atomic types of a column (RFC 7047 section 3.2, "atomic-type").</summary>
public enum AtomType
{
    /// <summary>A signed 64-bit number, <see cref="long"/>.</summary>
    Integer,

    /// <summary>A double-precision number, <see cref="double"/>.</summary>
    Real,

    /// <summary>True or false, <see cref="bool"/>.</summary>
    Boolean,

    /// <summary>Unicode text, <see cref="string"/>.</summary>
    String,

    /// <summary>The identity of a row, <see cref="Guid"/>.</summary>
    Uuid,
}
