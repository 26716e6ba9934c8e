using System.Globalization;
using Weft.Controller.Allocation;
using Weft.Kubernetes;

namespace Weft.Controller.Network;

/// <summary>A pod can get no address now; the message says why and what to do.</summary>
internal sealed class NoAddressException(string message) : Exception(message);

/// <summary>Finds out what a pod is to be given: in which Subnet, and which addresses and MAC it asks for by annotation or pool.</summary>
internal sealed class AddressChooser(TenantTable tenants)
{
    /// <summary>Every pod of a StatefulSet has this label.</summary>
    private const string StatefulSetLabel = "statefulset.kubernetes.io/pod-name";

    /// <summary>Chooses, and changes nothing.</summary>
    /// <returns>The Subnet, the addresses that it must be (of other families: any), and the MAC that it must be (null: any).</returns>
    /// <exception cref="NoAddressException">There is none for this pod.</exception>
    public (SubnetState Subnet, IReadOnlyList<string> Wanted, string? Mac) Choose(PodState pod)
    {
        var subnet = SubnetOf(pod);
        var wanted = WantedBy(pod, subnet);
        CheckQuota(pod, subnet.Vpc!, subnet.Ranges.Select(r => r.Span.IsV6).Distinct().Count());
        return (subnet, [.. wanted.Select(w => w.ToString())], MacOf(pod, subnet.Vpc!));
    }

    public static IEnumerable<AddressRange> SpansOf(V1Alpha1AddressPool pool) => (pool.Spec?.Ips ?? []).Select(Ranges.Parse).OfType<AddressRange>();

    private SubnetState SubnetOf(PodState pod)
    {
        var subnet = pod.Namespace.Binding!;
        if (pod.Request.Subnet is { } name && name != subnet.Name)
        {
            var bound = subnet;
            subnet = tenants.Subnets.FirstOrDefault(s => s.Name == name && s.Source is not null && s.Vpc == bound.Vpc)
                ?? throw new NoAddressException($"annotation {PortRequest.SubnetAnnotation}: Vpc {bound.Vpc} has no Subnet {name}");
        }

        return subnet switch
        {
            { Problem: { } problem } => throw new NoAddressException($"Subnet {subnet} cannot be used: {problem.Message}"),
            { Source.Metadata.DeletionTimestamp: not null } => throw new NoAddressException($"Subnet {subnet} is being deleted"),
            { Vpc.Source.Metadata.DeletionTimestamp: not null } => throw new NoAddressException($"Vpc {subnet.Vpc} is being deleted"),
            { IsUsable: false } => throw new NoAddressException($"Subnet {subnet} is not ready: Vpc {subnet.Vpc} has no network key yet"),
            _ => subnet,
        };
    }

    private List<Place> WantedBy(PodState pod, SubnetState subnet)
    {
        if (pod.Request.Ips is { } text)
        {
            return Listed(pod, subnet, text);
        }

        if (pod.Request.Pool is { } pool)
        {
            return Pooled(pod, subnet, pool);
        }

        return subnet.Source!.Spec?.Ipam == "Static"
            ? throw new NoAddressException($"Subnet {subnet} gives no addresses by itself (ipam: Static): ask by annotation {PortRequest.IpAnnotation} or {PortRequest.PoolAnnotation}")
            : [];
    }

    /// <summary><c>10.0.0.5,fd00::5</c>, or in a template one such entry per ordinal, separated by semicolons.</summary>
    private static List<Place> Listed(PodState pod, SubnetState subnet, string text)
    {
        var entries = text.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        List<Place> Read(string entry) =>
        [
            .. entry.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                .Select(a => Place.Parse(a) ?? throw new NoAddressException($"annotation {PortRequest.IpAnnotation} has '{a}': it must be an address")),
        ];
        if (entries.Length > 1 && OrdinalOf(pod) is { } ordinal)
        {
            return ordinal < entries.Length
                ? Read(entries[ordinal])
                : throw new NoAddressException($"annotation {PortRequest.IpAnnotation} has {entries.Length} entries, none for ordinal {ordinal}: add one");
        }

        // Pods without ordinals take whichever is free.
        var all = entries.Select(Read).ToList();
        return all.Find(e => e.TrueForAll(p => subnet.IsFreeFor(pod, p))) ?? all.FirstOrDefault() ?? [];
    }

