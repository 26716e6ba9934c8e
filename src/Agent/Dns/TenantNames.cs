using System.Net;
using Weft.Agent.Facts;
using Weft.Topology;

namespace Weft.Agent.Dns;

/// <summary>Finds names of a tenant's network in the node's slice (the schema of Kubernetes' DNS-based service discovery). Pure.</summary>
public static class TenantNames
{
    /// <summary>The cluster's domain.</summary>
    public const string Domain = "cluster.local";

    /// <summary>The addresses of a name.</summary>
    /// <returns>Null: the name is none of this network's namespaces, ask the cluster's DNS. Empty: there is no such name.</returns>
    public static IReadOnlyList<IPAddress>? Find(NodeFacts facts, int networkKey, string name)
    {
        if (!name.EndsWith("." + Domain, StringComparison.Ordinal))
        {
            return null;
        }

        var labels = name[..^(Domain.Length + 1)].Split('.');
        return labels switch
        {
            [var service, var ns, "svc"] when IsOurs(facts, networkKey, ns) => Addresses(NameOf(facts, networkKey, ns, service)?.Addresses),
            [var host, var service, var ns, "svc"] when IsOurs(facts, networkKey, ns) =>
                Addresses(NameOf(facts, networkKey, ns, service)?.Hosts.FirstOrDefault(h => h.Name == host)?.Addresses),
            [var pod, var ns, "pod"] when IsOurs(facts, networkKey, ns) => Pod(facts, networkKey, ns, pod),
            _ => null,
        };
    }

    private static bool IsOurs(NodeFacts facts, int key, string ns) =>
        facts.Slice.In<LogicalPort>(key).Any(p => p.Id.StartsWith(ns + "/", StringComparison.Ordinal))
        || facts.Slice.In<DnsName>(key).Any(n => n.Id.StartsWith(ns + "/", StringComparison.Ordinal));

    private static DnsName? NameOf(NodeFacts facts, int key, string ns, string service) =>
        facts.Slice.Find<DnsName>(ItemKind.DnsName, $"{ns}/{service}") is { } found && found.NetworkKey == key ? found : null;

    /// <summary>A pod by its name, or by its address with dashes.</summary>
    private static List<IPAddress> Pod(NodeFacts facts, int key, string ns, string pod)
    {
        var port = facts.Slice.Port($"{ns}/{pod}");
        if (port?.NetworkKey == key)
        {
            return Addresses(port.Addresses);
        }

        foreach (var text in new[] { pod.Replace('-', '.'), pod.Replace('-', ':') })
        {
            if (IPAddress.TryParse(text, out var address) && facts.Slice.In<LogicalPort>(key).Any(p =>
                p.Id.StartsWith(ns + "/", StringComparison.Ordinal) && p.Addresses.Contains(address.ToString())))
            {
                return [address];
            }
        }

        return [];
    }

    private static List<IPAddress> Addresses(EquatableArray<string>? addresses) => [.. (addresses ?? []).Select(a => IPAddress.TryParse(a, out var address) ? address : null).OfType<IPAddress>()];
}
