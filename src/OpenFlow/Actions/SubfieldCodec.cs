using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Actions;

/// <summary>How bit ranges stand in Nicira actions: (offset &lt;&lt; 6) | (count - 1) beside a header (nicira-ext.h).</summary>
internal static class SubfieldCodec
{
    public static ushort OffsetAndCount(BitRange range) => range.Count <= 64
        ? (ushort)((range.Offset << 6) | (range.Count - 1))
        : throw new ArgumentException($"{range}: at most 64 bits fit here, {range.Count} are given");

    public static BitRange Range(Field field, int offset, int count)
    {
        if (count < 1 || offset + count > field.Bits)
        {
            throw new OpenFlowFormatException($"{count} bits from bit {offset} on are not inside {field.Name}", "OFPBAC_BAD_SET_LEN");
        }

        return new BitRange(field, offset, count);
    }

    public static BitRange Range(Field field, ushort offsetAndCount) => Range(field, offsetAndCount >> 6, (offsetAndCount & 0x3f) + 1);

    public static Field NxmOnly(BitRange range) => range.Field.IsNxmExperimenter
        ? throw new ArgumentException($"{range.Field.Name} has only an experimenter header, which this action cannot carry")
        : range.Field;

    public static void WriteNxm(WireWriter w, BitRange range) => OxmCodec.WriteHeader(w, NxmOnly(range).NxmHeader);
}
