using System.Collections.Immutable;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Text;
using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Actions;

/// <summary>What one part of a learned flow is made of.</summary>
public enum LearnKind
{
    /// <summary>A condition of the learned flow's match.</summary>
    Match,

    /// <summary>A load among the learned flow's actions.</summary>
    Load,

    /// <summary>An output among the learned flow's actions.</summary>
    Output,
}

/// <summary>One part of a learned flow (flow_mod_spec of nicira-ext.h).</summary>
public sealed record LearnSpec
{
    private LearnSpec(LearnKind kind, BitRange? source, UInt128 value, BitRange? target)
    {
        Kind = kind;
        Source = source;
        Value = value;
        Target = target;
    }

    /// <summary>Match, load or output.</summary>
    public LearnKind Kind { get; }

    /// <summary>The bits of the packet that are copied; null when <see cref="Value"/> is.</summary>
    public BitRange? Source { get; }

    /// <summary>The number, when there is no source. Of a longer <see cref="Option"/> the last 128 bits.</summary>
    public UInt128 Value { get; }

    /// <summary>A number of more than 128 bits, for tun_metadata; null otherwise.</summary>
    public OptionBits? Option { get; private init; }

    /// <summary>Where it goes in the learned flow; null for an output.</summary>
    public BitRange? Target { get; }

    internal int Bits => Source?.Count ?? Target!.Value.Count;

    /// <summary>The learned flow matches these bits as they are in the packet.</summary>
    public static LearnSpec Match(BitRange bits) => new(LearnKind.Match, bits, 0, bits);

    /// <summary>The learned flow matches <paramref name="target"/> with what the packet has in <paramref name="source"/>.</summary>
    public static LearnSpec Match(BitRange target, BitRange source) => new(LearnKind.Match, SameWidth(source, target), 0, target);

    /// <summary>The learned flow matches <paramref name="target"/> with a number.</summary>
    public static LearnSpec Match(BitRange target, UInt128 value) => new(LearnKind.Match, null, value, target);

    /// <summary>The learned flow matches <paramref name="target"/>, bits of tun_metadata, with a number of more than 128 bits.</summary>
    public static LearnSpec Match(BitRange target, OptionBits value) => new(LearnKind.Match, null, value.Low, target) { Option = value };

    /// <summary>The learned flow loads a number of more than 128 bits into tun_metadata.</summary>
    public static LearnSpec Load(OptionBits value, BitRange target) => new(LearnKind.Load, null, value.Low, target) { Option = value };

    /// <summary>The learned flow loads a copy of <paramref name="source"/>.</summary>
    public static LearnSpec Load(BitRange source, BitRange target) => new(LearnKind.Load, SameWidth(source, target), 0, target);

    /// <summary>The learned flow loads a number.</summary>
    public static LearnSpec Load(UInt128 value, BitRange target) => new(LearnKind.Load, null, value, target);

    /// <summary>The learned flow outputs to the port in <paramref name="source"/>.</summary>
    public static LearnSpec Output(BitRange source) => new(LearnKind.Output, source, 0, null);

    internal void Encode(WireWriter w)
    {
        w.U16((ushort)(Bits | (Source is null ? 1 << 13 : 0) | ((int)Kind << 11)));
        if (Source is { } source)
        {
            SubfieldCodec.WriteNxm(w, source);
            w.U16((ushort)source.Offset);
        }
        else if (Option is { } option)
        {
            w.Zeros(((Bits + 15) / 16 * 2) - option.Value.Length);
            w.Bytes(option.Value);
        }
        else
        {
            w.Number(Value, (Bits + 15) / 16 * 2);
        }

        if (Target is { } target)
        {
            SubfieldCodec.WriteNxm(w, target);
            w.U16((ushort)target.Offset);
        }
    }

