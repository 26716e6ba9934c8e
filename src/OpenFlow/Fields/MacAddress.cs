using System.Globalization;

namespace Weft.OpenFlow.Fields;

/// <summary>A 48-bit Ethernet address.</summary>
/// <param name="Bits">The address as a number; the first octet is the most significant.</param>
public readonly record struct MacAddress(ulong Bits) : ISpanFormattable
{
    /// <summary>ff:ff:ff:ff:ff:ff.</summary>
    public static MacAddress Broadcast => new(0xffff_ffff_ffff);

    /// <summary>Reads six octets.</summary>
    public static MacAddress From(ReadOnlySpan<byte> octets) =>
        octets.Length == 6 ? new((ulong)Wire.WireReader.ReadNumber(octets)) : throw new ArgumentException("six octets are needed", nameof(octets));

    /// <summary>Reads "0a:58:0a:00:00:01".</summary>
    /// <exception cref="OpenFlowTextException">It is not an Ethernet address.</exception>
    public static MacAddress Parse(string text) =>
        TryParse(text, out var mac) ? mac : throw new OpenFlowTextException($"{text}: an Ethernet address has six hexadecimal octets, xx:xx:xx:xx:xx:xx");

    /// <summary>Reads "0a:58:0a:00:00:01"; false when it is not that.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out MacAddress mac)
    {
        mac = default;
        ulong bits = 0;
        var count = 0;
        foreach (var part in text.Split(':'))
        {
            if (!byte.TryParse(text[part], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var octet) || text[part].Length > 2)
            {
                return false;
            }

            bits = (bits << 8) | octet;
            count++;
        }

        mac = new(bits);
        return count == 6;
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{this}");

    string IFormattable.ToString(string? format, IFormatProvider? formatProvider) => ToString();

    bool ISpanFormattable.TryFormat(Span<char> destination, out int charsWritten, ReadOnlySpan<char> format, IFormatProvider? provider) =>
        destination.TryWrite(
            CultureInfo.InvariantCulture,
            $"{(byte)(Bits >> 40):x2}:{(byte)(Bits >> 32):x2}:{(byte)(Bits >> 24):x2}:{(byte)(Bits >> 16):x2}:{(byte)(Bits >> 8):x2}:{(byte)Bits:x2}",
            out charsWritten);
}
