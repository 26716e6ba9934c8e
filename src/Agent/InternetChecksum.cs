using System.Buffers.Binary;

namespace Weft.Agent;

/// <summary>The checksum of IP, ICMP and TCP (RFC 1071).</summary>
internal static class InternetChecksum
{
    /// <summary>The checksum of data whose own field is zero meanwhile.</summary>
    /// <param name="data">What is summed; an odd last byte counts as if a zero followed.</param>
    /// <param name="start">What is summed besides, the pseudo header for example.</param>
    public static ushort Of(ReadOnlySpan<byte> data, uint start)
    {
        var sum = start + Sum(data);
        while (sum > 0xffff)
        {
            sum = (sum & 0xffff) + (sum >> 16);
        }

        return (ushort)~sum;
    }

    /// <summary>The sum of the 16-bit words, carries not folded.</summary>
    public static uint Sum(ReadOnlySpan<byte> data)
    {
        var sum = 0u;
        for (; data.Length >= 2; data = data[2..])
        {
            sum += BinaryPrimitives.ReadUInt16BigEndian(data);
        }

        return data.Length == 1 ? sum + ((uint)data[0] << 8) : sum;
    }
}
