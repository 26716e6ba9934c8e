using System.Buffers.Binary;

namespace Weft.OpenFlow.Wire;

/// <summary>Reads big-endian values from a span. Reading past the end is an <see cref="OpenFlowFormatException"/>.</summary>
internal ref struct WireReader(ReadOnlySpan<byte> data)
{
    private readonly ReadOnlySpan<byte> _data = data;

    public int Position { get; private set; }

    public readonly int Remaining => _data.Length - Position;

    public readonly ReadOnlySpan<byte> Rest => _data[Position..];

    public byte U8() => Take(1)[0];

    public ushort U16() => BinaryPrimitives.ReadUInt16BigEndian(Take(2));

    public uint U32() => BinaryPrimitives.ReadUInt32BigEndian(Take(4));

    public ulong U64() => BinaryPrimitives.ReadUInt64BigEndian(Take(8));

    public UInt128 U128() => BinaryPrimitives.ReadUInt128BigEndian(Take(16));

    public void Skip(int count) => Take(count);

    /// <summary>Skips padding up to a multiple of eight counted from <paramref name="start"/>; missing padding at the very end is accepted.</summary>
    public void SkipPadding(int start)
    {
        var used = (Position - start) & 7;
        if (used != 0)
        {
            Position += Math.Min(8 - used, Remaining);
        }
    }

    public ReadOnlySpan<byte> Take(int count)
    {
        if ((uint)count > (uint)Remaining)
        {
            throw new OpenFlowFormatException($"{count} bytes are needed at offset {Position}, only {Remaining} are left", "OFPBRC_BAD_LEN");
        }

        var span = _data.Slice(Position, count);
        Position += count;
        return span;
    }

    /// <summary>A number of <paramref name="bytes"/> bytes (1 to 16), most significant first.</summary>
    public UInt128 Number(int bytes) => ReadNumber(Take(bytes));

    public static UInt128 ReadNumber(ReadOnlySpan<byte> span)
    {
        switch (span.Length)
        {
            case 1: return span[0];
            case 2: return BinaryPrimitives.ReadUInt16BigEndian(span);
            case 4: return BinaryPrimitives.ReadUInt32BigEndian(span);
            case 8: return BinaryPrimitives.ReadUInt64BigEndian(span);
            case 16: return BinaryPrimitives.ReadUInt128BigEndian(span);
            default:
                UInt128 value = 0;
                foreach (var b in span)
                {
                    value = (value << 8) | b;
                }

                return value;
        }
    }
}
