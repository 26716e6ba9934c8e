using System.Globalization;
using Weft.Kubernetes;
using Weft.Topology;
using Endpoint = Weft.Topology.Endpoint;

namespace Weft.Controller.Network;

/// <summary>One port of a Service in one family, before its endpoints are known.</summary>
/// <param name="Name">The port's name, or its number when it has none.</param>
/// <param name="Port">The port as given.</param>
/// <param name="Protocol">Its protocol.</param>
/// <param name="V6">The family.</param>
internal readonly record struct ServicePort(string Name, V1ServicePort Port, Protocol Protocol, bool V6);

/// <summary>Turns Services and EndpointSlices into load balancers and endpoints. Pure.</summary>
internal static class ServiceCompiler
{
    private const int DefaultAffinitySeconds = 10800;

    /// <summary>Refuses a Service that cannot be computed.</summary>
    /// <exception cref="InvalidObjectException">The message names the field.</exception>
    public static void Check(V1Service service)
    {
        var ports = service.Spec?.Ports ?? [];
        for (var i = 0; i < ports.Count; i++)
        {
            if (ports[i].Port is < 1 or > 65535)
            {
                throw new InvalidObjectException($"spec.ports[{i}].port is {ports[i].Port}: it must be 1 to 65535");
            }

            if (!Protocols.TryParse(ports[i].Protocol, out _))
            {
                throw new InvalidObjectException($"spec.ports[{i}].protocol is '{ports[i].Protocol}': it must be TCP, UDP or SCTP");
            }
        }
    }

    /// <summary>The ports that nodes balance, in each family that the Service has.</summary>
    public static IEnumerable<ServicePort> PortsOf(V1Service service)
    {
        var spec = service.Spec;
        if (spec is null || spec.Type == "ExternalName" || ClusterIps(spec) is not { Count: > 0 } addresses)
        {
            yield break;
        }

        foreach (var v6 in new[] { false, true })
        {
            if (!addresses.Exists(a => Cidr.IsV6(a) == v6))
            {
                continue;
            }

            foreach (var port in spec.Ports ?? [])
            {
                Protocols.TryParse(port.Protocol, out var protocol);
                var name = string.IsNullOrEmpty(port.Name) ? port.Port.ToString(CultureInfo.InvariantCulture) : port.Name;
                yield return new ServicePort(name, port, protocol, v6);
            }
        }
    }

    /// <summary>The families in which a Service has a ClusterIP: false IPv4, true IPv6.</summary>
    public static IEnumerable<bool> FamiliesOf(V1Service service) => service.Spec is null ? [] : ClusterIps(service.Spec).Select(Cidr.IsV6).Distinct();

    public static LoadBalancer LoadBalancerOf(V1Service service, ServicePort port, string id, int key)
    {
        var spec = service.Spec!;
        var ingress = (service.Status?.LoadBalancer?.Ingress ?? []).Where(i => i.IpMode != "Proxy").Select(i => i.Ip);
        var externalLocal = spec.ExternalTrafficPolicy == "Local";
        return new LoadBalancer
        {
            Id = id,
            Service = ObjectKey.Of(service).ToString(),
            Key = key,
            Protocol = port.Protocol,
            Port = port.Port.Port,
            ClusterIp = ClusterIps(spec).Find(a => Cidr.IsV6(a) == port.V6),
            ExternalIps = OfFamily(spec.ExternalIPs, port.V6),
            LoadBalancerIps = spec.Type == "LoadBalancer" ? OfFamily(ingress, port.V6) : [],
            SourceRanges = (spec.LoadBalancerSourceRanges ?? []).Select(r => Cidr.TryNormalise(r.Trim(), out var range) ? range : null)
                .OfType<string>().Where(r => Cidr.IsV6(r) == port.V6).ToEquatableArray(),
            NodePort = port.Port.NodePort ?? 0,
            HealthCheckNodePort = externalLocal ? spec.HealthCheckNodePort ?? 0 : 0,
            AffinitySeconds = spec.SessionAffinity == "ClientIP" ? spec.SessionAffinityConfig?.ClientIP?.TimeoutSeconds ?? DefaultAffinitySeconds : 0,
            InternalLocal = spec.InternalTrafficPolicy == "Local",
            ExternalLocal = externalLocal,
            Endpoints = id,
        };
    }

    /// <summary>What of a tenant's load balancer counts in the tenant's own network.</summary>
    public static LoadBalancer WithinTenant(LoadBalancer balancer) => balancer with { NodePort = 0, HealthCheckNodePort = 0 };

    /// <summary>Whether the world outside has a way to it.</summary>
    public static bool IsShownOutside(LoadBalancer balancer) => balancer is not { NodePort: 0, ExternalIps.IsEmpty: true, LoadBalancerIps.IsEmpty: true };

