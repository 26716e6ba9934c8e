using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Text;
using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Actions;

/// <summary>Writes a whole field (OFPAT_SET_FIELD), or masked bits of it.</summary>
/// <remarks>OpenFlow 1.3 has no masked set_field: like Open vSwitch, the library then encodes one NXAST_REG_LOAD for each run of ones.</remarks>
public sealed record SetField : FlowAction
{
    /// <summary>Writes all bits.</summary>
    public SetField(Field field, UInt128 value)
        : this(field, value, field.FullMask)
    {
    }

    /// <summary>Writes the bits that are one in <paramref name="mask"/>.</summary>
    public SetField(Field field, UInt128 value, UInt128 mask)
    {
        if (!field.IsWritable)
        {
            throw new ArgumentException($"{field.Name} cannot be written", nameof(field));
        }

        var condition = field.IsMaskable || mask == field.FullMask
            ? new FieldMatch(field, value, mask)
            : throw new ArgumentException($"{field.Name} is written whole, without a mask", nameof(mask));
        (Field, Value, Mask) = (field, condition.Value, mask);
    }

    /// <summary>Writes a tunnel option (tun_metadata) of any length.</summary>
    /// <exception cref="ArgumentException">The field is another one, or only the presence of the option is given.</exception>
    public SetField(Field field, OptionBits option)
        : this(field, new FieldMatch(field, option).Value, UInt128.MaxValue) => Option = option.IsExact || !option.Value.IsEmpty
            ? option
            : throw new ArgumentException($"{field.Name}: give a value to write", nameof(option));

    /// <summary>The field.</summary>
    public Field Field { get; }

    /// <summary>Value and mask of a tunnel option that 128 bits do not hold; null otherwise.</summary>
    public OptionBits? Option { get; private init; }

    /// <summary>The new value.</summary>
    public UInt128 Value { get; }

    /// <summary>The bits that change.</summary>
    public UInt128 Mask { get; }

    internal int WireBytes { get; init; }

    /// <summary>True for NXAST_REG_LOAD2.</summary>
    internal bool IsLoad2 { get; init; }

    /// <summary>True for a load of more than 64 bits, which is one NXAST_REG_LOAD for each 64.</summary>
    internal bool IsLoad { get; init; }

    internal override void Encode(WireWriter w)
    {
        var whole = Option is null ? Mask == Field.FullMask : Option.IsExact;
        if (!IsLoad2 && !IsLoad && whole)
        {
            var start = w.Length;
            w.U16(25);
            w.U16(0);
            EncodeField(w, Field.OxmHeader);
            End(w, start);
        }
        else if (IsLoad2 || Field.IsNxmExperimenter || Field.IsVariable)
        {
            var start = BeginNicira(w, 33);
            EncodeField(w, Field.NxmHeader);
            End(w, start);
        }
        else
        {
            foreach (var (range, value) in Runs())
            {
                new RegLoad(range, value).Encode(w);
            }
        }
    }

    private void EncodeField(WireWriter w, ulong header)
    {
        if (Option is { } option)
        {
            option.Write(w, header);
            return;
        }

        OxmCodec.Write(w, Field, header, Value, Mask, WireBytes, alwaysMasked: Field.IsVariable && Mask != Field.FullMask);
    }

    internal override void Format(FlowTextWriter text)
    {
        text.Put("set_field:");
        if (Option is { } option)
        {
            text.Option(option);
        }
        else
        {
            text.Value(Field, Value, Mask);
        }

        text.Put($"->{Field.Name}");
    }

    /// <summary>Runs of ones in the mask, at most 64 bits each, lowest first.</summary>
    private IEnumerable<(BitRange Range, ulong Value)> Runs()
    {
        for (var bit = 0; bit < Field.Bits;)
        {
            if ((Mask >> bit & 1) == 0)
            {
                bit++;
                continue;
            }

            var count = 1;
            while (count < 64 && bit + count < Field.Bits && (Mask >> (bit + count) & 1) != 0)
            {
                count++;
            }

            var range = new BitRange(Field, bit, count);
            yield return (range, (ulong)range.Read(Value));
            bit += count;
        }
    }
}

