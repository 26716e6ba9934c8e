using System.Net;

namespace Weft.Agent.Plan.Pipeline;

/// <summary>The ports of <c>br-int</c> that are not pods, and the MAC addresses of the logical router.</summary>
public static class BridgePorts
{
    /// <summary>OpenFlow number of the tunnel port.</summary>
    public const int Tunnel = 32768;

    /// <summary>OpenFlow number of the gateway port.</summary>
    public const int Gateway = 32769;

    /// <summary>The last number for a pod. Numbers from 1 are given in turn, so that one is not soon given again.</summary>
    public const int LastPod = 32767;

    /// <summary>The tunnel port's name.</summary>
    public const string TunnelName = "weft-tun0";

    /// <summary>The gateway port's name.</summary>
    public const string GatewayName = "weft-gw0";

    /// <summary>The host's next hop to ClusterIPs; the switch answers for it.</summary>
    public static readonly IPAddress ServiceHopV4 = IPAddress.Parse("169.254.87.69");

    /// <inheritdoc cref="ServiceHopV4"/>
    public static readonly IPAddress ServiceHopV6 = IPAddress.Parse("fe80::5745:4654");

    /// <summary>What the host turns its own addresses into where a node port is asked for; the switch balances it.</summary>
    public static readonly IPAddress NodePortV4 = IPAddress.Parse("169.254.87.71");

    /// <inheritdoc cref="NodePortV4"/>
    public static readonly IPAddress NodePortV6 = IPAddress.Parse("fd57:4546:5400::71");

    /// <summary>The source of connections that came from the gateway and return to it, where their own would not lead back.</summary>
    public static readonly IPAddress ReturnV4 = IPAddress.Parse("169.254.87.72");

    /// <inheritdoc cref="ReturnV4"/>
    public static readonly IPAddress ReturnV6 = IPAddress.Parse("fd57:4546:5400::72");

    /// <summary>The source that a tenant pod sees when its own node asks for it: no tenant can have this address itself.</summary>
    public static readonly IPAddress ProbeV4 = IPAddress.Parse("169.254.87.73");

    /// <inheritdoc cref="ProbeV4"/>
    public static readonly IPAddress ProbeV6 = IPAddress.Parse("fd57:4546:5400::73");

    /// <summary>Where the agent answers tenant pods' DNS questions.</summary>
    public static readonly IPAddress DnsV4 = IPAddress.Parse("169.254.87.74");

    /// <inheritdoc cref="DnsV4"/>
    public static readonly IPAddress DnsV6 = IPAddress.Parse("fd57:4546:5400::74");

    /// <summary>The logical router, on every node.</summary>
    public const string RouterMac = "0a:57:45:46:54:01";

    /// <summary>The node's end of the gateway port, on every node.</summary>
    public const string GatewayMac = "0a:57:45:46:54:02";
}
