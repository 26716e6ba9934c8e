using System.Globalization;

namespace Weft.OpenFlow.Text;

/// <summary>Numbers in text: decimal, 0x hexadecimal, and with a name for the error.</summary>
internal static class NumberText
{
    private static readonly System.Buffers.SearchValues<char> HexDigits = System.Buffers.SearchValues.Create("0123456789abcdefABCDEF");

    public static UInt128 Parse(string text, string what)
    {
        UInt128 value;
        var ok = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase)
            ? UInt128.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value)
            : UInt128.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
        return ok ? value : throw new OpenFlowTextException($"{what}: \"{text}\" is not a number (decimal, or hexadecimal with 0x)");
    }

    /// <summary>The bytes of a hexadecimal number of any length, without zeros in front; null when it is none.</summary>
    public static byte[]? Long(string text)
    {
        if (!text.StartsWith("0x", StringComparison.OrdinalIgnoreCase) || text.Length == 2 || text.AsSpan(2).ContainsAnyExcept(HexDigits))
        {
            return null;
        }

        var digits = text[2..].TrimStart('0');
        return Convert.FromHexString(digits.Length % 2 == 0 ? digits : "0" + digits);
    }

    public static ulong U64(string text, string what) => (ulong)Limited(text, what, ulong.MaxValue);

    public static uint U32(string text, string what) => (uint)Limited(text, what, uint.MaxValue);

    public static ushort U16(string text, string what) => (ushort)Limited(text, what, ushort.MaxValue);

    public static byte U8(string text, string what) => (byte)Limited(text, what, byte.MaxValue);

    private static UInt128 Limited(string text, string what, ulong max)
    {
        var value = Parse(text, what);
        return value <= max ? value : throw new OpenFlowTextException($"{what}: {text} is more than {max}");
    }
}
