namespace Weft.Ovsdb;

/// <summary>How a condition compares (RFC 7047 section 5.1, "function").</summary>
public enum ConditionFunction
{
    /// <summary><c>==</c></summary>
    Equal,

    /// <summary><c>!=</c></summary>
    NotEqual,

    /// <summary><c>&lt;</c>, for integers and reals.</summary>
    Less,

    /// <summary><c>&lt;=</c>, for integers and reals.</summary>
    LessOrEqual,

    /// <summary><c>&gt;</c>, for integers and reals.</summary>
    Greater,

    /// <summary><c>&gt;=</c>, for integers and reals.</summary>
    GreaterOrEqual,

    /// <summary><c>includes</c></summary>
    Includes,

    /// <summary><c>excludes</c></summary>
    Excludes,
}
