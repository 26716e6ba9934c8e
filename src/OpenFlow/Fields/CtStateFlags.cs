namespace Weft.OpenFlow.Fields;

/// <summary>The bits of ct_state (ovs-fields(7)).</summary>
[Flags]
public enum CtStateFlags : uint
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>The packet would start a connection.</summary>
    New = 1,

    /// <summary>Part of a committed connection.</summary>
    Established = 2,

    /// <summary>Belongs to another connection (ICMP error, FTP data).</summary>
    Related = 4,

    /// <summary>The direction opposite to the first packet's.</summary>
    Reply = 8,

    /// <summary>Not a valid packet of any connection.</summary>
    Invalid = 16,

    /// <summary>The packet went through the connection tracker.</summary>
    Tracked = 32,

    /// <summary>Source address or port was translated.</summary>
    SourceNat = 64,

    /// <summary>Destination address or port was translated.</summary>
    DestinationNat = 128,
}
