using Weft.Agent.Facts;
using Weft.Agent.Plan.Features;
using Weft.Agent.Plan.Pipeline;
using Weft.Agent.Plan.Policies;
using Weft.Agent.Plan.Services;
using Weft.Topology;

namespace Weft.Ctl.Nodes;

/// <summary>Turns cookies into names: a cookie holds a part of the hash of its owner's name (docs/design/pipeline.md).</summary>
public sealed class OwnerNames
{
    private readonly Dictionary<uint, string> _names = [];

    /// <summary>Knows the owners that a node can have.</summary>
    public OwnerNames(Slice slice, IEnumerable<NodePort> ports)
    {
        foreach (var name in ports.Select(p => p.Pod).OfType<string>().Concat(slice.All<LogicalPort>().Select(p => p.Id)).Select(PodFlows.OwnerOf)
            .Concat(slice.All<NodeEndpoint>().Select(n => NodeFlows.OwnerOf(n.Id)))
            .Concat(slice.All<LoadBalancer>().Select(ServicePlan.OwnerOf))
            .Concat(slice.All<Policy>().Select(PolicyCompiler.OwnerOf))
            .Concat(slice.All<Network>().Select(TenantFlows.OwnerOf)))
        {
            _names[Cookies.OwnerNumber(name)] = name;
        }
    }

    /// <summary>The owner, for example <c>policy NetworkPolicy/shop/api</c>; for flows that belong to nobody, the part of the plan.</summary>
    public string Of(ulong cookie) => !Cookies.IsOurs(cookie) ? "foreign"
        : _names.TryGetValue((uint)cookie, out var name) ? name
        : Cookies.FeatureOf(cookie) switch
        {
            FlowFeature.Base => "pipeline",
            FlowFeature.Policy => "policies (shared)",
            var feature => $"{feature.ToString().ToLowerInvariant()} #{(uint)cookie:x8}",
        };
}
