namespace Weft.OpenFlow.Fields;

/// <summary>Neighbouring bits of a field (OVS's subfield): a source or target of load, move, output, ct zones and learn.</summary>
public readonly record struct BitRange
{
    /// <summary>Names <paramref name="count"/> bits of <paramref name="field"/> from bit <paramref name="offset"/> on (0 = least significant).</summary>
    /// <exception cref="ArgumentOutOfRangeException">The bits are not all inside the field.</exception>
    public BitRange(Field field, int offset, int count)
    {
        ArgumentNullException.ThrowIfNull(field);
        if (offset < 0 || count < 1 || offset + count > field.Bits)
        {
            throw new ArgumentOutOfRangeException(nameof(offset), $"{field.Name} has bits 0 to {field.Bits - 1}; {count} bits from bit {offset} on are not inside");
        }

        Field = field;
        Offset = offset;
        Count = count;
    }

    /// <summary>The field.</summary>
    public Field Field { get; }

    /// <summary>The first (least significant) bit.</summary>
    public int Offset { get; }

    /// <summary>How many bits.</summary>
    public int Count { get; }

    /// <summary>The ones of the range, not shifted.</summary>
    internal UInt128 ValueMask => Count >= 128 ? UInt128.MaxValue : (UInt128.One << Count) - 1;

    /// <summary>The ones of the range at their place in the field, as far as they are among the last 128 bits.</summary>
    public UInt128 Mask => Offset >= 128 ? 0 : ValueMask << Offset;

    /// <summary>True when the range is the whole field.</summary>
    public bool IsWhole => Offset == 0 && Count == Field.Bits;

    /// <summary>These bits have this value.</summary>
    public FieldMatch Is(UInt128 value) => Offset + Count <= 128 || IsWhole ? new(Field, Checked(value) << Offset, Mask) : new(Field, OptionBits.At(Offset, Count, Checked(value)));

    /// <summary>An action that writes <paramref name="value"/> into these bits.</summary>
    public Actions.RegLoad Load(UInt128 value) => new(this, (ulong)Checked(value));

    /// <summary>An action that copies these bits to <paramref name="target"/>, which must be as wide.</summary>
    public Actions.RegMove MoveTo(BitRange target) => new(this, target);

    /// <summary>An action that sends the packet to the port whose number is in these bits.</summary>
    public Actions.OutputReg Output(ushort maxLength = 0xffff) => new(this, maxLength);

    /// <summary>Takes these bits out of a value of the whole field, whose bits above 127 count as zero.</summary>
    public UInt128 Read(UInt128 fieldValue) => Offset >= 128 ? 0 : (fieldValue >> Offset) & ValueMask;

    /// <summary>Replaces these bits in a value of the whole field.</summary>
    public UInt128 Write(UInt128 fieldValue, UInt128 value) => Offset >= 128 ? fieldValue : (fieldValue & ~Mask) | ((value & ValueMask) << Offset);

    /// <summary>Text as in ovs-actions(7): NXM_NX_REG0[0..3].</summary>
    public override string ToString() => IsWhole ? $"{Field.NxmName}[]"
        : Count == 1 ? $"{Field.NxmName}[{Offset}]"
        : $"{Field.NxmName}[{Offset}..{Offset + Count - 1}]";

    private UInt128 Checked(UInt128 value) => (value & ~ValueMask) == 0
        ? value
        : throw new ArgumentOutOfRangeException(nameof(value), $"{value} does not fit into the {Count} bits of {this}");
}
