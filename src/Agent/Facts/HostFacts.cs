using System.Net;
using Weft.Agent.Host.Netlink;

namespace Weft.Agent.Facts;

/// <summary>What the agent reads from its host. Safe for concurrent calls.</summary>
/// <param name="options">May give the uplink's MTU.</param>
/// <param name="time">The clock of the cache.</param>
public sealed class HostFacts(AgentOptions options, TimeProvider time)
{
    private const int EthernetMtu = 1500;
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(5);
    private (IPAddress Address, int Mtu, long ReadAt)? _uplink;

    /// <summary>The MTU of the interface that owns the node's tunnel address, bytes; 1500 when no interface does. At most 5 s old.</summary>
    public int UplinkMtu(IPAddress tunnelEnd)
    {
        if (options.UplinkMtu > 0)
        {
            return options.UplinkMtu;
        }

        if (_uplink is { } known && known.Address.Equals(tunnelEnd) && time.GetElapsedTime(known.ReadAt) < Fresh)
        {
            return known.Mtu;
        }

        using var netlink = RouteNetlink.Open();
        var owner = netlink.Links().FirstOrDefault(l => netlink.Addresses(l.Index).Any(a => a.Address.Equals(tunnelEnd)));
        var mtu = owner?.Mtu is > 0 and var found ? found : EthernetMtu;
        _uplink = (tunnelEnd, mtu, time.GetTimestamp());
        return mtu;
    }

    /// <summary>The MTU of this node's pods; null while settings or the node's address are not known.</summary>
    public int? PodMtu(NodeFacts facts) =>
        facts.Slice.Settings is { } settings && facts.Self?.Addresses is { IsEmpty: false } addresses && IPAddress.TryParse(addresses[0], out var tunnelEnd)
            ? TunnelOverhead.PodMtu(settings, tunnelEnd, UplinkMtu(tunnelEnd))
            : null;
}
