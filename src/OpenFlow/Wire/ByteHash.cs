using System.Numerics;
using System.Runtime.InteropServices;

namespace Weft.OpenFlow.Wire;

/// <summary>A fast hash of short byte strings: eight bytes per step, well mixed at the end. Not for untrusted table keys.</summary>
internal static class ByteHash
{
    public static int Of(ReadOnlySpan<byte> bytes)
    {
        var hash = 0x9e3779b97f4a7c15UL ^ (ulong)bytes.Length;
        while (bytes.Length >= 8)
        {
            hash = (BitOperations.RotateLeft(hash, 23) ^ MemoryMarshal.Read<ulong>(bytes)) * 0xff51afd7ed558ccdUL;
            bytes = bytes[8..];
        }

        ulong tail = 0;
        foreach (var b in bytes)
        {
            tail = (tail << 8) | b;
        }

        hash = (BitOperations.RotateLeft(hash, 23) ^ tail) * 0xff51afd7ed558ccdUL;
        hash ^= hash >> 33;
        hash *= 0xc4ceb9fe1a85ec53UL;
        return (int)(hash ^ (hash >> 32));
    }
}
