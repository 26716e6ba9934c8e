namespace Weft.Ovsdb;

/// <summary>A set whose member type is known only at run time.</summary>
internal interface IOvsdbSet
{
    /// <summary>The members' type.</summary>
    AtomType Type { get; }

    /// <summary>The number of members.</summary>
    int Count { get; }

    /// <summary>The members, boxed.</summary>
    IEnumerable<object> Atoms { get; }
}
