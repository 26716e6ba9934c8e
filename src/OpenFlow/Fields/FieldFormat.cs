namespace Weft.OpenFlow.Fields;

/// <summary>How a field's value reads in text (the "Formatting" of meta-flow.h).</summary>
public enum FieldFormat
{
    /// <summary>A decimal number.</summary>
    Decimal,

    /// <summary>A hexadecimal number.</summary>
    Hexadecimal,

    /// <summary>xx:xx:xx:xx:xx:xx.</summary>
    Ethernet,

    /// <summary>Dotted quad, with /prefix or /mask.</summary>
    IPv4,

    /// <summary>RFC 5952 text, with /prefix or /mask.</summary>
    IPv6,

    /// <summary>A port number or name.</summary>
    Port,

    /// <summary>Flags: +trk-new.</summary>
    CtState,

    /// <summary>Flags of a tunnel: +oam.</summary>
    TunnelFlags,

    /// <summary>Flags of TCP: +syn-ack.</summary>
    TcpFlags,

    /// <summary>no, yes, first, later, not_later.</summary>
    Fragment,

    /// <summary>(namespace,type).</summary>
    PacketType,
}
