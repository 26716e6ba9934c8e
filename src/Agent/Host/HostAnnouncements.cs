using System.Net;
using System.Net.NetworkInformation;
using Weft.Agent.Host.Netlink;
using Route = Weft.Agent.Host.Netlink.Route;

namespace Weft.Agent.Host;

/// <summary>Load balancer addresses that this node answers for on its link: proxy entries, by which the kernel answers ARP and neighbour solicitations.</summary>
/// <remarks>
/// The addresses are routed to the gateway interface, so the kernel owns none of them; it answers in their name because of the entries
/// (ip-neighbour(8), "proxy"). After taking one over it is told to everybody on the link, whose caches may name another node. Ours are the
/// entries with <see cref="Route.WeftProtocol"/>.
/// </remarks>
internal static class HostAnnouncements
{
    /// <summary>What differs from the plan, written into the batch.</summary>
    /// <param name="netlink">The host.</param>
    /// <param name="plan">What is to be announced, and through the owner of which address.</param>
    /// <param name="batch">Takes the requests.</param>
    public static AnnouncementChanges Compare(RouteNetlink netlink, HostPlan plan, NetlinkBatch batch)
    {
        var wanted = plan.Announced.Select(a => IPAddress.TryParse(a, out var address) ? address : null).OfType<IPAddress>().ToHashSet();
        var there = netlink.ProxyNeighbours();
        if (wanted.Count == 0 && there.Count == 0)
        {
            return AnnouncementChanges.None;
        }

        var uplink = IPAddress.TryParse(plan.UplinkAddress, out var own)
            ? netlink.Links().FirstOrDefault(l => netlink.Addresses(l.Index).Any(a => a.Address.Equals(own)))
            : null;
        if (uplink is null)
        {
            return wanted.Count == 0 ? AnnouncementChanges.None : new([], [], null, [$"load balancer addresses cannot be announced: no interface has the node's address {plan.UplinkAddress}"]);
        }

        var added = wanted.Where(a => !there.Contains((uplink.Index, a))).ToList();
        foreach (var address in added)
        {
            RouteNetlink.AddProxyNeighbour(batch, uplink.Index, address);
        }

        var removed = there.Where(e => e.Interface != uplink.Index || !wanted.Contains(e.Address)).ToList();
        foreach (var (index, address) in removed)
        {
            RouteNetlink.DeleteProxyNeighbour(batch, index, address);
        }

        return new(added, [.. removed.Select(e => e.Address)], uplink, []);
    }

    /// <summary>Lets the kernel answer at once: by default it waits up to 0.8 s before it speaks for others, and for IPv6 it does not at all.</summary>
    public static IEnumerable<(string Key, string Value)> Settings(Link uplink) =>
    [
        ($"net/ipv4/neigh/{uplink.Name}/proxy_delay", "0"),
        ($"net/ipv6/neigh/{uplink.Name}/proxy_delay", "0"),
        ($"net/ipv6/conf/{uplink.Name}/proxy_ndp", "1"),
    ];
}

/// <summary>What a comparison of announcements led to.</summary>
/// <param name="Added">Addresses that this node takes over.</param>
/// <param name="Removed">Addresses that it leaves to another.</param>
/// <param name="Uplink">The interface; null when nothing is announced.</param>
/// <param name="Problems">What cannot be done.</param>
internal sealed record AnnouncementChanges(IReadOnlyList<IPAddress> Added, IReadOnlyList<IPAddress> Removed, Link? Uplink, IReadOnlyList<string> Problems)
{
    public static readonly AnnouncementChanges None = new([], [], null, []);
}
