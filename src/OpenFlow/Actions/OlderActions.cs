using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Text;
using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Actions;

/// <summary>Fields that had an action of their own before <see cref="SetField"/>. The numbers are those of OpenFlow 1.1.</summary>
public enum OlderField : ushort
{
    /// <summary>VLAN id of a tag that is there.</summary>
    VlanVid = 1,

    /// <summary>VLAN priority of a tag that is there.</summary>
    VlanPcp = 2,

    /// <summary>Ethernet source.</summary>
    EthSrc = 3,

    /// <summary>Ethernet destination.</summary>
    EthDst = 4,

    /// <summary>IPv4 source.</summary>
    IPv4Src = 5,

    /// <summary>IPv4 destination.</summary>
    IPv4Dst = 6,

    /// <summary>Type of service; the lowest two bits are zero.</summary>
    IpTos = 7,

    /// <summary>Explicit congestion notification.</summary>
    IpEcn = 8,

    /// <summary>Source port of TCP, UDP or SCTP.</summary>
    PortSrc = 9,

    /// <summary>Destination port of TCP, UDP or SCTP.</summary>
    PortDst = 10,

    /// <summary>MPLS label.</summary>
    MplsLabel = 13,

    /// <summary>MPLS traffic class.</summary>
    MplsTc = 14,
}

/// <summary>Writes a field with an action of OpenFlow 1.1, which Open vSwitch still takes on a 1.3 connection. New flows use <see cref="SetField"/>.</summary>
/// <param name="Field">The field.</param>
/// <param name="Value">The new value.</param>
public sealed record SetOlderField(OlderField Field, ulong Value) : FlowAction
{
    internal override void Encode(WireWriter w)
    {
        var start = w.Length;
        w.U16((ushort)Field);
        w.U16(0);
        w.Number(Value, Bytes(Field));
        w.Pad8(start);
        w.PatchU16(start + 2, w.Length - start);
    }

    internal override void Format(FlowTextWriter text) => text.Put(Field switch
    {
        OlderField.VlanVid => $"set_vlan_vid:{Value}",
        OlderField.VlanPcp => $"set_vlan_pcp:{Value}",
        OlderField.EthSrc => $"mod_dl_src:{new MacAddress(Value)}",
        OlderField.EthDst => $"mod_dl_dst:{new MacAddress(Value)}",
        OlderField.IPv4Src => $"mod_nw_src:{Fields.Field.ToAddress(Value, false)}",
        OlderField.IPv4Dst => $"mod_nw_dst:{Fields.Field.ToAddress(Value, false)}",
        OlderField.IpTos => $"mod_nw_tos:{Value}",
        OlderField.IpEcn => $"mod_nw_ecn:{Value}",
        OlderField.PortSrc => $"mod_tp_src:{Value}",
        OlderField.PortDst => $"mod_tp_dst:{Value}",
        OlderField.MplsLabel => $"set_mpls_label({Value})",
        _ => $"set_mpls_tc({Value})",
    });

    internal static SetOlderField Decode(ref WireReader r, int type) => new((OlderField)type, (ulong)r.Number(Bytes((OlderField)type)));

    private static int Bytes(OlderField field) => field switch
    {
        OlderField.EthSrc or OlderField.EthDst => 6,
        OlderField.IPv4Src or OlderField.IPv4Dst or OlderField.MplsLabel => 4,
        OlderField.VlanVid or OlderField.PortSrc or OlderField.PortDst => 2,
        _ => 1,
    };
}

/// <summary>Writes the tunnel's id (NXAST_SET_TUNNEL, NXAST_SET_TUNNEL64). New flows set <c>Fields.TunId</c>.</summary>
/// <param name="TunnelId">The id.</param>
public sealed record SetTunnel(ulong TunnelId) : FlowAction
{
    /// <summary>True for the form with 64 bits.</summary>
    public bool IsWide { get; init; }

    internal override void Encode(WireWriter w)
    {
        var wide = IsWide || TunnelId > uint.MaxValue;
        var start = BeginNicira(w, wide ? 9 : 2);
        w.Zeros(wide ? 6 : 2);
        w.Number(TunnelId, wide ? 8 : 4);
        End(w, start);
    }

    internal override void Format(FlowTextWriter text)
    {
        text.Put(IsWide || TunnelId > uint.MaxValue ? "set_tunnel64:" : "set_tunnel:");
        text.Hex(TunnelId);
    }
}

/// <summary>Writes bits of the metadata field as an action (NXAST_WRITE_METADATA). On 1.3 connections the instruction does the same.</summary>
/// <param name="Value">The bits.</param>
/// <param name="Mask">Which bits.</param>
public sealed record WriteMetadataAction(ulong Value, ulong Mask) : FlowAction
{
    internal override void Encode(WireWriter w)
    {
        var start = BeginNicira(w, 22);
        w.Zeros(6);
        w.U64(Value);
        w.U64(Mask);
        End(w, start);
    }

    internal override void Format(FlowTextWriter text)
    {
        text.Put("write_metadata:");
        text.Hex(Value);
        if (Mask != ulong.MaxValue)
        {
            text.Put("/");
            text.Hex(Mask);
        }
    }
}
