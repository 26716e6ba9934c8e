using Weft.Controller.Allocation;
using Weft.Kubernetes;
using Weft.Topology;

namespace Weft.Controller.Network;

/// <summary>Decides which Vpcs and Subnets can be used, and says of the others why not. Depends on the objects only, not on their order.</summary>
internal sealed class TenantResolver(
    Dictionary<string, VpcState> vpcs, Dictionary<string, SubnetState> subnets, Interner interner, ClusterSettings settings)
{
    /// <summary>Of two that exclude each other the older one stays; of one second's the one whose name comes first.</summary>
    public static IOrderedEnumerable<T> InOrder<T>(IEnumerable<T> all, Func<T, V1ObjectMeta> metadata) =>
        all.OrderBy(x => metadata(x).CreationTimestamp ?? DateTimeOffset.MinValue).ThenBy(x => metadata(x).Name, StringComparer.Ordinal);

    public void Resolve()
    {
        ResolveKeys();
        foreach (var subnet in subnets.Values)
        {
            subnet.Vpc = subnet.Source is null ? subnet.Vpc : VpcOf(subnet.Source);
            Read(subnet);
        }

        foreach (var vpc in vpcs.Values)
        {
            vpc.Subnets = [];
        }

        foreach (var subnet in InOrder(subnets.Values.Where(s => s.Source is not null), s => s.Source!.Metadata))
        {
            subnet.Problem ??= ProblemOf(subnet);

            // One that cannot be used for new pods may have old ones.
            subnet.Vpc?.Subnets.Add(subnet);
        }
    }

    private void ResolveKeys()
    {
        var used = new HashSet<int> { Topology.Network.DefaultKey };
        foreach (var vpc in vpcs.Values)
        {
            (vpc.Key, vpc.Problem) = (0, null);
        }

        foreach (var vpc in InOrder(vpcs.Values.Where(v => v.Source is not null), v => v.Source!.Metadata))
        {
            vpc.Problem = ProblemOf(vpc.Source!);
            if (vpc.Source!.Status?.NetworkKey is { } key and > 1 && key <= Allocation.NetworkKeys.Last && used.Add(key))
            {
                vpc.Key = key;
            }
        }
    }

    private TenantProblem? ProblemOf(V1Alpha1Vpc vpc)
    {
        try
        {
            interner.Selector(vpc.Spec?.NamespaceSelector, "spec.namespaceSelector");
            return null;
        }
        catch (InvalidObjectException e)
        {
            return new TenantProblem("Invalid", e.Message);
        }
    }

    /// <summary>An unknown Vpc has a state, too: it may come.</summary>
    private VpcState? VpcOf(V1Alpha1Subnet subnet)
    {
        if (string.IsNullOrEmpty(subnet.Spec?.Vpc))
        {
            return null;
        }

        if (!vpcs.TryGetValue(subnet.Spec.Vpc, out var vpc))
        {
            vpcs[subnet.Spec.Vpc] = vpc = new VpcState(subnet.Spec.Vpc);
        }

        return vpc;
    }

    private void Read(SubnetState subnet)
    {
        subnet.Problem = null;
        (subnet.Ranges, subnet.Excluded) = ([], []);
        var spec = subnet.Source?.Spec;
        foreach (var text in spec?.Cidrs ?? [])
        {
            if (!Cidr.TryNormalise(text, out var cidr) || Ranges.Parse(cidr) is not { } span)
            {
                subnet.Problem = new TenantProblem("Invalid", $"spec.cidrs has '{text}': it must be a CIDR such as 10.0.0.0/24");
                continue;
            }

            var gateway = (spec!.Gateways ?? []).Select(Place.Parse).OfType<Place>().Where(p => span.Contains(p)).Cast<Place?>().FirstOrDefault();
            subnet.Ranges.Add((span, gateway ?? new Place(span.IsV6, span.First + 1), cidr));
        }

        foreach (var text in spec?.ExcludeIPs ?? [])
        {
            if (Ranges.Parse(text) is { } span)
            {
                subnet.Excluded.Add(span);
            }
            else
            {
                subnet.Problem = new TenantProblem("Invalid", $"spec.excludeIPs has '{text}': it must be an address or a range such as 10.0.0.5..10.0.0.9");
            }
        }

        try
        {
            interner.Selector(spec?.NamespaceSelector, "spec.namespaceSelector");
        }
        catch (InvalidObjectException e)
        {
            subnet.Problem = new TenantProblem("Invalid", e.Message);
        }
    }

    private TenantProblem? ProblemOf(SubnetState subnet)
    {
        if (subnet.Vpc is not { Source: not null } vpc)
        {
            return new TenantProblem("VpcMissing", $"Vpc {subnet.Source!.Spec?.Vpc} does not exist: create it");
        }

        for (var i = 0; i < subnet.Ranges.Count; i++)
        {
            var (span, _, cidr) = subnet.Ranges[i];
            if (subnet.Ranges.Take(i).Where(r => r.Span.Overlaps(span)).Select(r => r.Cidr).FirstOrDefault() is { } own)
            {
                return new TenantProblem("Overlap", $"{cidr} overlaps {own} of the same Subnet: leave one out");
            }

            if (vpc.Subnets.Find(s => s.Problem is null && s.Ranges.Exists(r => r.Span.Overlaps(span))) is { } other)
            {
                return new TenantProblem("Overlap", $"{cidr} overlaps Subnet {other.Name} of the same Vpc, which was there first: choose another range, or another Vpc");
            }

            if (settings.ServiceCidrs.FirstOrDefault(c => Ranges.Parse(c) is { } services && services.Overlaps(span)) is { } serviceCidr)
            {
                return new TenantProblem("OverlapsServices", $"{cidr} overlaps the range of ClusterIPs {serviceCidr}, which every network uses: choose another range");
            }
        }

        return null;
    }
}