    internal static LearnSpec Decode(ref WireReader r, ushort header)
    {
        var bits = header & 0x3ff;
        var kind = (LearnKind)(header >> 11 & 3);
        var immediate = (header & 1 << 13) != 0;
        if (kind > LearnKind.Output || (kind == LearnKind.Output && immediate))
        {
            throw new OpenFlowFormatException($"learn: a specification 0x{header:x4} does not exist", "OFPBAC_BAD_ARGUMENT");
        }

        if (bits == 0)
        {
            throw new OpenFlowFormatException($"learn: a specification of {bits} bits", "OFPBAC_BAD_SET_LEN");
        }

        var source = immediate ? (BitRange?)null : SubfieldCodec.Range(OxmCodec.ReadHeader(ref r), r.U16(), bits);
        UInt128 value = 0;
        OptionBits? option = null;
        if (immediate)
        {
            var bytes = r.Take((bits + 15) / 16 * 2);
            value = WireReader.ReadNumber(bytes[Math.Max(0, bytes.Length - 16)..]);
            option = bytes.Length > 16 && bytes[..^16].ContainsAnyExcept((byte)0) ? new OptionBits(bytes.TrimStart((byte)0)) : null;
        }

        BitRange? target = kind == LearnKind.Output ? null : SubfieldCodec.Range(OxmCodec.ReadHeader(ref r), r.U16(), bits);
        return new(kind, source, value, target) { Option = option };
    }

    internal void Format(FlowTextWriter text)
    {
        switch (Kind)
        {
            case LearnKind.Match when Source is null && Target is { IsWhole: true } whole:
                text.Put($"{whole.Field.Name}=");
                Number(text, whole.Field);
                break;
            case LearnKind.Match when Source is null:
                text.Put($"{Target}=");
                Number(text, null);
                break;
            case LearnKind.Match:
                text.Put($"{Target}");
                text.Optional(Source!.Value.Field != Target!.Value.Field || Source.Value.Offset != Target.Value.Offset, $"={Source}");
                break;
            case LearnKind.Load when Source is null:
                text.Put("load:");
                Number(text, null);
                text.Put($"->{Target}");
                break;
            case LearnKind.Load:
                text.Put($"load:{Source}->{Target}");
                break;
            default:
                text.Put($"output:{Source}");
                break;
        }
    }

    /// <summary>The number; as the field's values read when it is a whole field.</summary>
    private void Number(FlowTextWriter text, Field? field)
    {
        if (Option is { } option)
        {
            text.Option(option);
        }
        else if (field is null)
        {
            text.Hex(Value);
        }
        else
        {
            text.Value(field, Value, field.FullMask);
        }
    }

    private static BitRange SameWidth(BitRange source, BitRange target) => source.Count == target.Count
        ? source
        : throw new ArgumentException($"{source} has {source.Count} bits, {target} has {target.Count}: they must be equal", nameof(source));
}

/// <summary>Adds or modifies a flow made from this packet (NXAST_LEARN, NXAST_LEARN2).</summary>
public sealed record Learn : FlowAction
{
    /// <summary>The table of the learned flow.</summary>
    public byte Table { get; init; }

    /// <summary>Seconds without a packet; 0 = for ever.</summary>
    public ushort IdleTimeout { get; init; }

    /// <summary>Seconds of life; 0 = for ever.</summary>
    public ushort HardTimeout { get; init; }

    /// <summary>The priority of the learned flow; 32768 by default.</summary>
    public ushort Priority { get; init; } = 32768;

    /// <summary>The cookie of the learned flow.</summary>
    public ulong Cookie { get; init; }

    /// <summary>Seconds of idleness after a TCP FIN; 0 leaves it alone.</summary>
    public ushort FinIdleTimeout { get; init; }

    /// <summary>Seconds of life after a TCP FIN; 0 leaves it alone.</summary>
    public ushort FinHardTimeout { get; init; }

    /// <summary>The learned flow reports its end.</summary>
    public bool SendFlowRemoved { get; init; }

    /// <summary>Deleting the flow that learns deletes what it learned.</summary>
    public bool DeleteLearned { get; init; }

    /// <summary>The most flows with this cookie in this table; 0 = no limit.</summary>
    public uint Limit { get; init; }

    /// <summary>The bit that says whether the limit left room.</summary>
    public BitRange? ResultTarget { get; init; }

