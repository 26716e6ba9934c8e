namespace Weft.OpenFlow.Fields;

/// <content>Finds fields by number, header and name.</content>
public static partial class Fields
{
    internal const ulong HeaderKeyMask = 0xffff_fe00_ffff_ffff;

    /// <summary>All fields, canonical ones first, in the order of a canonical match.</summary>
    public static ReadOnlySpan<Field> All => FieldIndex.All;

    /// <summary>tun_metadata<paramref name="index"/> (0 to 63): a tunnel option that the switch's TLV table maps.</summary>
    /// <remarks>Options of up to 16 bytes are typed values; longer ones are kept as unknown bytes.</remarks>
    public static Field<UInt128> TunMetadata(int index) => TunMetadataFields[index];

    /// <summary>reg<paramref name="index"/> (0 to 15).</summary>
    public static Field<uint> Reg(int index) => (Field<uint>)FieldIndex.All[Reg0.Order + index];

    /// <summary>Finds a field by any name that ovs-ofctl accepts (nw_dst, ip_dst, NXM_OF_IP_DST, OXM_OF_IPV4_DST); null when there is none.</summary>
    public static Field? Find(string name) => FieldIndex.ByName.GetValueOrDefault(name);

    internal static Field? FindHeader(ulong header) => FieldIndex.ByHeader.GetValueOrDefault(header & HeaderKeyMask);
}
