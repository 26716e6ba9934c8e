using System.Globalization;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;

namespace Weft.Lab.ApiServer;

/// <summary>The functions: the language's own, its string extensions, and Kubernetes' libraries for lists, regular expressions, addresses and quantities.</summary>
internal static class CelFunctions
{
    private static readonly TimeSpan LongestMatch = TimeSpan.FromSeconds(1);

    /// <summary>Functions that are called on a name: ip.isCanonical, math.greatest, cel.bind.</summary>
    public static string? Namespace(CelNode node) => node is CelNode.Name { Text: "ip" or "math" or "base64" } name ? name.Text : null;

    /// <summary>Type names are values: <c>type(x) == int</c>.</summary>
    public static object? Type(string name) =>
        name is "int" or "uint" or "double" or "bool" or "string" or "bytes" or "list" or "map" or "null_type" ? new CelType(name) : null;

    public static string NameOf(object? value) => value switch
    {
        null => "null_type",
        bool => "bool",
        long => "int",
        double => "double",
        string => "string",
        byte[] => "bytes",
        IReadOnlyList<object?> => "list",
        IReadOnlyDictionary<object, object?> => "map",
        IPAddress => "net.IP",
        CelCidr => "net.CIDR",
        DateTimeOffset => "google.protobuf.Timestamp",
        TimeSpan => "google.protobuf.Duration",
        _ => "type",
    };

    /// <param name="name">With its name space, when it has one.</param>
    /// <param name="arguments">The target of a method first.</param>
    /// <param name="isMethod">Called on a target.</param>
    public static object? Call(string name, List<object?> arguments, bool isMethod)
    {
        object?[] a = [.. arguments];
        try
        {
            return General(name, a) ?? (isMethod ? Text(name, a) ?? Lists(name, a) ?? Addresses(name, a) : Addresses(name, a))
                ?? throw new CelException($"no such overload: {name}({string.Join(", ", a.Select(NameOf))})");
        }
        catch (Exception e) when (e is FormatException or OverflowException or ArgumentException or RegexMatchTimeoutException)
        {
            throw new CelException($"{name}: {e.Message}");
        }
    }

    private static object? General(string name, object?[] a) => (name, a) switch
    {
        ("size", [string s]) => (long)new StringInfo(s).LengthInTextElements,
        ("size", [IReadOnlyList<object?> l]) => (long)l.Count,
        ("size", [IReadOnlyDictionary<object, object?> m]) => (long)m.Count,
        ("size", [byte[] b]) => (long)b.Length,
        ("type", [var v]) => new CelType(NameOf(v)),
        ("dyn", [var v]) => v,
        ("int" or "uint", [long n]) => n,
        ("int" or "uint", [double d]) => checked((long)d),
        ("int" or "uint", [string s]) => long.Parse(s, CultureInfo.InvariantCulture),
        ("double", [long n]) => (double)n,
        ("double", [double d]) => d,
        ("double", [string s]) => double.Parse(s, CultureInfo.InvariantCulture),
        ("string", [string s]) => s,
        ("string", [long n]) => n.ToString(CultureInfo.InvariantCulture),
        ("string", [double d]) => d.ToString(CultureInfo.InvariantCulture),
        ("string", [bool b]) => b ? "true" : "false",
        ("string", [byte[] b]) => Encoding.UTF8.GetString(b),
        ("string", [IPAddress ip]) => ip.ToString(),
        ("string", [CelCidr c]) => c.ToString(),
        ("bytes", [string s]) => Encoding.UTF8.GetBytes(s),
        ("bool", [string s]) => s is "true" or "1" or "t" or "TRUE" or "True",
        ("bool", [bool b]) => b,
        ("timestamp", [string s]) => DateTimeOffset.Parse(s, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal),
        ("duration", [string s]) => Duration(s),
        ("matches", [string s, string p]) => Regex.IsMatch(s, p, RegexOptions.CultureInvariant, LongestMatch),
        ("math.greatest", [IReadOnlyList<object?> l]) => l.Max(Comparer<object?>.Create(CelOperators.Compare)),
        ("math.greatest", [_, ..]) => a.Max(Comparer<object?>.Create(CelOperators.Compare)),
        ("math.least", [IReadOnlyList<object?> l]) => l.Min(Comparer<object?>.Create(CelOperators.Compare)),
        ("math.least", [_, ..]) => a.Min(Comparer<object?>.Create(CelOperators.Compare)),
        ("isURL", [string s]) => Uri.TryCreate(s, UriKind.Absolute, out _),
        _ => null,
    };

