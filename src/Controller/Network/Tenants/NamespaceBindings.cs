using Weft.Kubernetes;

namespace Weft.Controller.Network;

/// <summary>Decides which namespace belongs to which Subnet. Of several that name one, the one that has it already stays, then the oldest.</summary>
/// <remarks>A Subnet that cannot be used yet binds its namespaces, too: their pods wait, for in the default network they would be open to all.</remarks>
internal sealed class NamespaceBindings(
    Dictionary<string, VpcState> vpcs, Dictionary<string, SubnetState> subnets, GroupTable groups, Interner interner)
{
    /// <summary>Selectors never bind these, because the cluster itself lives there; a name does.</summary>
    private static readonly string[] System = ["kube-system", "kube-public", "kube-node-lease", "weft-system"];

    private readonly Dictionary<NamespaceState, SubnetState> _bindings = [];

    /// <summary>The Subnet of each bound namespace. Notes on each Subnet what it got and what it did not get.</summary>
    public Dictionary<NamespaceState, SubnetState> Compute()
    {
        var lost = new Dictionary<SubnetState, List<string>>();
        var claims = subnets.Values.Where(s => s.Source?.Spec is not null && s.Problem?.Reason != "Invalid")
            .SelectMany(s => Named(s.Source!.Spec!.Namespaces, s.Source.Spec.NamespaceSelector).Select(n => (Namespace: n, Subnet: s)));
        foreach (var claim in claims.GroupBy(c => c.Namespace))
        {
            var order = TenantResolver.InOrder(claim.Select(c => c.Subnet), s => s.Source!.Metadata)
                .OrderByDescending(s => s.Source!.Status?.Namespaces?.Contains(claim.Key.Name) == true).ThenBy(s => s.Problem is not null).ToList();
            _bindings[claim.Key] = order[0];
            foreach (var other in order.Skip(1))
            {
                (lost.TryGetValue(other, out var list) ? list : lost[other] = []).Add($"{claim.Key.Name} (bound to Subnet {order[0].Name})");
            }
        }

        BindByVpc();
        var bound = _bindings.ToLookup(b => b.Value, b => b.Key.Name);
        foreach (var subnet in subnets.Values)
        {
            subnet.Namespaces = new SortedSet<string>(bound[subnet], StringComparer.Ordinal);
            subnet.Conflict = lost.TryGetValue(subnet, out var names)
                ? new TenantProblem("NamespaceTaken", $"these namespaces belong to another Subnet already: {string.Join(", ", names.Order(StringComparer.Ordinal))}")
                : null;
        }

        return _bindings;
    }

    private void BindByVpc()
    {
        foreach (var vpc in TenantResolver.InOrder(vpcs.Values.Where(v => v is { Source.Spec: not null, Problem: null }), v => v.Source!.Metadata))
        {
            var spec = vpc.Source!.Spec!;
            var usable = vpc.Subnets.Where(s => s.Problem is null).ToList();
            if ((string.IsNullOrEmpty(spec.DefaultSubnet) ? usable.FirstOrDefault() : usable.Find(s => s.Name == spec.DefaultSubnet)) is { } subnet)
            {
                foreach (var ns in Named(spec.Namespaces, spec.NamespaceSelector))
                {
                    _bindings.TryAdd(ns, subnet);
                }
            }
        }
    }

    private HashSet<NamespaceState> Named(List<string>? names, V1LabelSelector? selector)
    {
        var found = (names ?? []).Select(groups.Namespace).ToHashSet();
        if (selector is not null)
        {
            var matcher = interner.Selector(selector, "spec.namespaceSelector");
            found.UnionWith(groups.Namespaces.Where(n => n.Exists && !System.Contains(n.Name) && matcher.Matches(n.Labels)));
        }

        return found;
    }
}
