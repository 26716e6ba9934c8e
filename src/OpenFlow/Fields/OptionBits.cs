using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Fields;

/// <summary>Value and mask of a tunnel option (tun_metadata) that 128 bits do not hold, or of which only the presence counts. Immutable.</summary>
/// <remarks>Both are big-endian, of the same length, 0 to 124 bytes; what is in front of them is zero. A length of 0 with a mask asks whether the option is there.</remarks>
public sealed class OptionBits : IEquatable<OptionBits>
{
    /// <summary>The most bytes of a Geneve option.</summary>
    public const int MostBytes = 124;

    private readonly byte[] _value;
    private readonly byte[]? _mask;

    /// <summary>The option has this value in the bits that are one in the mask; bits of the value outside are cleared.</summary>
    /// <param name="value">At most 124 bytes, the most significant first.</param>
    /// <param name="mask">As long as the value; empty for all bits of the option.</param>
    /// <exception cref="ArgumentException">Too long, or not of equal length.</exception>
    public OptionBits(ReadOnlySpan<byte> value, ReadOnlySpan<byte> mask = default)
        : this(value.ToArray(), mask.IsEmpty ? null : mask.ToArray())
    {
        if (value.Length > MostBytes || (!mask.IsEmpty && mask.Length != value.Length))
        {
            throw new ArgumentException($"a tunnel option has at most {MostBytes} bytes, and a mask of its length; {value.Length} and {mask.Length} are given", nameof(value));
        }
    }

    private OptionBits(byte[] value, byte[]? mask)
    {
        (_value, _mask) = (value, mask);
        for (var i = 0; i < value.Length && mask is not null && mask.Length == value.Length; i++)
        {
            value[i] &= mask[i];
        }
    }

    /// <summary>The option is there, whatever its value.</summary>
    public static OptionBits Present { get; } = new((byte[])[], (byte[])[]);

    /// <summary>The value; zero outside the mask.</summary>
    public ReadOnlySpan<byte> Value => _value;

    /// <summary>The bits that count; empty when all do.</summary>
    public ReadOnlySpan<byte> Mask => _mask;

    /// <summary>True when all bits of the option count, also those in front of the value.</summary>
    public bool IsExact => _mask is null;

    /// <summary>The least significant 128 bits.</summary>
    internal UInt128 Low => WireReader.ReadNumber(Value[Math.Max(0, _value.Length - 16)..]);

    /// <summary>The least significant 128 bits of the mask.</summary>
    internal UInt128 LowMask => IsExact ? UInt128.MaxValue : WireReader.ReadNumber(Mask[Math.Max(0, _value.Length - 16)..]);

    /// <summary>Bits from <paramref name="offset"/> on with this value.</summary>
    internal static OptionBits At(int offset, int count, UInt128 value)
    {
        var bytes = (offset + count + 7) / 8;
        var (bits, mask) = (new byte[bytes], new byte[bytes]);
        for (var i = 0; i < count; i++)
        {
            var place = bytes - 1 - ((offset + i) / 8);
            var bit = (byte)(1 << ((offset + i) % 8));
            mask[place] |= bit;
            bits[place] |= i < 128 && (value >> i & 1) != 0 ? bit : (byte)0;
        }

        return new OptionBits(bits, mask);
    }

    /// <inheritdoc/>
    public bool Equals(OptionBits? other) => other is not null && IsExact == other.IsExact && Value.SequenceEqual(other.Value) && Mask.SequenceEqual(other.Mask);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as OptionBits);

    /// <inheritdoc/>
    public override int GetHashCode() => ByteHash.Of(_value);

    /// <summary>Writes header, value and mask.</summary>
    internal void Write(WireWriter writer, ulong header)
    {
        header = (header & ~(0xffUL << 32)) | ((ulong)_value.Length << 32);
        OxmCodec.WriteHeader(writer, IsExact ? header : OxmCodec.WithMask(header));
        writer.Bytes(_value);
        writer.Bytes(_mask);
    }
}
