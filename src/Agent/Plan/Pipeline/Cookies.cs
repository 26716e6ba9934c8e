using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Weft.Agent.Plan.Pipeline;

/// <summary>The part of the plan that a flow belongs to; bits 40 to 47 of the cookie hold this.</summary>
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
    Names = 10,

    /// <summary>What the agent installs for seconds, outside of its plan.</summary>
    Lease = 11,
}

/// <summary>Flow cookies: <c>0x5745</c>, feature, part of the owner, owner (docs/design/pipeline.md).</summary>
public static class Cookies
{
    /// <summary>Bits 48 to 63 of every cookie of ours ("WE").</summary>
    public const ulong Marker = 0x5745UL << 48;

    /// <summary>The bits that <see cref="Marker"/> is in.</summary>
    public const ulong MarkerMask = 0xffffUL << 48;

    /// <summary>The last part that has a cookie of its own.</summary>
    public const int LastPart = 254;

    /// <summary>The cookie for the flows of an owner, the same after every restart.</summary>
    /// <param name="feature">The feature.</param>
    /// <param name="owner">For example <c>pod default/web-1</c>.</param>
    public static ulong Of(FlowFeature feature, string owner) => Marker | ((ulong)feature << 40) | OwnerNumber(owner);

    /// <summary>The cookie for one part of an owner: a rule of a policy.</summary>
    /// <param name="feature">The feature.</param>
    /// <param name="owner">The owner.</param>
    /// <param name="part">From 0; parts behind <see cref="LastPart"/> share its cookie.</param>
    public static ulong Of(FlowFeature feature, string owner, int part) => Of(feature, owner) | ((ulong)(Math.Min(part, LastPart) + 1) << 32);

    /// <summary>The part of the owner that a cookie names; null for the owner as a whole. <see cref="LastPart"/> stands for it and all behind it.</summary>
    public static int? PartOf(ulong cookie) => (byte)(cookie >> 32) is > 0 and var part ? part - 1 : null;

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
