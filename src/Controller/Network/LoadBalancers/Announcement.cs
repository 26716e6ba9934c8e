using Weft.Topology;

namespace Weft.Controller.Network.LoadBalancers;

/// <summary>Chooses the node that answers for a load balancer's addresses of the cluster's own pools.</summary>
/// <remarks>
/// By highest hash of Service and node among the nodes that may: addresses spread over all nodes, and a node that fails or returns moves only
/// those that it has. With <c>externalTrafficPolicy: Local</c> only nodes with a ready endpoint may, since others would drop what comes.
/// </remarks>
internal static class Announcement
{
    /// <summary>The load balancer with what is to be announced, and by whom.</summary>
    public static LoadBalancer Of(LoadBalancer balancer, ServiceState service, NodeTable nodes, PoolTable pools)
    {
        if (!pools.HasPools || balancer.LoadBalancerIps.IsEmpty || balancer.LoadBalancerIps.Where(pools.Owns).ToEquatableArray() is not { IsEmpty: false } announced)
        {
            return balancer;
        }

        var candidates = nodes.All.Where(n => n is { IsReady: true, Facts: not null }).Select(n => n.Name);
        if (balancer.ExternalLocal)
        {
            candidates = candidates.Intersect(service.Slices.Values.SelectMany(s => s.Endpoints ?? [])
                .Where(e => e.Conditions?.Ready ?? true).Select(e => e.NodeName).OfType<string>(), StringComparer.Ordinal);
        }

        // The same node for every port and family of a Service.
        return balancer with { Announced = announced, Announcer = candidates.MaxBy(n => (Hash(balancer.Service, n), n)) };
    }

    /// <summary>FNV-1a, mixed: the same in every process and version.</summary>
    private static ulong Hash(string service, string node)
    {
        var hash = 14695981039346656037UL;
        foreach (var unit in service.Append('\n').Concat(node))
        {
            hash = (hash ^ unit) * 1099511628211UL;
        }

        return (hash ^ (hash >> 32)) * 0x9E37_79B9_7F4A_7C15UL;
    }
}