    /// <summary>The parts of the learned flow.</summary>
    public ImmutableArray<LearnSpec> Specs { get; init; } = [];

    /// <summary>True when it came as NXAST_LEARN2.</summary>
    internal bool IsLearn2 { get; init; }

    /// <inheritdoc/>
    public bool Equals(Learn? other) => other is not null && ActionList.Of(this) == ActionList.Of(other);

    /// <inheritdoc/>
    public override int GetHashCode() => ActionList.Of(this).GetHashCode();

    internal override void Encode(WireWriter w)
    {
        var second = IsLearn2 || Limit != 0 || ResultTarget is not null;
        var start = BeginNicira(w, second ? 45 : 16);
        w.U16(IdleTimeout);
        w.U16(HardTimeout);
        w.U16(Priority);
        w.U64(Cookie);
        w.U16((ushort)((SendFlowRemoved ? 1 : 0) | (DeleteLearned ? 2 : 0) | (ResultTarget is null ? 0 : 4)));
        w.U8(Table);
        w.U8(0);
        w.U16(FinIdleTimeout);
        w.U16(FinHardTimeout);
        if (second)
        {
            w.U32(Limit);
            w.U16((ushort)(ResultTarget?.Offset ?? 0));
            w.U16(0);
            if (ResultTarget is { } target)
            {
                OxmCodec.WriteHeader(w, target.Field.NxmHeader);
            }
        }

        foreach (var spec in Specs)
        {
            spec.Encode(w);
        }

        End(w, start);
    }

    internal override void Format(FlowTextWriter text)
    {
        text.Put("learn(table=");
        text.Table(Table);
        text.Optional(IdleTimeout != 0, $",idle_timeout={IdleTimeout}");
        text.Optional(HardTimeout != 0, $",hard_timeout={HardTimeout}");
        text.Optional(FinIdleTimeout != 0, $",fin_idle_timeout={FinIdleTimeout}");
        text.Optional(FinHardTimeout != 0, $",fin_hard_timeout={FinHardTimeout}");
        text.Optional(Priority != 32768, $",priority={Priority}");
        text.Optional(SendFlowRemoved, ",send_flow_rem");
        text.Optional(DeleteLearned, ",delete_learned");
        if (Cookie != 0)
        {
            text.Put(",cookie=");
            text.Hex(Cookie);
        }

        text.Optional(Limit != 0, $",limit={Limit}");
        text.Optional(ResultTarget is not null, $",result_dst={ResultTarget}");
        foreach (var spec in Specs)
        {
            text.Put(",");
            spec.Format(text);
        }

        text.Put(")");
    }

    internal static Learn Decode(ref WireReader r, bool second)
    {
        var learn = new Learn { IdleTimeout = r.U16(), HardTimeout = r.U16(), Priority = r.U16(), Cookie = r.U64(), IsLearn2 = second };
        var flags = r.U16();
        var table = r.U8();
        r.Skip(1);
        var (finIdle, finHard) = (r.U16(), r.U16());
        uint limit = 0;
        BitRange? target = null;
        if ((flags & ~(second ? 7 : 3)) != 0 || table == 255)
        {
            throw new OpenFlowFormatException($"learn: flags 0x{flags:x4} or table {table} do not exist");
        }

        if (second)
        {
            limit = r.U32();
            var offset = r.U16();
            r.Skip(2);
            if ((flags & 4) != 0)
            {
                target = SubfieldCodec.Range(OxmCodec.ReadHeader(ref r), offset, 1);
            }
        }

        var specs = ImmutableArray.CreateBuilder<LearnSpec>();
        while (r.Remaining >= 2 && r.U16() is var header and not 0)
        {
            specs.Add(LearnSpec.Decode(ref r, header));
        }

        return learn with
        {
            Table = table,
            FinIdleTimeout = finIdle,
            FinHardTimeout = finHard,
            SendFlowRemoved = (flags & 1) != 0,
            DeleteLearned = (flags & 2) != 0,
            Limit = limit,
            ResultTarget = target,
            Specs = specs.ToImmutable(),
        };
    }
}
