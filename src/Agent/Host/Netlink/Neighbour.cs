using System.Net;

namespace Weft.Agent.Host.Netlink;

/// <summary>An entry of the neighbour table (ARP, ND).</summary>
public sealed record Neighbour
{
    /// <summary>NUD_PERMANENT: never expires.</summary>
    public const ushort Permanent = 0x80;

    public required int Interface { get; init; }

    public required IPAddress Address { get; init; }

    /// <summary>Lower case with colons; empty while it is being resolved.</summary>
    public string Mac { get; init; } = "";

    /// <summary>NUD_*.</summary>
    public ushort State { get; init; } = Permanent;
}
