using System.Net;
using System.Net.Sockets;
using Weft.Agent.Host.Netlink;
using Route = Weft.Agent.Host.Netlink.Route;

namespace Weft.Agent.Host;

/// <summary>The routing table by which the host answers what came in at the gateway interface from a foreign address.</summary>
/// <remarks>Such a client has asked a Service whose endpoint is the host itself. Routes would send the answer straight to the client, who did not ask that address.</remarks>
internal static class HostReturnPath
{
    /// <summary>What differs from the plan, written into the batch.</summary>
    /// <returns>A sentence for each change.</returns>
    public static IReadOnlyList<string> Compare(RouteNetlink netlink, HostPlan plan, int gateway, NetlinkBatch batch)
    {
        var notes = new List<string>();
        var families = plan.ReturnHops.Select(IPAddress.Parse).ToList();
        var rules = families.Select(h => new MarkRule(h.AddressFamily == AddressFamily.InterNetworkV6, plan.ReturnMark, plan.ReturnTable)).ToList();
        var there = netlink.Rules();
        foreach (var rule in rules.Except(there))
        {
            RouteNetlink.AddRule(batch, rule);
            notes.Add($"{rule} added");
        }

        foreach (var rule in there.Except(rules))
        {
            RouteNetlink.DeleteRule(batch, rule);
            notes.Add($"{rule} removed");
        }

        if (plan.ReturnTable > 0)
        {
            var routes = netlink.Routes(Route.WeftProtocol, plan.ReturnTable);
            foreach (var hop in families.Where(h => !routes.Any(r => r.Interface == gateway && h.Equals(r.Gateway))))
            {
                var any = hop.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any;
                RouteNetlink.ReplaceRoute(batch, new Route { Destination = new InterfaceAddress(any, 0), Gateway = hop, Interface = gateway, OnLink = true, Table = plan.ReturnTable });
                notes.Add($"default route of table {plan.ReturnTable} via {hop} set");
            }
        }

        return notes;
    }
}
