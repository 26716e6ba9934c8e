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

    /// <summary>Creates a condition on a tunnel option (tun_metadata) of any length, or on its presence.</summary>
    /// <exception cref="ArgumentException">The field is another one.</exception>
    public FieldMatch(Field field, OptionBits option)
    {
        ArgumentNullException.ThrowIfNull(field);
        ArgumentNullException.ThrowIfNull(option);
        if (!field.IsVariable)
        {
            throw new ArgumentException($"{field.Name} is no tunnel option: give a number", nameof(field));
        }

        (Field, Option, Value, Mask) = (field, option, option.Low, option.LowMask);
    }

    /// <summary>The field.</summary>
    public Field Field { get; }

    /// <summary>For tun_metadata of more than 128 bits, or whose presence alone counts: all of it; null otherwise.</summary>
    public OptionBits? Option { get; }

    /// <summary>The value; zero outside the mask. Of a longer <see cref="Option"/> the last 128 bits.</summary>
    public UInt128 Value { get; }

    /// <summary>The bits that are compared. Of a longer <see cref="Option"/> the last 128 bits.</summary>
    public UInt128 Mask { get; }

    /// <summary>For tun_metadata: how many bytes the wire carries (0: the field's own size).</summary>
    internal int WireBytes { get; }

    /// <summary>True when every bit of the field is compared.</summary>
    public bool IsExact => Mask == Field.FullMask && Option is null or { IsExact: true };

    /// <summary>True when a packet with <paramref name="value"/> in this field satisfies the condition. A tunnel option that is there is not zero.</summary>
    public bool Accepts(UInt128 value) => ((value ^ Value) & Mask) == 0 && (Option is null || AcceptsOption(value));

    private bool AcceptsOption(UInt128 value) => Option!.Value.IsEmpty ? value != 0 : Option.Value.Length <= 16 || !Option.Value[..^16].ContainsAnyExcept((byte)0);

    /// <inheritdoc/>
    public override string ToString() => Text.MatchText.Format(this);
}
