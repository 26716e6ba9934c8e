namespace Weft.Agent.Host.Netlink;

/// <summary>A network interface as the kernel reports it.</summary>
public sealed record Link
{
    /// <summary>IFF_UP.</summary>
    public const uint FlagUp = 1;

    /// <summary>The <see cref="Kind"/> of an interface on top of another one.</summary>
    public const string Macvlan = "macvlan";

    public required int Index { get; init; }

    public required string Name { get; init; }

    /// <summary>Lower case with colons; empty for interfaces without one.</summary>
    public string Mac { get; init; } = "";

    /// <summary>Bytes.</summary>
    public int Mtu { get; init; }

    public uint Flags { get; init; }

    /// <summary><c>veth</c>, <c>dummy</c>, <c>tun</c>, ...; empty for hardware.</summary>
    public string Kind { get; init; } = "";

    /// <summary>How packets wait before they leave (<c>noqueue</c>, <c>tbf</c>, <c>htb</c>, ...).</summary>
    public string Queue { get; init; } = "";

    /// <summary>Of a veth its peer's index, of a macvlan its lower interface's, in that one's namespace. 0 when it has none.</summary>
    public int PeerIndex { get; init; }

    /// <summary>The id of the namespace in which <see cref="PeerIndex"/> counts, or null when it is this one.</summary>
    public int? PeerNamespaceId { get; init; }

    /// <summary>Administratively up.</summary>
    public bool IsUp => (Flags & FlagUp) != 0;

    /// <summary>Whether this is the pod's side of a host side: its peer, or on top of its peer.</summary>
    public bool IsInsideOf(Link outside) => PeerIndex == (Kind == Macvlan ? outside.PeerIndex : outside.Index);
}