    private List<Place> Pooled(PodState pod, SubnetState subnet, string name)
    {
        if (!tenants.Pools.TryGetValue(name, out var pool) || pool.Spec?.Subnet != subnet.Name)
        {
            throw new NoAddressException($"annotation {PortRequest.PoolAnnotation}: Subnet {subnet} has no AddressPool {name}");
        }

        if (pool.Spec.Namespaces is { Count: > 0 } allowed && !allowed.Contains(pod.Namespace.Name))
        {
            throw new NoAddressException($"annotation {PortRequest.PoolAnnotation}: AddressPool {name} is not for namespace {pod.Namespace}");
        }

        var found = new List<Place>();
        foreach (var family in SpansOf(pool).GroupBy(s => s.IsV6))
        {
            found.Add((IsOfStatefulSet(pod) && OrdinalOf(pod) is { } ordinal ? At(family, ordinal) : FirstFree(family, subnet, pod))
                ?? throw new NoAddressException($"AddressPool {name} has no free {(family.Key ? "IPv6" : "IPv4")} address for this pod: make it larger"));
        }

        return found;
    }

    private static Place? At(IEnumerable<AddressRange> spans, int ordinal)
    {
        var left = (UInt128)ordinal;
        foreach (var span in spans)
        {
            if (left < span.Count())
            {
                return new Place(span.IsV6, span.First + left);
            }

            left -= span.Count();
        }

        return null;
    }

    private static Place? FirstFree(IEnumerable<AddressRange> spans, SubnetState subnet, PodState pod)
    {
        foreach (var span in spans)
        {
            for (var number = span.First; number <= span.Last; number++)
            {
                // A pool may be written as a whole range: what is the gateway's is not for a pod.
                var place = new Place(span.IsV6, number);
                if (subnet.IsFreeFor(pod, place) && subnet.Ranges.Exists(r => r.Gateway != place && r.Span.Hosts().Contains(place)))
                {
                    return place;
                }
            }
        }

        return null;
    }

    private static void CheckQuota(PodState pod, VpcState vpc, int addresses)
    {
        var quota = vpc.Source!.Spec?.Quota;
        var coming = vpc.Coming.Where(p => p != pod).ToList();
        if (quota?.Ports is { } ports && vpc.Pods.Count + coming.Count + 1 > ports)
        {
            throw new NoAddressException($"the quota of Vpc {vpc} is reached: {ports.ToString(CultureInfo.InvariantCulture)} ports (spec.quota.ports)");
        }

        var used = vpc.Pods.Sum(p => p.Addresses.Length) + coming.Sum(p => p.Pending?.Addresses.Count ?? 0);
        if (quota?.Addresses is { } most && used + addresses > most)
        {
            throw new NoAddressException($"the quota of Vpc {vpc} is reached: {used} of {most} addresses are given (spec.quota.addresses)");
        }
    }

    private static string? MacOf(PodState pod, VpcState vpc)
    {
        if (pod.Request.Mac is not { } wanted)
        {
            return null;
        }

        var mac = wanted.ToLowerInvariant();
        if (mac.Length != 17 || !mac.Split(':').All(p => p.Length == 2 && p.All(char.IsAsciiHexDigit)) || (Convert.ToByte(mac[..2], 16) & 1) != 0)
        {
            throw new NoAddressException($"annotation {PortRequest.MacAnnotation} is '{wanted}': it must be a unicast MAC address such as 02:00:00:00:00:05");
        }

        return vpc.Pods.Concat(vpc.Coming).FirstOrDefault(p => p != pod && (p.Claim ?? p.Pending) is { } claim && RecordsOfTenants.MacOf(claim) == mac) is { } other
            ? throw new NoAddressException($"annotation {PortRequest.MacAnnotation}: pod {other.Id} has {mac}: ask for another one")
            : mac;
    }

    private static bool IsOfStatefulSet(PodState pod)
    {
        foreach (var (key, value) in pod.Class!.Labels.Labels)
        {
            if (key == StatefulSetLabel && value == pod.Name)
            {
                return true;
            }
        }

        return false;
    }

    private static int? OrdinalOf(PodState pod) =>
        int.TryParse(pod.Name.AsSpan(pod.Name.LastIndexOf('-') + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var ordinal) ? ordinal : null;
}
