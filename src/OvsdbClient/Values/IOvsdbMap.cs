namespace Weft.Ovsdb;

/// <summary>A map whose types are known only at run time.</summary>
internal interface IOvsdbMap
{
    /// <summary>The keys' type.</summary>
    AtomType KeyType { get; }

    /// <summary>The values' type.</summary>
    AtomType ValueType { get; }

    /// <summary>The number of pairs.</summary>
    int Count { get; }

    /// <summary>The pairs, boxed.</summary>
    IEnumerable<KeyValuePair<object, object>> Atoms { get; }
}
