using System.Buffers;
using System.Buffers.Binary;

namespace Weft.OpenFlow.Wire;

/// <summary>Writes big-endian values into a buffer that grows. Lengths are written last, by offset.</summary>
/// <remarks>Not safe for concurrent use. <see cref="Clear"/> keeps the buffer, so a writer that is used again allocates nothing.</remarks>
internal sealed class WireWriter
{
    private byte[] _buffer;

    public WireWriter(int capacity = 256) => _buffer = new byte[capacity];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, Length);

    public ReadOnlyMemory<byte> WrittenMemory => _buffer.AsMemory(0, Length);

    public void Clear() => Length = 0;

    public void Truncate(int length) => Length = length;

    public byte[] ToArray() => Written.ToArray();

    public void U8(byte value) => Grow(1)[0] = value;

    public void U16(ushort value) => BinaryPrimitives.WriteUInt16BigEndian(Grow(2), value);

    public void U32(uint value) => BinaryPrimitives.WriteUInt32BigEndian(Grow(4), value);

    public void U64(ulong value) => BinaryPrimitives.WriteUInt64BigEndian(Grow(8), value);

    public void U128(UInt128 value) => BinaryPrimitives.WriteUInt128BigEndian(Grow(16), value);

    public void Bytes(ReadOnlySpan<byte> value) => value.CopyTo(Grow(value.Length));

    public void Zeros(int count) => Grow(count).Clear();

    public void Number(UInt128 value, int bytes)
    {
        var span = Grow(bytes);
        for (var i = bytes - 1; i >= 0; i--)
        {
            span[i] = (byte)value;
            value >>= 8;
        }
    }

    /// <summary>Zeros up to a multiple of eight counted from <paramref name="start"/>.</summary>
    public void Pad8(int start) => Zeros((8 - ((Length - start) & 7)) & 7);

    public void PatchU16(int offset, int value)
    {
        if ((uint)value > ushort.MaxValue)
        {
            throw new OpenFlowFormatException($"{value} bytes do not fit into a 16-bit length: an OpenFlow structure holds at most 65,535");
        }

        BinaryPrimitives.WriteUInt16BigEndian(_buffer.AsSpan(offset, 2), (ushort)value);
    }

    public void PatchU32(int offset, uint value) => BinaryPrimitives.WriteUInt32BigEndian(_buffer.AsSpan(offset, 4), value);

    public Span<byte> Grow(int count)
    {
        var end = Length + count;
        if (end > _buffer.Length)
        {
            Array.Resize(ref _buffer, Math.Max(end, _buffer.Length * 2));
        }

        var span = _buffer.AsSpan(Length, count);
        Length = end;
        return span;
    }
}