    private static object? Text(string name, object?[] a) => (name, a) switch
    {
        ("startsWith", [string s, string t]) => s.StartsWith(t, StringComparison.Ordinal),
        ("endsWith", [string s, string t]) => s.EndsWith(t, StringComparison.Ordinal),
        ("contains", [string s, string t]) => s.Contains(t, StringComparison.Ordinal),
        ("lowerAscii", [string s]) => s.ToLowerInvariant(),
        ("upperAscii", [string s]) => s.ToUpperInvariant(),
        ("trim", [string s]) => s.Trim(),
        ("charAt", [string s, long i]) => i == s.Length ? "" : s[(int)i].ToString(),
        ("indexOf", [string s, string t]) => (long)s.IndexOf(t, StringComparison.Ordinal),
        ("indexOf", [string s, string t, long i]) => (long)s.IndexOf(t, (int)i, StringComparison.Ordinal),
        ("lastIndexOf", [string s, string t]) => (long)s.LastIndexOf(t, StringComparison.Ordinal),
        ("substring", [string s, long i]) => s[(int)i..],
        ("substring", [string s, long i, long j]) => s[(int)i..(int)j],
        ("replace", [string s, string t, string u]) => s.Replace(t, u, StringComparison.Ordinal),
        ("split", [string s, string t]) => Split(s, t, -1),
        ("split", [string s, string t, long n]) => Split(s, t, (int)n),
        ("find", [string s, string p]) => Regex.Match(s, p, RegexOptions.CultureInvariant, LongestMatch).Value,
        ("findAll", [string s, string p]) => Regex.Matches(s, p, RegexOptions.CultureInvariant, LongestMatch).Select(m => (object?)m.Value).ToList(),
        ("join", [IReadOnlyList<object?> l]) => string.Concat(l),
        ("join", [IReadOnlyList<object?> l, string t]) => string.Join(t, l),
        ("format", [string s, IReadOnlyList<object?> l]) => Format(s, l),
        ("getHours", [TimeSpan t]) => (long)t.TotalHours,
        ("getMinutes", [TimeSpan t]) => (long)t.TotalMinutes,
        ("getSeconds", [TimeSpan t]) => (long)t.TotalSeconds,
        _ => null,
    };

    private static object? Lists(string name, object?[] a) => (name, a) switch
    {
        ("isSorted", [IReadOnlyList<object?> l]) => l.Zip(l.Skip(1)).All(p => CelOperators.Compare(p.First, p.Second) <= 0),
        ("sum", [IReadOnlyList<object?> l]) => l.Count == 0 ? 0L : l.Aggregate((x, y) => CelOperators.Apply("+", x, y)),
        ("min", [IReadOnlyList<object?> l]) => l.Min(Comparer<object?>.Create(CelOperators.Compare)),
        ("max", [IReadOnlyList<object?> l]) => l.Max(Comparer<object?>.Create(CelOperators.Compare)),
        ("indexOf", [IReadOnlyList<object?> l, var v]) => (long)l.ToList().FindIndex(i => CelOperators.Same(i, v)),
        ("lastIndexOf", [IReadOnlyList<object?> l, var v]) => (long)l.ToList().FindLastIndex(i => CelOperators.Same(i, v)),
        ("distinct", [IReadOnlyList<object?> l]) => l.Where((v, i) => l.Take(i).All(b => !CelOperators.Same(b, v))).ToList(),
        ("reverse", [IReadOnlyList<object?> l]) => l.Reverse().ToList(),
        ("flatten", [IReadOnlyList<object?> l]) => l.SelectMany(i => i as IReadOnlyList<object?> ?? [i]).ToList(),
        ("first", [IReadOnlyList<object?> { Count: > 0 } l]) => l[0],
        ("last", [IReadOnlyList<object?> { Count: > 0 } l]) => l[^1],
        _ => null,
    };

