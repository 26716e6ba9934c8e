using System.Buffers.Binary;
using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Fields;

/// <summary>One OXM entry, cut out of bytes and checked against them.</summary>
/// <remarks>OpenFlow 1.3.5 section 7.2.3.2: class 16, field 7, has-mask 1, length 8 bits; class 0xffff adds a 32-bit experimenter.</remarks>
internal readonly ref struct OxmHeader
{
    private OxmHeader(ReadOnlySpan<byte> payload, Field? field, ulong header, int totalLength)
    {
        Payload = payload;
        Field = field;
        Header = header;
        TotalLength = totalLength;
    }

    /// <summary>Value, and mask of the same length when <see cref="HasMask"/>.</summary>
    public ReadOnlySpan<byte> Payload { get; }

    public Field? Field { get; }

    public ulong Header { get; }

    public int TotalLength { get; }

    public bool HasMask => (Header >> 40 & 1) != 0;

    public static OxmHeader Read(ReadOnlySpan<byte> data)
    {
        if (data.Length < 4)
        {
            throw new OpenFlowFormatException($"an OXM needs 4 bytes, {data.Length} are left", "OFPBMC_BAD_LEN");
        }

        var word = BinaryPrimitives.ReadUInt32BigEndian(data);
        var length = (int)(word & 0xff);
        var experimenter = word >> 16 == 0xffff;
        if (data.Length < 4 + length || (experimenter && length < 4))
        {
            throw new OpenFlowFormatException($"an OXM of length {length} does not fit into {data.Length - 4} bytes", "OFPBMC_BAD_LEN");
        }

        var header = ((ulong)word << 32) | (experimenter ? BinaryPrimitives.ReadUInt32BigEndian(data[4..]) : 0);
        var payload = data.Slice(experimenter ? 8 : 4, experimenter ? length - 4 : length);
        var field = Fields.FindHeader(header);
        if (field is not null && !LengthFits(field, payload.Length, (header >> 40 & 1) != 0))
        {
            // A field of another length than the one that is known stays as bytes.
            field = null;
        }

        return new(payload, field, header, 4 + length);
    }

    public FieldMatch ToCondition()
    {
        var field = Field!;
        var size = HasMask ? Payload.Length / 2 : Payload.Length;
        if (field.IsVariable && IsOption(size))
        {
            return new FieldMatch(field, ToOption(size));
        }

        var value = WireReader.ReadNumber(Payload[..size]);
        var mask = HasMask ? WireReader.ReadNumber(MaskOf(size)) & field.FullMask : size is 0 or 16 || !field.IsVariable ? field.FullMask : (UInt128.One << (8 * size)) - 1;
        if (!field.IsMaskable && mask != field.FullMask)
        {
            throw new OpenFlowFormatException($"{field.Name} takes no mask", "OFPBMC_BAD_MASK");
        }

        if ((value & mask) != (value & field.FullMask) && !HasMask)
        {
            throw new OpenFlowFormatException($"{field.Name}: the value is wider than {field.Bits} bits", "OFPBMC_BAD_VALUE");
        }

        return new FieldMatch(field, value & mask, mask, field.IsVariable ? size : 0);
    }

    private ReadOnlySpan<byte> MaskOf(int size) => Payload.Slice(size, size);

    /// <summary>What a number of 128 bits and its mask do not say: more bytes, a mask of ones that is meant, a presence.</summary>
    private bool IsOption(int size) => size > 16 || (HasMask && (size == 16 || !MaskOf(size).ContainsAnyExcept((byte)0)));

    private OptionBits ToOption(int size) => !HasMask ? new OptionBits(Payload)
        : !MaskOf(size).ContainsAnyExcept((byte)0) ? OptionBits.Present
        : new OptionBits(Payload[..size], MaskOf(size));

    private static bool LengthFits(Field field, int payload, bool masked)
    {
        if (field.IsVariable)
        {
            // Of an odd number of bytes Open vSwitch leaves the last one out.
            return (masked ? payload / 2 : payload) <= OptionBits.MostBytes;
        }

        return payload == (masked ? 2 * field.Bytes : field.Bytes);
    }
}