/// <summary>Writes a number into bits of a field (NXAST_REG_LOAD).</summary>
/// <param name="Target">At most 64 bits of a writable field.</param>
/// <param name="Value">The number; must fit.</param>
public sealed record RegLoad(BitRange Target, ulong Value) : FlowAction
{
    internal override void Encode(WireWriter w)
    {
        if (Target.Field.IsVariable && !Target.IsWhole && Target.Offset + Target.Count >= 128)
        {
            new SetField(Target.Field, OptionBits.At(Target.Offset, Target.Count, Value)) { IsLoad2 = true }.Encode(w);
            return;
        }

        if (Target.Field.IsNxmExperimenter || Target.Field.IsVariable)
        {
            new SetField(Target.Field, (UInt128)Value << Target.Offset, Target.Mask) { IsLoad2 = true }.Encode(w);
            return;
        }

        var start = BeginNicira(w, 7);
        w.U16(SubfieldCodec.OffsetAndCount(Target));
        OxmCodec.WriteHeader(w, Target.Field.NxmHeader);
        w.U64(Value);
        End(w, start);
    }

    internal override void Format(FlowTextWriter text)
    {
        text.Put("load:");
        text.Hex(Value);
        text.Put($"->{Target}");
    }
}

/// <summary>Copies bits of one field to another (NXAST_REG_MOVE).</summary>
public sealed record RegMove : FlowAction
{
    /// <summary>Copies <paramref name="source"/> to <paramref name="target"/>.</summary>
    /// <exception cref="ArgumentException">They are not equally wide.</exception>
    public RegMove(BitRange source, BitRange target)
    {
        if (source.Count != target.Count)
        {
            throw new ArgumentException($"{source} has {source.Count} bits, {target} has {target.Count}: they must be equal", nameof(target));
        }

        (Source, Target) = (source, target);
    }

    /// <summary>Where the bits come from.</summary>
    public BitRange Source { get; }

    /// <summary>Where they go.</summary>
    public BitRange Target { get; }

    /// <summary>True for the ONF copy-field extension (3200).</summary>
    internal bool IsOnfCopy { get; init; }

    internal override void Encode(WireWriter w)
    {
        var start = w.Length;
        w.U16(0xffff);
        w.U16(0);
        w.U32(IsOnfCopy ? Vendors.Onf : Vendors.Nicira);
        w.U16(IsOnfCopy ? (ushort)3200 : (ushort)6);
        w.Zeros(IsOnfCopy ? 2 : 0);
        w.U16((ushort)Source.Count);
        w.U16((ushort)Source.Offset);
        w.U16((ushort)Target.Offset);
        w.Zeros(IsOnfCopy ? 2 : 0);
        OxmCodec.WriteHeader(w, IsOnfCopy ? Source.Field.OxmHeader : Source.Field.NxmHeader);
        OxmCodec.WriteHeader(w, IsOnfCopy ? Target.Field.OxmHeader : Target.Field.NxmHeader);
        End(w, start);
    }

    internal override void Format(FlowTextWriter text) => text.Put($"move:{Source}->{Target}");
}

/// <summary>Puts bits on the stack, or takes them off it (NXAST_STACK_PUSH, NXAST_STACK_POP).</summary>
public sealed record Stack(BitRange Range, bool IsPush) : FlowAction
{
    internal override void Encode(WireWriter w)
    {
        var start = BeginNicira(w, IsPush ? 27 : 28);
        w.U16((ushort)Range.Offset);
        OxmCodec.WriteHeader(w, Range.Field.NxmHeader);
        w.U16((ushort)Range.Count);
        w.Zeros(start + 24 - w.Length);
        End(w, start);
    }

    internal override void Format(FlowTextWriter text) => text.Put($"{(IsPush ? "push" : "pop")}:{Range}");
}

/// <summary>Removes a tunnel option (NXAST_DELETE_FIELD).</summary>
public sealed record DeleteField(Field Field) : FlowAction
{
    internal override void Encode(WireWriter w)
    {
        var start = BeginNicira(w, 50);
        OxmCodec.WriteHeader(w, Field.NxmHeader);
        w.Zeros(start + 24 - w.Length);
        End(w, start);
    }

    internal override void Format(FlowTextWriter text) => text.Put($"delete_field:{Field.Name}");
}

/// <summary>Writes one bit: is the packet longer than a number of bytes? (NXAST_CHECK_PKT_LARGER)</summary>
public sealed record CheckPacketLarger(ushort PacketLength, BitRange Target) : FlowAction
{
    internal override void Encode(WireWriter w)
    {
        var start = BeginNicira(w, 49);
        w.U16(PacketLength);
        w.U16((ushort)Target.Offset);
        OxmCodec.WriteHeader(w, Target.Field.NxmHeader);
        w.Zeros(start + 24 - w.Length);
        End(w, start);
    }

    internal override void Format(FlowTextWriter text) => text.Put($"check_pkt_larger({PacketLength})->{Target}");
}
