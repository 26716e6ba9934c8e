using Weft.Controller.Allocation;
using System.Globalization;
using Weft.Kubernetes;

namespace Weft.Controller.Network;

/// <summary>What an object's status should say.</summary>
/// <param name="Object">The object as it is: one of the kinds of weft.dev.</param>
/// <param name="Status">The status; its conditions have no times yet.</param>
/// <param name="KeepsFinalizer">Whether the object has to stay; null: its kind has no finalizer.</param>
internal sealed record WantedStatus(IKubernetesObject Object, object Status, bool? KeepsFinalizer = null);

/// <summary>Computes the statuses of tenants' objects. Pure.</summary>
internal sealed class TenantStatuses(TenantTable tenants)
{
    private const string Ready = "Ready";
    private const int MostNames = 10;

    private readonly ILookup<VpcState?, string> _subnets = tenants.Subnets.Where(s => s.Source is not null).ToLookup(s => s.Vpc, s => s.Name);

    public List<WantedStatus> All() => Of(new StatusesToTell(All: true, tenants.Vpcs, tenants.Subnets));

    public List<WantedStatus> Of(StatusesToTell which) =>
    [
        .. (which.All ? tenants.Vpcs : which.Vpcs).Where(v => v.Source is not null).Select(Vpc),
        .. (which.All ? tenants.Subnets : which.Subnets).Where(s => s.Source is not null).Select(Subnet),
        .. which.All ? tenants.Peerings.Values.Select(Peering) : [],
        .. tenants.Pools.Values.Where(p => which.All || which.Subnets.Any(s => s.Name == p.Spec?.Subnet)).Select(Pool),
    ];

    private WantedStatus Vpc(VpcState vpc)
    {
        var metadata = vpc.Source!.Metadata;
        var subnets = _subnets[vpc].Order(StringComparer.Ordinal).ToList();
        var users = subnets.Select(s => "Subnet " + s).Concat(vpc.Pods.Select(p => "pod " + p.Id).Order(StringComparer.Ordinal)).ToList();
        var problem = metadata.DeletionTimestamp is not null && users.Count > 0
            ? new TenantProblem("InUse", $"deletion waits until these are gone: {Some(users)}")
            : vpc.Problem ?? (vpc.Key == 0 ? NoKey(vpc) : null);
        return new WantedStatus(vpc.Source, new V1Alpha1VpcStatus
        {
            NetworkKey = vpc.Key > 0 ? vpc.Key : null,
            Subnets = subnets,
            Ports = vpc.Pods.Count,
            Addresses = vpc.Pods.Sum(p => p.Addresses.Length),
            Nodes = vpc.Nodes.Count,
            Conditions = [ReadyOf(metadata, problem, "the network is rendered where its pods are")],
        }, users.Count > 0);
    }

    private static TenantProblem NoKey(VpcState vpc) => vpc.KeyRefusal is { } refusal
        ? new TenantProblem("NoKey", refusal)
        : new TenantProblem("KeyPending", "the network gets its key in a moment");

    private WantedStatus Subnet(SubnetState subnet)
    {
        var metadata = subnet.Source!.Metadata;
        var problem = metadata.DeletionTimestamp is not null && subnet.Pods.Count > 0
            ? new TenantProblem("InUse", $"deletion waits until these pods are gone: {Some(subnet.Pods.Select(p => p.Id).Order(StringComparer.Ordinal).ToList())}")
            : subnet.Problem ?? (subnet.Vpc?.Key is null or 0 ? new TenantProblem("VpcNotReady", $"Vpc {subnet.Vpc} has no network key yet") : null) ?? subnet.Conflict ?? Lost(subnet);
        var conditions = new List<V1Condition> { ReadyOf(metadata, problem, "pods of its namespaces get addresses from it") };
        var free = Free(subnet).ToList();
        conditions.Add(free.Exists(f => f.Count == 0)
            ? Condition(metadata, "AddressesAvailable", false, "Exhausted", $"no {Family(free.First(f => f.Count == 0).V6)} address is left: add a range to spec.cidrs")
            : Condition(metadata, "AddressesAvailable", true, "Available", "there are free addresses"));
        if (Strangers(subnet) is { Count: > 0 } strangers)
        {
            conditions.Add(Condition(metadata, "PodsElsewhere", true, "RanBefore",
                $"these pods of its namespaces ran before they were bound and stay in their network until they are made again: {Some(strangers)}"));
        }
        else
        {
            conditions.Add(Condition(metadata, "PodsElsewhere", false, "None", "every pod of its namespaces is in its Vpc"));
        }

        return new WantedStatus(subnet.Source, new V1Alpha1SubnetStatus
        {
            Namespaces = [.. subnet.Namespaces],
            UsedIPs = subnet.Owners.Count,
            AvailableIPs = free.Count == 0 ? "0" : free.Min(f => f.Count).ToString(CultureInfo.InvariantCulture),
            Conditions = conditions,
        }, subnet.Pods.Count > 0);
    }

