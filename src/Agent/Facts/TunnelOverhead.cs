using System.Net;
using Weft.Topology;

namespace Weft.Agent.Facts;

/// <summary>The MTU of pod interfaces.</summary>
public static class TunnelOverhead
{
    /// <summary>The smallest MTU that IPv6 works with (RFC 8200 section 5).</summary>
    public const int SmallestMtu = 1280;

    /// <summary>Bytes that a tunnel adds to a pod's IP packet: outer IP, tunnel header, inner Ethernet header.</summary>
    /// <remarks>Geneve (RFC 8926) and VXLAN (RFC 7348): UDP 8 + 8. GRE (RFC 2784, RFC 2890): 4 + 4 for the key.</remarks>
    public static int Of(TunnelType tunnel, bool outerIsV6) =>
        (outerIsV6 ? 40 : 20) + (tunnel == TunnelType.Gre ? 8 : 16) + 14;

    /// <summary>The MTU for this node's pods.</summary>
    /// <param name="settings">Tunnel and override.</param>
    /// <param name="tunnelEnd">The node's tunnel address.</param>
    /// <param name="uplinkMtu">MTU of the interface that owns it.</param>
    public static int PodMtu(ClusterSettings settings, IPAddress tunnelEnd, int uplinkMtu) =>
        settings.Mtu > 0 ? settings.Mtu : uplinkMtu - Of(settings.Tunnel, tunnelEnd.IsV6());
}
