using System.Net;
using Weft.Agent.Facts;
using Weft.Agent.Host;
using Weft.Agent.Plan.Pipeline;
using Weft.Topology;

namespace Weft.Agent.Plan.Services;

/// <summary>What the host must know of Services: node ports, and addresses that lead into the switch. Kept up to date Service by Service.</summary>
/// <remarks>Not thread-safe; owned by the plan. The arrays stay the same objects until something in them changes.</remarks>
public sealed class HostServices
{
    private readonly Dictionary<string, Part> _parts = new(StringComparer.Ordinal);
    private Arrays? _arrays;

    /// <summary>Node ports of IPv4, <c>tcp 30080</c>.</summary>
    public EquatableArray<string> NodePorts4 => Current.NodePorts4;

    /// <summary>Node ports of IPv6.</summary>
    public EquatableArray<string> NodePorts6 => Current.NodePorts6;

    /// <summary>ExternalIPs and load balancer addresses of both families, without those that nodes have.</summary>
    public EquatableArray<string> Addresses => Current.Addresses;

    /// <summary>Load balancer addresses that this node answers for.</summary>
    public EquatableArray<string> Announced => Current.Announced;

    /// <summary>What health-check node ports answer.</summary>
    public IReadOnlyDictionary<int, HealthCheck> HealthChecks => Current.HealthChecks;

    private Arrays Current => _arrays ??= new Arrays(
        Checks(),
        _parts.Values.SelectMany(p => p.Announced).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToEquatableArray(),
        Ports(v6: false), Ports(v6: true), _parts.Values.SelectMany(p => p.Addresses).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToEquatableArray());

    /// <summary>Takes a Service port as it is now, or its end.</summary>
    public void Set(NodeFacts facts, string id, LoadBalancer? balancer)
    {
        var part = balancer is null ? null : Part.Of(facts, balancer);
        var before = _parts.GetValueOrDefault(id);
        if (Equals(part, before))
        {
            return;
        }

        _arrays = null;
        if (part is null)
        {
            _parts.Remove(id);
        }
        else
        {
            _parts[id] = part;
        }
    }

    // A Service has one such port, and every port and family of it counts its own endpoints.
    private Dictionary<int, HealthCheck> Checks() => _parts.Values.Where(p => p.Health.Port > 0).GroupBy(p => p.Health.Port)
        .ToDictionary(g => g.Key, g => new HealthCheck(g.First().Health.Service, g.Max(p => p.Health.LocalEndpoints)));

    private EquatableArray<string> Ports(bool v6) =>
        _parts.Values.Where(p => p.IsV6 == v6).SelectMany(p => p.NodePorts).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToEquatableArray();

    private sealed record Arrays(IReadOnlyDictionary<int, HealthCheck> HealthChecks, EquatableArray<string> Announced, EquatableArray<string> NodePorts4, EquatableArray<string> NodePorts6, EquatableArray<string> Addresses);

    /// <summary>What one Service port adds; null when nothing.</summary>
    private sealed record Part(bool IsV6, EquatableArray<string> NodePorts, EquatableArray<string> Addresses, EquatableArray<string> Announced, (int Port, string Service, int LocalEndpoints) Health)
    {
        public static Part? Of(NodeFacts facts, LoadBalancer balancer)
        {
            if (balancer is { NodePort: 0, ExternalIps.IsEmpty: true, LoadBalancerIps.IsEmpty: true })
            {
                return null;
            }

            var protocol = balancer.Protocol.ToString().ToLowerInvariant();
            var nodes = facts.Slice.All<NodeEndpoint>().SelectMany(n => n.Addresses).ToHashSet(StringComparer.Ordinal);
            var ports = new List<string>();
            if (balancer.NodePort > 0)
            {
                ports.Add($"{protocol} {balancer.NodePort}");
            }

            if (balancer.ExternalIps.Any(a => facts.Self?.Addresses.Contains(a) == true))
            {
                ports.Add($"{protocol} {balancer.Port}");
            }

            return new Part(
                balancer.Id.EndsWith("/6", StringComparison.Ordinal), [.. ports],
                balancer.ExternalIps.Concat(balancer.LoadBalancerIps).Where(a => IPAddress.TryParse(a, out _) && !nodes.Contains(a)).ToEquatableArray(),
                balancer.Announcer == facts.NodeName ? balancer.Announced : [],
                balancer.HealthCheckNodePort == 0 ? default : (balancer.HealthCheckNodePort, balancer.Service, LocalEndpoints(facts, balancer)));
        }

        private static int LocalEndpoints(NodeFacts facts, LoadBalancer balancer) =>
            (facts.Slice.Find<EndpointSet>(ItemKind.EndpointSet, balancer.Endpoints)?.Endpoints ?? [])
                .Where(e => e.Ready && e.Node == facts.NodeName).Select(e => e.Address).Distinct(StringComparer.Ordinal).Count();
    }
}
