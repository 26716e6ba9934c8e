using Weft.Topology;
using Endpoint = Weft.Topology.Endpoint;

namespace Weft.Agent.Plan.Services;

/// <summary>Which endpoints of a Service a node sends new connections to (Kubernetes, "Virtual IPs and Service Proxies").</summary>
public static class EndpointChoice
{
    /// <summary>The endpoints, in a fixed order.</summary>
    /// <param name="all">All endpoints of the Service port.</param>
    /// <param name="node">This node.</param>
    /// <param name="zone">Its zone, or null.</param>
    /// <param name="localOnly">The traffic policy allows only endpoints of this node.</param>
    public static IReadOnlyList<Endpoint> For(IEnumerable<Endpoint> all, string node, string? zone, bool localOnly)
    {
        var candidates = all.Where(e => !localOnly || e.Node == node).ToList();
        var usable = candidates.Where(e => e.Ready).ToList();
        if (usable.Count == 0)
        {
            // Rather an endpoint that is ending than none.
            usable = candidates.Where(e => e is { Serving: true, Terminating: true }).ToList();
        }
        else if (!localOnly)
        {
            // Hints spread the load over the cluster: what is on this node already is as near as can be.
            usable = Hinted(usable, node, zone);
        }

        return [.. usable.OrderBy(e => e.Address, StringComparer.Ordinal).ThenBy(e => e.Port)];
    }

    // Hints count only when every endpoint has some and one of them is for us; otherwise the load would fall on few.
    private static List<Endpoint> Hinted(List<Endpoint> usable, string node, string? zone)
    {
        if (usable.TrueForAll(e => !e.ForNodes.IsEmpty) && usable.FindAll(e => e.ForNodes.Contains(node)) is { Count: > 0 } near)
        {
            return near;
        }

        return zone is not null && usable.TrueForAll(e => !e.ForZones.IsEmpty) && usable.FindAll(e => e.ForZones.Contains(zone)) is { Count: > 0 } same
            ? same
            : usable;
    }
}
