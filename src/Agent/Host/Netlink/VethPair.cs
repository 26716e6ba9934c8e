using Microsoft.Win32.SafeHandles;

namespace Weft.Agent.Host.Netlink;

/// <summary>A veth pair to be made in one message: the peer appears in its namespace with its final name, MAC and MTU, and down.</summary>
public sealed record VethPair
{
    /// <summary>This side's name.</summary>
    public required string Name { get; init; }

    /// <summary>This side is up from its beginning.</summary>
    public bool Up { get; init; }

    /// <summary>The other side's name.</summary>
    public required string PeerName { get; init; }

    /// <summary>The namespace of the other side; null: this one.</summary>
    public SafeFileHandle? PeerNamespace { get; init; }

    /// <summary>The other side's MAC; null: the kernel chooses.</summary>
    public string? PeerMac { get; init; }

    /// <summary>Bytes, both sides; 0: the kernel's default.</summary>
    public int Mtu { get; init; }
}
