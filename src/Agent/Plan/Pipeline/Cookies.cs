using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Weft.Agent.Plan.Pipeline;

/// <summary>The part of the plan that a flow belongs to; bits 32 to 39 are zero, bits 40 to 47 of the cookie hold this.</summary>
public enum FlowFeature : byte
{
    Base = 1,
    Node = 2,
    Pod = 3,
    Spoof = 4,
    Service = 5,
    Policy = 6,
    Isolation = 7,
    Affinity = 8,
    Tenant = 9,
}

/// <summary>Flow cookies: <c>0x5745</c>, feature, zero, owner (docs/design/pipeline.md).</summary>
public static class Cookies
{
    /// <summary>Bits 48 to 63 of every cookie of ours ("WE").</summary>
    public const ulong Marker = 0x5745UL << 48;

    /// <summary>The bits that <see cref="Marker"/> is in.</summary>
    public const ulong MarkerMask = 0xffffUL << 48;

    /// <summary>The cookie for the flows of an owner, the same after every restart.</summary>
    /// <param name="feature">The feature.</param>
    /// <param name="owner">For example <c>pod default/web-1</c>.</param>
    public static ulong Of(FlowFeature feature, string owner) => Marker | ((ulong)feature << 40) | OwnerNumber(owner);

    /// <summary>True for a cookie of ours.</summary>
    public static bool IsOurs(ulong cookie) => (cookie & MarkerMask) == Marker;

    /// <summary>The feature of a cookie of ours.</summary>
    public static FlowFeature FeatureOf(ulong cookie) => (FlowFeature)(byte)(cookie >> 40);

    /// <summary>The first 32 bits of the SHA-256 of the owner's name.</summary>
    public static uint OwnerNumber(string owner)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(owner), hash);
        return BinaryPrimitives.ReadUInt32BigEndian(hash);
    }
}