    /// <summary>The way from outside to a tenant's load balancer.</summary>
    public static LoadBalancer FromOutside(LoadBalancer balancer, string id, int key) =>
        balancer with { Id = id, Key = key, Endpoints = id, NetworkKey = Topology.Network.DefaultKey, OutsideOnly = true, ClusterIp = null, InternalLocal = false };

    /// <summary>The endpoints of one port, each by the address that <paramref name="translate"/> gives; without one it is left out. Of two entries for one address the one that is ready counts: slices overlap while they are rewritten.</summary>
    public static Dictionary<(string Address, int Port), Endpoint> EndpointsOf(
        IEnumerable<V1EndpointSlice> slices, ServicePort port, Func<string, string?> translate)
    {
        var found = new Dictionary<(string, int), Endpoint>();
        foreach (var slice in slices)
        {
            if (slice.AddressType != (port.V6 ? "IPv6" : "IPv4") || NumberIn(slice, port) is not { } number)
            {
                continue;
            }

            foreach (var source in slice.Endpoints ?? [])
            {
                // Kubernetes: consumers use the first address only.
                if (source.Addresses is [var first, ..] && Cidr.Address(first) is { } known && translate(known) is { } address)
                {
                    var endpoint = EndpointOf(source, address, number);
                    if (!found.TryGetValue((address, number), out var other) || (!other.Ready && endpoint.Ready))
                    {
                        found[(address, number)] = endpoint;
                    }
                }
            }
        }

        return found;
    }

    /// <summary>What the Service's name means to DNS: its ClusterIPs, or the endpoints of a headless one (ready ones, or all where it says so).</summary>
    public static DnsName NameOf(V1Service service, IEnumerable<V1EndpointSlice> slices, int network, Func<string, string?> translate)
    {
        var endpoints = slices.SelectMany(s => s.Endpoints ?? [])
            .Where(e => service.Spec?.PublishNotReadyAddresses == true || (e.Conditions?.Ready ?? true))
            .Select(e => (e.Hostname, Address: e.Addresses is [var first, ..] && Cidr.Address(first) is { } known ? translate(known) : null))
            .Where(e => e.Address is not null).ToList();
        var clusterIps = service.Spec is null ? [] : ClusterIps(service.Spec);
        return new DnsName
        {
            Id = ObjectKey.Of(service).ToString(),
            NetworkKey = network,
            Addresses = (clusterIps.Count > 0 ? clusterIps : endpoints.Select(e => e.Address!)).Distinct().Order(StringComparer.Ordinal).ToEquatableArray(),
            Hosts = endpoints.Where(e => !string.IsNullOrEmpty(e.Hostname)).GroupBy(e => e.Hostname!).OrderBy(g => g.Key, StringComparer.Ordinal)
                .Select(g => new DnsHost(g.Key, g.Select(e => e.Address!).Distinct().Order(StringComparer.Ordinal).ToEquatableArray())).ToEquatableArray(),
        };
    }

    private static Endpoint EndpointOf(V1Endpoint source, string address, int port)
    {
        // Absent conditions: ready is yes, serving is as ready (discovery/v1).
        var ready = source.Conditions?.Ready ?? true;
        return new Endpoint
        {
            Address = address,
            Port = port,
            Node = source.NodeName,
            Ready = ready,
            Serving = source.Conditions?.Serving ?? ready,
            Terminating = source.Conditions?.Terminating ?? false,
            ForZones = (source.Hints?.ForZones ?? []).Select(z => z.Name).OfType<string>().ToEquatableArray(),
            ForNodes = (source.Hints?.ForNodes ?? []).Select(n => n.Name).OfType<string>().ToEquatableArray(),
        };
    }

    private static int? NumberIn(V1EndpointSlice slice, ServicePort port)
    {
        foreach (var candidate in slice.Ports ?? [])
        {
            if ((candidate.Name ?? "") == (port.Port.Name ?? "") && Protocols.TryParse(candidate.Protocol, out var protocol) && protocol == port.Protocol)
            {
                return candidate.Port is >= 1 and <= 65535 ? candidate.Port : null;
            }
        }

        return null;
    }

    private static List<string> ClusterIps(V1ServiceSpec spec)
    {
        var given = spec.ClusterIPs is { Count: > 0 } all ? all : spec.ClusterIP is { } one ? [one] : [];
        return given.Select(Cidr.Address).OfType<string>().ToList();
    }

    private static EquatableArray<string> OfFamily(IEnumerable<string?>? addresses, bool v6) =>
        (addresses ?? []).Select(Cidr.Address).OfType<string>().Where(a => Cidr.IsV6(a) == v6).ToEquatableArray();
}
