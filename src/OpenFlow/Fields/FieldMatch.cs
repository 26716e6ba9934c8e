namespace Weft.OpenFlow.Fields;

/// <summary>One condition: the bits of a field that are one in the mask have the value's bits.</summary>
public readonly record struct FieldMatch
{
    /// <summary>Creates a condition; bits of the value outside the mask are cleared.</summary>
    /// <exception cref="ArgumentException">The value or mask is wider than the field, or the field takes no such mask.</exception>
    public FieldMatch(Field field, UInt128 value, UInt128 mask)
    {
        ArgumentNullException.ThrowIfNull(field);
        if ((mask & ~field.FullMask) != 0 || (value & mask & ~field.FullMask) != 0 || (mask == field.FullMask && (value & ~field.FullMask) != 0))
        {
            throw new ArgumentException($"{field.Name} has {field.Bits} bits: the value or mask is wider", nameof(value));
        }

        if (!field.IsMaskable && mask != field.FullMask && mask != 0)
        {
            throw new ArgumentException($"{field.Name} takes no mask: give the whole value", nameof(mask));
        }

        Field = field;
        Value = value & mask;
        Mask = mask;
    }

    internal FieldMatch(Field field, UInt128 value, UInt128 mask, int wireBytes)
        : this(field, value, mask) => WireBytes = wireBytes;

    /// <summary>The field.</summary>
    public Field Field { get; }

    /// <summary>The value; zero outside the mask.</summary>
    public UInt128 Value { get; }

    /// <summary>The bits that are compared.</summary>
    public UInt128 Mask { get; }

    /// <summary>For tun_metadata: how many bytes the wire carries (0: the field's own size).</summary>
    internal int WireBytes { get; }

    /// <summary>True when every bit of the field is compared.</summary>
    public bool IsExact => Mask == Field.FullMask;

    /// <summary>True when a packet with <paramref name="value"/> in this field satisfies the condition.</summary>
    public bool Accepts(UInt128 value) => ((value ^ Value) & Mask) == 0;

    /// <inheritdoc/>
    public override string ToString() => Text.MatchText.Format(this);
}
