using System.Net;
using System.Net.Sockets;
using Weft.Agent.Host.Netlink;
using Route = Weft.Agent.Host.Netlink.Route;

namespace Weft.Agent.Host;

/// <summary>Compares the gateway interface, its addresses, our routes and the forwarding switches with a plan, and sends the difference.</summary>
/// <remarks>Ours are the addresses of the gateway interface and the routes with <see cref="Route.WeftProtocol"/>; everything else is left alone.</remarks>
/// <param name="netlink">A socket in the host's namespace.</param>
/// <param name="onlyCompare">Nothing is sent; what would be done counts as done.</param>
internal sealed class HostInterfaces(RouteNetlink netlink, bool onlyCompare = false)
{
    /// <summary>Makes the host so. Runs on a thread in the host's namespace, since sysctl files show the caller's.</summary>
    public HostChanges Apply(HostTargets targets)
    {
        var plan = targets.Plan;
        var work = new Work(netlink, onlyCompare);
        SetForwarding(targets, work);
        if (netlink.FindLink(plan.GatewayInterface) is { } gateway)
        {
            SetLink(targets, gateway, work);
            SetAddresses(targets, gateway, work);

            // Routes need the interface up and its addresses there.
            work.Send();
            SetRoutes(targets, targets.Routes, gateway.Index, work);
            foreach (var note in HostReturnPath.Compare(netlink, plan, gateway.Index, work.Batch))
            {
                work.Note(note);
            }

            AllowOtherWaysBack(plan, work);
            Announce(plan, work);
        }
        else
        {
            SetRoutes(targets, new Dictionary<InterfaceAddress, IPAddress>(), 0, work);
            work.Problems.Add($"interface {plan.GatewayInterface} does not exist: Open vSwitch makes it when its port is in the bridge");
        }

        work.Send();
        return new HostChanges([.. work.Applied], [.. work.Problems]);
    }

    private static void SetLink(HostTargets targets, Link gateway, Work work)
    {
        int? mtu = targets.Plan.Mtu > 0 && targets.Plan.Mtu != gateway.Mtu ? targets.Plan.Mtu : null;
        var mac = targets.GatewayMac is { } wanted && wanted != gateway.Mac ? wanted : null;
        if (mtu is null && mac is null && gateway.IsUp)
        {
            return;
        }

        RouteNetlink.SetLink(work.Batch, gateway.Index, up: true, mtu, mac);
        work.Note($"interface {gateway.Name}: up{(mtu is null ? "" : $", MTU {gateway.Mtu} -> {mtu}")}{(mac is null ? "" : $", MAC {gateway.Mac} -> {mac}")}");
    }

    private void SetAddresses(HostTargets targets, Link gateway, Work work)
    {
        var wanted = targets.Addresses;
        var there = netlink.Addresses(gateway.Index).ToHashSet();
        foreach (var address in there.Except(wanted))
        {
            RouteNetlink.DeleteAddress(work.Batch, gateway.Index, address);
            work.Note($"address {address} removed from {gateway.Name}");
        }

        foreach (var address in wanted.Except(there))
        {
            RouteNetlink.AddAddress(work.Batch, gateway.Index, address);
            work.Note($"address {address} added to {gateway.Name}");
        }
    }

    private void SetRoutes(HostTargets targets, IReadOnlyDictionary<InterfaceAddress, IPAddress> routes, int gatewayIndex, Work work)
    {
        var wanted = routes.ToDictionary(r => r.Key, r => new Route
        {
            Destination = r.Key,
            Gateway = r.Value,
            Interface = gatewayIndex,
            OnLink = true,
            Source = SourceOf(targets, r.Key),
        });
        var there = netlink.Routes(Route.WeftProtocol, Route.MainTable);
        foreach (var route in there)
        {
            if (wanted.TryGetValue(route.Destination, out var same) && IsSame(route, same))
            {
                wanted.Remove(route.Destination);
            }
            else if (same is null || !IsReplacedInPlace(route))
            {
                RouteNetlink.DeleteRoute(work.Batch, route);
                work.Note($"route to {route.Destination} via {route.Gateway} removed");
            }
        }

        foreach (var route in wanted.Values)
        {
            RouteNetlink.ReplaceRoute(work.Batch, route);
            work.Note($"route to {route.Destination} via {route.Gateway} set");
        }
    }

