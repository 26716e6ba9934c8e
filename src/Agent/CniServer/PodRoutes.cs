using System.Net;
using System.Net.Sockets;
using Weft.Agent.Host.Netlink;
using Route = Weft.Agent.Host.Netlink.Route;

namespace Weft.Agent.CniServer;

/// <summary>The routes inside a pod: the default route of each family through its gateway. The kernel adds the subnet's own.</summary>
internal static class PodRoutes
{
    public static IEnumerable<Route> Of(PodInterface pod, int interfaceIndex) =>
        from address in pod.Addresses
        where address.Gateway is not null
        select new Route
        {
            Destination = new InterfaceAddress(AnyOf(address), 0),
            Gateway = address.Gateway,
            Interface = interfaceIndex,
            Protocol = Route.StaticProtocol,

            // A host address (/32, /128) has no subnet that would hold the gateway.
            OnLink = address.Address.PrefixLength is 32 && address.Gateway!.AddressFamily == AddressFamily.InterNetwork || address.Address.PrefixLength == 128,
        };

    private static IPAddress AnyOf(PodAddress address) =>
        address.Gateway!.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any;
}
