using System.Globalization;
using Weft.Lab.Net;
using Weft.Lab.State;

namespace Weft.Lab.Cluster;

/// <summary>The wire between the machines: a bridge in a namespace of its own, and a veth pair to each of them.</summary>
/// <param name="layout">Names.</param>
/// <param name="mtu">Bytes.</param>
/// <param name="offload">Whether the machines may leave checksums and segments to the wire: the kernel's data path can take such packets.</param>
/// <remarks>Nothing of it is ever in the machine's own namespace: both ends of a pair are made where they belong.</remarks>
internal sealed class Underlay(LabLayout layout, int mtu, bool offload)
{
    /// <summary>Host part of the control plane's address.</summary>
    public const int ControlPlaneHost = 2;

    /// <summary>Host part of the outside host's address; it is the nodes' default gateway.</summary>
    public const int OutsideHost = 200;

    /// <summary>An address that only the outside host has: the cluster's "internet".</summary>
    public const string InternetV4 = "203.0.113.10";

    /// <inheritdoc cref="InternetV4"/>
    public const string InternetV6 = "2001:db8:113::10";

    /// <summary>Host part of a node's address; nodes count from 1.</summary>
    public static int NodeHost(int index) => 10 + index;

    /// <summary>IPv4 address of a host on the underlay (a /24).</summary>
    public static string V4(int host) => string.Create(CultureInfo.InvariantCulture, $"172.30.0.{host}");

    /// <summary>IPv6 address of a host on the underlay (a /64).</summary>
    public static string V6(int host) => string.Create(CultureInfo.InvariantCulture, $"fd00:172:30::{host}");

    /// <summary>Makes the bridge, the control plane and the outside host.</summary>
    public async Task CreateAsync(CancellationToken ct)
    {
        await layout.Underlay.CreateAsync(ct);
        await layout.Underlay.IpAsync(ct,
            $"link add under0 mtu {mtu} type bridge forward_delay 0 mcast_snooping 0",
            "link set under0 up");
        await Task.WhenAll(
            JoinHostAsync(layout.ControlPlane, ControlPlaneHost, "cp", ct),
            JoinHostAsync(layout.Outside, OutsideHost, "out", ct));
        await layout.Outside.IpAsync(ct, $"addr add {InternetV4}/32 dev lo", $"addr add {InternetV6}/128 dev lo nodad");
    }

    /// <summary>Makes a namespace with <c>eth0</c> on the bridge, up and without an address.</summary>
    public async Task JoinAsync(Netns netns, string portName, CancellationToken ct)
    {
        await netns.CreateAsync(ct);
        // Addresses must be usable at once: nobody else is there to have the same one.
        await netns.SetAsync(
            ("ipv6/conf/all/accept_dad", "0"), ("ipv6/conf/default/accept_dad", "0"), ("ipv6/conf/default/accept_ra", "0"));
        await netns.IpAsync(ct,
            $"link add eth0 mtu {mtu} type veth peer name {portName} netns {layout.Underlay.Name}",
            "link set eth0 up");
        await layout.Underlay.IpAsync(ct, $"link set {portName} mtu {mtu} master under0 up");
        if (offload)
        {
            return;
        }

        // The userspace datapath takes packets as they are on the wire: checksums must be in them.
        string[] offloads = [.. netns.Wrap([Shell.Find("ethtool"), "-K", "eth0", "tx", "off", "gso", "off", "tso", "off", "gro", "off"])];
        await Shell.RunAsync(offloads[0], offloads[1..], ct: ct);
    }

    private async Task JoinHostAsync(Netns netns, int host, string portName, CancellationToken ct)
    {
        await JoinAsync(netns, portName, ct);
        await netns.IpAsync(ct, $"addr add {V4(host)}/24 dev eth0", $"addr add {V6(host)}/64 dev eth0 nodad");
    }
}
