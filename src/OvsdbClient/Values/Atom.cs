using System.Globalization;

namespace Weft.Ovsdb;

/// <summary>The mapping between atomic types, CLR types and text. Internal: values reach users typed.</summary>
internal static class Atom
{
    private static readonly object True = true;
    private static readonly object False = false;
    private static readonly object[] SmallIntegers = [.. Enumerable.Range(-16, 1040).Select(i => (object)(long)i)];

    /// <summary>The atomic type that <typeparamref name="T"/> stands for.</summary>
    public static AtomType TypeOf<T>() =>
        typeof(T) == typeof(long) ? AtomType.Integer :
        typeof(T) == typeof(double) ? AtomType.Real :
        typeof(T) == typeof(bool) ? AtomType.Boolean :
        typeof(T) == typeof(string) ? AtomType.String :
        typeof(T) == typeof(Guid) ? AtomType.Uuid :
        throw new NotSupportedException($"{typeof(T).Name} is no OVSDB atom: use long, double, bool, string or Guid");

    /// <summary>The atomic type of a boxed atom.</summary>
    public static AtomType TypeOf(object atom) => atom switch
    {
        long => AtomType.Integer,
        double => AtomType.Real,
        bool => AtomType.Boolean,
        string => AtomType.String,
        Guid => AtomType.Uuid,
        _ => throw new NotSupportedException($"{atom.GetType().Name} is no OVSDB atom: use long, double, bool, string or Guid"),
    };

    /// <summary>What a column of this type holds when nobody set it (RFC 7047 section 5.2.1).</summary>
    public static object Default(AtomType type) => type switch
    {
        AtomType.Integer => Box(0),
        AtomType.Real => 0.0,
        AtomType.Boolean => False,
        AtomType.String => "",
        AtomType.Uuid => Guid.Empty,
        _ => throw new ArgumentOutOfRangeException(nameof(type)),
    };

    /// <summary>Boxes without allocating for the numbers that most rows hold.</summary>
    public static object Box(long value) => value is >= -16 and < 1024 ? SmallIntegers[value + 16] : value;

    /// <summary>Boxes without allocating.</summary>
    public static object Box(bool value) => value ? True : False;

    /// <summary>Boxes an atom of any of the five types.</summary>
    public static object BoxAny<T>(T value) => value switch
    {
        long number => Box(number),
        bool flag => Box(flag),
        _ => value!,
    };

    /// <summary>Orders atoms of one type; strings by code unit, so that equal sets have equal order on every machine.</summary>
    public static int Compare<T>(T left, T right) =>
        left is string text ? string.CompareOrdinal(text, (string)(object)right!) : Comparer<T>.Default.Compare(left, right);

    /// <summary>Text as <c>ovs-vsctl</c> prints it: strings bare, numbers in the invariant culture.</summary>
    public static string Text(object atom) => atom switch
    {
        bool flag => flag ? "true" : "false",
        IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
        _ => (string)atom,
    };
}
