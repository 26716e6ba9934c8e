using System.Collections.Immutable;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Text;
using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Actions;

/// <summary>Which headers a hash covers (NX_HASH_FIELDS_* of nicira-ext.h).</summary>
public enum HashFields : ushort
{
    /// <summary>Ethernet source.</summary>
    EthSrc,

    /// <summary>Addresses and ports, the same in both directions.</summary>
    SymmetricL4,

    /// <summary>IP addresses and TCP or SCTP ports, the same in both directions.</summary>
    SymmetricL3L4,

    /// <summary>As above, with UDP ports.</summary>
    SymmetricL3L4Udp,

    /// <summary>IPv4 source.</summary>
    NwSrc,

    /// <summary>IPv4 destination.</summary>
    NwDst,

    /// <summary>IP addresses, the same in both directions.</summary>
    SymmetricL3,
}

/// <summary>Names of hash fields and algorithms in text.</summary>
internal static class HashNames
{
    public static readonly string[] Fields = ["eth_src", "symmetric_l4", "symmetric_l3l4", "symmetric_l3l4+udp", "nw_src", "nw_dst", "symmetric_l3"];
    public static readonly string[] Multipath = ["modulo_n", "hash_threshold", "hrw", "iter_hash"];
    public static readonly string[] Bundle = ["active_backup", "hrw"];

    public static string Name(string[] names, int index) => index < names.Length ? names[index] : "<unknown>";
}

/// <summary>Hashes the packet to a number of links and writes the link (NXAST_MULTIPATH).</summary>
/// <param name="Hash">What is hashed.</param>
/// <param name="Basis">Changes the hash.</param>
/// <param name="Algorithm">0 modulo_n, 1 hash_threshold, 2 hrw, 3 iter_hash.</param>
/// <param name="Links">How many links, 1 to 65536.</param>
/// <param name="Argument">For iter_hash.</param>
/// <param name="Target">Where the link's number goes.</param>
public sealed record Multipath(HashFields Hash, ushort Basis, ushort Algorithm, int Links, uint Argument, BitRange Target) : FlowAction
{
    internal override void Encode(WireWriter w)
    {
        var start = BeginNicira(w, 10);
        w.U16((ushort)Hash);
        w.U16(Basis);
        w.U16(0);
        w.U16(Algorithm);
        w.U16((ushort)(Links - 1));
        w.U32(Argument);
        w.U16(0);
        w.U16(SubfieldCodec.OffsetAndCount(Target));
        SubfieldCodec.WriteNxm(w, Target);
        End(w, start);
    }

    internal override void Format(FlowTextWriter text) =>
        text.Put($"multipath({HashNames.Name(HashNames.Fields, (int)Hash)},{Basis},{HashNames.Name(HashNames.Multipath, Algorithm)},{Links},{Argument},{Target})");
}

/// <summary>Chooses one of several ports by hash or liveness and outputs to it, or writes its number (NXAST_BUNDLE, NXAST_BUNDLE_LOAD).</summary>
/// <param name="Hash">What is hashed.</param>
/// <param name="Basis">Changes the hash.</param>
/// <param name="Algorithm">0 active_backup, 1 hrw.</param>
/// <param name="Members">The ports.</param>
/// <param name="Target">Where the number goes; null to output.</param>
public sealed record PortBundle(HashFields Hash, ushort Basis, ushort Algorithm, ImmutableArray<uint> Members, BitRange? Target = null) : FlowAction
{
    /// <inheritdoc/>
    public bool Equals(PortBundle? other) => other is not null && Hash == other.Hash && Basis == other.Basis && Algorithm == other.Algorithm
        && Target == other.Target && Members.AsSpan().SequenceEqual(other.Members.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => Members.Aggregate(HashCode.Combine(Hash, Basis, Algorithm, Target), HashCode.Combine);

    internal override void Encode(WireWriter w)
    {
        var start = BeginNicira(w, Target is null ? 12 : 13);
        w.U16(Algorithm);
        w.U16((ushort)Hash);
        w.U16(Basis);
        w.U32(0x00000002);
        w.U16((ushort)Members.Length);
        w.U16(Target is { } range ? SubfieldCodec.OffsetAndCount(range) : (ushort)0);
        if (Target is { } target)
        {
            SubfieldCodec.WriteNxm(w, target);
        }
        else
        {
            w.U32(0);
        }

        w.Zeros(4);
        foreach (var member in Members)
        {
            w.U16(Ports.ToOpenFlow10(member));
        }

        End(w, start);
    }

    internal override void Format(FlowTextWriter text)
    {
        text.Put($"{(Target is null ? "bundle" : "bundle_load")}({HashNames.Name(HashNames.Fields, (int)Hash)},{Basis},{HashNames.Name(HashNames.Bundle, Algorithm)},ofport,");
        text.Optional(Target is not null, $"{Target},");
        text.Put("members:");
        for (var i = 0; i < Members.Length; i++)
        {
            text.Optional(i > 0, ",");
            text.Port(Members[i]);
        }

        text.Put(")");
    }
}
