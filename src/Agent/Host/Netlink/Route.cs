using System.Net;

namespace Weft.Agent.Host.Netlink;

/// <summary>A unicast route.</summary>
public sealed record Route
{
    /// <summary>Number of ours in <c>rtm_protocol</c> (<c>ip route</c> shows <c>proto 87</c>; 87 is "W"). /etc/iproute2/rt_protos leaves it free.</summary>
    public const byte WeftProtocol = 87;

    /// <summary>RTPROT_STATIC: routes inside of pods, which nobody compares.</summary>
    public const byte StaticProtocol = 4;

    /// <summary>The main table.</summary>
    public const int MainTable = 254;

    /// <summary>Where to; prefix length 0 is the default route.</summary>
    public required InterfaceAddress Destination { get; init; }

    /// <summary>Next hop, or null when the destination is on the link.</summary>
    public IPAddress? Gateway { get; init; }

    /// <summary>The interface's index.</summary>
    public required int Interface { get; init; }

    /// <summary>The gateway counts as reachable although no subnet holds it.</summary>
    public bool OnLink { get; init; }

    /// <summary>Who made it.</summary>
    public byte Protocol { get; init; } = WeftProtocol;

    /// <summary>The routing table.</summary>
    public int Table { get; init; } = MainTable;

    /// <summary>Preferred source address, or null.</summary>
    public IPAddress? Source { get; init; }

    /// <summary>MTU of the route in bytes; 0: that of the interface.</summary>
    public int Mtu { get; init; }

    /// <inheritdoc/>
    public override string ToString() => $"{Destination}{(Gateway is null ? "" : $" via {Gateway}")} dev {Interface}{(OnLink ? " onlink" : "")}";
}
