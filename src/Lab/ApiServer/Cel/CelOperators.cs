namespace Weft.Lab.ApiServer;

/// <summary>Comparison and arithmetic (langdef, "Standard Definitions"). Numbers of different kinds compare by value.</summary>
internal static class CelOperators
{
    public static object? Apply(string symbol, object? left, object? right)
    {
        try
        {
            return symbol switch
            {
                "==" => Same(left, right),
                "!=" => !Same(left, right),
                "<" => Compare(left, right) < 0,
                "<=" => Compare(left, right) <= 0,
                ">" => Compare(left, right) > 0,
                ">=" => Compare(left, right) >= 0,
                "in" => In(left, right),
                _ => Compute(symbol, left, right),
            };
        }
        catch (Exception e) when (e is OverflowException or DivideByZeroException)
        {
            throw new CelException(e is DivideByZeroException ? "division by zero" : "integer overflow");
        }
    }

    public static bool Same(object? left, object? right) => (left, right) switch
    {
        (null, null) => true,
        (long a, double b) => a == b,
        (double a, long b) => a == b,
        (byte[] a, byte[] b) => a.AsSpan().SequenceEqual(b),
        (IReadOnlyList<object?> a, IReadOnlyList<object?> b) => a.Count == b.Count && a.Zip(b).All(p => Same(p.First, p.Second)),
        (IReadOnlyDictionary<object, object?> a, IReadOnlyDictionary<object, object?> b) =>
            a.Count == b.Count && a.All(p => b.TryGetValue(p.Key, out var other) && Same(p.Value, other)),
        _ => Equals(left, right),
    };

    public static int Compare(object? left, object? right) => (left, right) switch
    {
        (long a, long b) => a.CompareTo(b),
        (double a, double b) => a.CompareTo(b),
        (long a, double b) => ((double)a).CompareTo(b),
        (double a, long b) => a.CompareTo(b),
        (string a, string b) => string.CompareOrdinal(a, b),
        (bool a, bool b) => a.CompareTo(b),
        (DateTimeOffset a, DateTimeOffset b) => a.CompareTo(b),
        (TimeSpan a, TimeSpan b) => a.CompareTo(b),
        _ => throw Overload("<", left, right),
    };

    private static bool In(object? item, object? set) => set switch
    {
        IReadOnlyList<object?> list => list.Any(i => Same(i, item)),
        IReadOnlyDictionary<object, object?> map => item is not null && map.ContainsKey(item),
        _ => throw Overload("in", item, set),
    };

    private static object Compute(string symbol, object? left, object? right) => (symbol, left, right) switch
    {
        ("+", long a, long b) => checked(a + b),
        ("-", long a, long b) => checked(a - b),
        ("*", long a, long b) => checked(a * b),
        ("/", long a, long b) => a / b,
        ("%", long a, long b) => a % b,
        ("+", double a, double b) => a + b,
        ("-", double a, double b) => a - b,
        ("*", double a, double b) => a * b,
        ("/", double a, double b) => a / b,
        ("+", string a, string b) => a + b,
        ("+", byte[] a, byte[] b) => (byte[])[.. a, .. b],
        ("+", IReadOnlyList<object?> a, IReadOnlyList<object?> b) => (List<object?>)[.. a, .. b],
        ("+", DateTimeOffset a, TimeSpan b) => a + b,
        ("-", DateTimeOffset a, TimeSpan b) => a - b,
        ("-", DateTimeOffset a, DateTimeOffset b) => a - b,
        ("+", TimeSpan a, TimeSpan b) => a + b,
        ("-", TimeSpan a, TimeSpan b) => a - b,
        _ => throw Overload(symbol, left, right),
    };

    private static CelException Overload(string symbol, object? left, object? right) =>
        new($"no such overload: {CelFunctions.NameOf(left)} {symbol} {CelFunctions.NameOf(right)}");
}
