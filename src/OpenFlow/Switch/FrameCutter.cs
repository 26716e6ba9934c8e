using System.Buffers.Binary;
using Weft.OpenFlow.Messages;

namespace Weft.OpenFlow.Switch;

/// <summary>Cuts a byte stream into messages.</summary>
public static class FrameCutter
{
    /// <summary>Finds the first whole message in <paramref name="data"/>.</summary>
    /// <returns>Its length; 0 when more bytes are needed.</returns>
    /// <exception cref="OpenFlowFormatException">The header's length is below 8: no message can begin here.</exception>
    public static int TryCut(ReadOnlySpan<byte> data)
    {
        if (data.Length < MessageCodec.HeaderLength)
        {
            return 0;
        }

        var length = BinaryPrimitives.ReadUInt16BigEndian(data[2..]);
        if (length < MessageCodec.HeaderLength)
        {
            throw new OpenFlowFormatException($"a header of length {length}: at least 8 is right");
        }

        return length <= data.Length ? length : 0;
    }
}
