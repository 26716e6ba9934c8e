using System.Collections.Immutable;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Messages;

/// <summary>What groups can do (OFPMP_GROUP_FEATURES, OpenFlow 1.3.5 section 7.3.5.10).</summary>
/// <param name="Types">Bit n = <see cref="GroupType"/> n.</param>
/// <param name="Capabilities">OFPGFC_* bits: 1 select weight, 2 select liveness, 4 chaining, 8 chaining checks.</param>
/// <param name="MaxGroups">How many groups of each type.</param>
/// <param name="Actions">Bits of OFPAT_* numbers that buckets of each type may have.</param>
public sealed record GroupFeatures(uint Types, uint Capabilities, ImmutableArray<uint> MaxGroups, ImmutableArray<uint> Actions)
{
    internal static GroupFeatures Decode(ReadOnlySpan<byte> body)
    {
        var r = new WireReader(body);
        return new(r.U32(), r.U32(), [r.U32(), r.U32(), r.U32(), r.U32()], [r.U32(), r.U32(), r.U32(), r.U32()]);
    }
}