    private static object? Addresses(string name, object?[] a) => (name, a) switch
    {
        ("isIP", [string s]) => CelCidr.TryAddress(s, out _),
        ("ip", [string s]) => CelCidr.TryAddress(s, out var ip) ? ip : throw new CelException($"IP Address \"{s}\" parse error"),
        ("ip.isCanonical", [string s]) => CelCidr.TryAddress(s, out var ip) && ip!.ToString() == s,
        ("isCIDR", [string s]) => CelCidr.TryParse(s, out _),
        ("cidr", [string s]) => CelCidr.TryParse(s, out var c) ? c : throw new CelException($"network address parse error: invalid CIDR address: {s}"),
        ("family", [IPAddress ip]) => ip.GetAddressBytes().Length == 4 ? 4L : 6L,
        ("isUnspecified", [IPAddress ip]) => ip.Equals(IPAddress.Any) || ip.Equals(IPAddress.IPv6Any),
        ("isLoopback", [IPAddress ip]) => IPAddress.IsLoopback(ip),
        ("isLinkLocalUnicast", [IPAddress ip]) => ip.IsIPv6LinkLocal || ip.GetAddressBytes() is [169, 254, _, _],
        ("isLinkLocalMulticast", [IPAddress ip]) => ip.GetAddressBytes() is [224, 0, 0, _] || ip.GetAddressBytes() is [0xFF, var scope, ..] && (scope & 0xF) == 2,
        ("isGlobalUnicast", [IPAddress ip]) => !IPAddress.IsLoopback(ip) && !ip.IsIPv6Multicast && !ip.IsIPv6LinkLocal && !ip.Equals(IPAddress.Any) && !ip.Equals(IPAddress.IPv6Any)
            && ip.GetAddressBytes() is not [169, 254, _, _] and not [>= 224 and < 240, _, _, _] and not [255, 255, 255, 255],
        ("ip", [CelCidr c]) => c.Address,
        ("prefixLength", [CelCidr c]) => (long)c.PrefixLength,
        ("masked", [CelCidr c]) => c.Masked(),
        ("containsIP", [CelCidr c, IPAddress ip]) => c.Contains(ip),
        ("containsIP", [CelCidr c, string s]) => CelCidr.TryAddress(s, out var ip) && c.Contains(ip!),
        ("containsCIDR", [CelCidr c, CelCidr d]) => c.Contains(d),
        ("containsCIDR", [CelCidr c, string s]) => CelCidr.TryParse(s, out var d) && c.Contains(d!),
        _ => null,
    };

    private static List<object?> Split(string text, string separator, int limit)
    {
        if (separator.Length == 0)
        {
            return [.. text.Select(c => (object?)c.ToString())];
        }

        return limit == 0 ? [] : [.. (limit < 0 ? text.Split(separator) : text.Split(separator, limit))];
    }

    private static string Format(string format, IReadOnlyList<object?> values)
    {
        var next = 0;
        return Regex.Replace(format, @"%(%|\.?[0-9]*[sdfebxXo])", m =>
        {
            if (m.Value == "%%")
            {
                return "%";
            }

            var value = next < values.Count ? values[next++] : throw new CelException("format: too few values");
            return value is IReadOnlyList<object?> list ? $"[{string.Join(", ", list)}]" : Convert.ToString(value, CultureInfo.InvariantCulture) ?? "null";
        }, RegexOptions.None, LongestMatch);
    }

    private static TimeSpan Duration(string text)
    {
        var total = TimeSpan.Zero;
        var matches = Regex.Matches(text, @"([0-9.]+)(ms|us|ns|h|m|s)", RegexOptions.None, LongestMatch);
        foreach (Match part in matches)
        {
            var number = double.Parse(part.Groups[1].Value, CultureInfo.InvariantCulture);
            total += part.Groups[2].Value switch
            {
                "h" => TimeSpan.FromHours(number),
                "m" => TimeSpan.FromMinutes(number),
                "s" => TimeSpan.FromSeconds(number),
                "ms" => TimeSpan.FromMilliseconds(number),
                "us" => TimeSpan.FromMicroseconds(number),
                _ => TimeSpan.FromMicroseconds(number / 1000),
            };
        }

        return matches.Sum(m => m.Length) + (text.StartsWith('-') ? 1 : 0) == text.Length && matches.Count > 0
            ? (text.StartsWith('-') ? -total : total) : throw new FormatException($"\"{text}\" is no duration");
    }

    private sealed record CelType(string Name);
}