    /// <summary>Pods whose addresses are in no range any more: somebody took a range away.</summary>
    private static TenantProblem? Lost(SubnetState subnet)
    {
        var outside = subnet.Owners.Where(o => !subnet.Ranges.Exists(r => r.Span.Contains(o.Key))).Select(o => $"{o.Value[0].Id} ({o.Key})").Order(StringComparer.Ordinal).ToList();
        return outside.Count == 0 ? null : new TenantProblem("RangeInUse", $"these pods have addresses of a range that was taken out of spec.cidrs: put it back, or delete {Some(outside)}");
    }

    /// <summary>What pods that ask for no address can still get, of each family.</summary>
    private IEnumerable<(bool V6, UInt128 Count)> Free(SubnetState subnet)
    {
        var kept = subnet.Excluded
            .Concat(tenants.Pools.Values.Where(p => p.Spec?.Subnet == subnet.Name).SelectMany(AddressChooser.SpansOf))
            .Concat(subnet.Ranges.Select(r => new AddressRange(r.Gateway.Number, r.Gateway.Number, r.Gateway.V6)))
            .OrderBy(k => k.First).ToList();
        foreach (var family in subnet.Ranges.GroupBy(r => r.Span.IsV6))
        {
            var free = UInt128.Zero;
            foreach (var hosts in family.Select(r => r.Span.Hosts()))
            {
                // What is kept may overlap itself, and reach beyond the range.
                var next = hosts.First;
                foreach (var one in kept.Where(k => k.Overlaps(hosts)))
                {
                    free += one.First > next ? one.First - next : UInt128.Zero;
                    next = UInt128.Max(next, UInt128.Min(one.Last, hosts.Last) + 1);
                }

                free += next <= hosts.Last ? hosts.Last - next + 1 : UInt128.Zero;
            }

            var used = (UInt128)subnet.Owners.Keys.Count(p => p.V6 == family.Key && family.Any(r => r.Span.Hosts().Contains(p)) && !kept.Exists(k => k.Contains(p)));
            yield return (family.Key, free > used ? free - used : UInt128.Zero);
        }
    }

    private List<string> Strangers(SubnetState subnet)
    {
        var found = new List<string>();
        foreach (var ns in tenants.Bound.Where(n => n.Binding == subnet))
        {
            foreach (var c in ns.Classes.Items)
            {
                found.AddRange(c.Pods.Where(p => p.Network != 0 && p.Vpc != subnet.Vpc).Select(p => p.Id));
            }
        }

        found.Sort(StringComparer.Ordinal);
        return found;
    }

    private WantedStatus Peering(V1Alpha1VpcPeering peering) => new(peering, new V1Alpha1ConditionsStatus
    {
        Conditions = [ReadyOf(peering.Metadata, tenants.PeeringProblems.GetValueOrDefault(peering.Metadata.Name!), "packets pass between the two Vpcs")],
    });

    private WantedStatus Pool(V1Alpha1AddressPool pool)
    {
        var spans = AddressChooser.SpansOf(pool).ToList();
        var subnet = tenants.Subnets.FirstOrDefault(s => s.Name == pool.Spec?.Subnet && s.Source is not null);
        var outside = spans.FindIndex(s => subnet?.Ranges.Exists(r => r.Span.Contains(new Place(s.IsV6, s.First)) && r.Span.Contains(new Place(s.IsV6, s.Last))) == false);
        var total = spans.Aggregate(UInt128.Zero, (sum, s) => sum + s.Count());
        var problem = subnet is null ? new TenantProblem("SubnetMissing", $"Subnet {pool.Spec?.Subnet} does not exist: create it")
            : outside >= 0 ? new TenantProblem("OutsideSubnet", $"{pool.Spec!.Ips![outside]} is not within a range of Subnet {subnet}")
            : null;
        return new WantedStatus(pool, new V1Alpha1AddressPoolStatus
        {
            UsedIPs = subnet?.Owners.Keys.Count(p => spans.Exists(s => s.Contains(p))) ?? 0,
            TotalIPs = total > long.MaxValue ? long.MaxValue : (long)total,
            Conditions = [ReadyOf(pool.Metadata, problem, "pods may ask for it")],
        });
    }

    private static V1Condition ReadyOf(V1ObjectMeta metadata, TenantProblem? problem, string fine) =>
        problem is null ? Condition(metadata, Ready, true, Ready, fine) : Condition(metadata, Ready, false, problem.Reason, problem.Message);

    private static V1Condition Condition(V1ObjectMeta metadata, string type, bool holds, string reason, string message) => new()
    {
        Type = type,
        Status = holds ? "True" : "False",
        ObservedGeneration = metadata.Generation,
        Reason = reason,
        Message = message,
    };

    private static string Family(bool v6) => v6 ? "IPv6" : "IPv4";

    private static string Some(List<string> names) =>
        string.Join(", ", names.Take(MostNames)) + (names.Count > MostNames ? $" and {names.Count - MostNames} more" : "");
}
