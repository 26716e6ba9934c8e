namespace Weft.OpenFlow.Fields;

/// <summary>Indexes of the table of fields. A class of its own, so that they are made when the table is complete.</summary>
internal static class FieldIndex
{
    public static readonly Field[] All = [.. Fields.Declared];
    public static readonly Dictionary<ulong, Field> ByHeader = IndexHeaders();
    public static readonly Dictionary<string, Field> ByName = IndexNames();

    private static Dictionary<ulong, Field> IndexHeaders()
    {
        var index = new Dictionary<ulong, Field>();
        foreach (var field in All)
        {
            index.TryAdd(field.OxmHeader & Fields.HeaderKeyMask, field);
            index.TryAdd(field.NxmHeader & Fields.HeaderKeyMask, field);
        }

        // Other encodings of the same fields that a switch may send (meta-flow.h lists several per field).
        index[Fields.Header(new("NXOXM_ET_DP_HASH", FieldClass.NiciraExperimenter, 0), 4) & Fields.HeaderKeyMask] = Fields.DpHash;
        index[Fields.Header(new("OXM_OF_ACTSET_OUTPUT", FieldClass.Basic, 43), 4) & Fields.HeaderKeyMask] = Fields.ActsetOutput;
        index[Fields.Header(new("OXM_OF_TCP_FLAGS", FieldClass.Basic, 42), 2) & Fields.HeaderKeyMask] = Fields.TcpFlags;
        return index;
    }

    private static Dictionary<string, Field> IndexNames()
    {
        var index = new Dictionary<string, Field>(StringComparer.Ordinal);
        foreach (var field in All)
        {
            index.TryAdd(field.Name, field);
            index.TryAdd(field.NxmName, field);
        }

        foreach (var (name, field) in Fields.OxmNames)
        {
            index.TryAdd(name, field);
        }

        (string Alias, Field Field)[] aliases =
        [
            ("tunnel_id", Fields.TunId), ("dl_src", Fields.EthSrc), ("dl_dst", Fields.EthDst), ("dl_type", Fields.EthType), ("nw_src", Fields.IPv4Src), ("nw_dst", Fields.IPv4Dst),
            ("ip_proto", Fields.IpProto), ("ip_ecn", Fields.IpEcn), ("nw_frag", Fields.IpFrag), ("tp_src", Fields.TcpSrc), ("tp_dst", Fields.TcpDst), ("nsp", Fields.NshSpi), ("nsi", Fields.NshSi),
            ("nshc1", Fields.NshC1), ("nshc2", Fields.NshC2), ("nshc3", Fields.NshC3), ("nshc4", Fields.NshC4), ("in_port_oxm", Fields.InPort),
            ("NXOXM_ET_DP_HASH", Fields.DpHash), ("OXM_OF_ACTSET_OUTPUT", Fields.ActsetOutput), ("OXM_OF_TCP_FLAGS", Fields.TcpFlags),
        ];
        foreach (var (alias, field) in aliases)
        {
            index[alias] = field;
        }

        return index;
    }
}