    // IPv6 keeps several next hops of one destination apart from each other; a replacement would leave some.
    private static bool IsReplacedInPlace(Route route) => route.Destination.Address.AddressFamily == AddressFamily.InterNetwork;

    // The kernel does not report ONLINK for IPv6 routes whose gateway it found on the link anyway.
    private static bool IsSame(Route there, Route wanted) =>
        there.Interface == wanted.Interface && Equals(there.Gateway, wanted.Gateway) && Equals(there.Source, wanted.Source);

    /// <summary>The gateway's own address of the same family: what the host's own packets to pods come from.</summary>
    private static IPAddress? SourceOf(HostTargets targets, InterfaceAddress destination) =>
        targets.Addresses.Select(a => a.Address).FirstOrDefault(a => a.AddressFamily == destination.Address.AddressFamily);

    private void Announce(HostPlan plan, Work work)
    {
        var changes = HostAnnouncements.Compare(netlink, plan, work.Batch);
        work.Problems.AddRange(changes.Problems);
        foreach (var address in changes.Removed)
        {
            work.Note($"load balancer address {address} is left to another node");
        }

        if (changes.Uplink is not { } uplink || changes.Added.Count + changes.Removed.Count == 0)
        {
            return;
        }

        foreach (var (key, value) in HostAnnouncements.Settings(uplink))
        {
            work.Set(key, value);
        }

        // Answering comes before telling: who hears it may ask at once.
        work.Send();
        foreach (var address in changes.Added)
        {
            work.Note($"load balancer address {address} is answered for on {uplink.Name}");
            if (LinkAnnouncement.Send(uplink, address) is { } problem)
            {
                work.Problems.Add(problem);
            }
        }
    }

    /// <summary>Clients of node ports have their way back elsewhere: strict filtering (1) would drop what the switch hands to the host (ip-sysctl, rp_filter).</summary>
    private static void AllowOtherWaysBack(HostPlan plan, Work work)
    {
        var own = $"net/ipv4/conf/{plan.GatewayInterface}/rp_filter";
        if (plan.ReturnMark != 0 && (Sysctl.Read("net/ipv4/conf/all/rp_filter") == "1" || Sysctl.Read(own) == "1"))
        {
            work.Set(own, "2");
        }
    }

    private static void SetForwarding(HostTargets targets, Work work)
    {
        if (!targets.Plan.Forward)
        {
            return;
        }

        if (targets.Has(AddressFamily.InterNetwork))
        {
            work.Set("net/ipv4/ip_forward", "1");
        }

        const string forwarding = "net/ipv6/conf/all/forwarding";
        if (targets.Has(AddressFamily.InterNetworkV6) && Sysctl.Read(forwarding) == "0")
        {
            KeepRouterAdvertisements(work);
            work.Set(forwarding, "1");
        }
    }

    /// <summary>A forwarding host ignores router advertisements unless accept_ra is 2: without this the node would lose its default route (ip-sysctl, accept_ra).</summary>
    private static void KeepRouterAdvertisements(Work work)
    {
        foreach (var folder in Directory.EnumerateDirectories("/proc/sys/net/ipv6/conf").Select(Path.GetFileName))
        {
            if (folder is not ("all" or "default" or "lo") && Sysctl.Read($"net/ipv6/conf/{folder}/accept_ra") == "1")
            {
                work.Set($"net/ipv6/conf/{folder}/accept_ra", "2");
            }
        }
    }

    /// <summary>Requests that are sent together, and the sentences that tell of them.</summary>
    private sealed class Work(RouteNetlink netlink, bool onlyCompare)
    {
        public NetlinkBatch Batch { get; private set; } = new();

        public List<string> Applied { get; } = [];

        public List<string> Problems { get; } = [];

        public void Note(string change) => Applied.Add(change);

        public void Set(string key, string value)
        {
            try
            {
                if (onlyCompare ? Sysctl.Read(key) is { } now && now != value : Sysctl.Write(key, value))
                {
                    Applied.Add($"{key} set to {value}");
                }
            }
            catch (SysctlException e)
            {
                Problems.Add(e.Message);
            }
        }

        public void Send()
        {
            Problems.AddRange(onlyCompare ? [] : netlink.TryExecute(Batch).Select(e => e.Message));
            Batch = new NetlinkBatch();
        }
    }
}
