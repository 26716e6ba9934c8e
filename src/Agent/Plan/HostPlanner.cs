using System.Net;
using Weft.Agent.Facts;
using Weft.Agent.Host;
using Weft.Agent.Plan.Pipeline;
using Weft.Topology;

namespace Weft.Agent.Plan;

/// <summary>Computes what the host must look like. Pure.</summary>
public static class HostPlanner
{
    /// <summary>The plan for these facts.</summary>
    /// <param name="mtu">MTU of the gateway interface: that of the pods.</param>
    public static HostPlan Plan(NodeFacts facts, int mtu)
    {
        var subnets = facts.Subnets.ToList();
        var remote = facts.Slice.All<NodeEndpoint>().Where(n => n.Id != facts.NodeName).OrderBy(n => n.Id, StringComparer.Ordinal).ToList();
        var services = (facts.Slice.Settings?.ServiceCidrs ?? []).Select(c => IPNetwork.TryParse(c, out var cidr) ? cidr : (IPNetwork?)null).OfType<IPNetwork>().ToList();
        return new HostPlan
        {
            GatewayInterface = BridgePorts.GatewayName,
            GatewayMac = BridgePorts.GatewayMac,
            Mtu = mtu,
            GatewayAddresses = subnets.Select(s => $"{s.Gateway}/{s.Cidr.PrefixLength}").ToEquatableArray(),
            Routes = remote.SelectMany(PodSubnet.Of).Select(s => new HostRoute(s.Cidr.ToString(), s.Gateway.ToString()))
                .Concat(services.Select(c => new HostRoute(c.ToString(), (c.BaseAddress.IsV6() ? BridgePorts.ServiceHopV6 : BridgePorts.ServiceHopV4).ToString())))
                .ToEquatableArray(),
            Refuse = services.Select(c => c.ToString()).ToEquatableArray(),
            MasqueradeSources = subnets.Select(s => s.Cidr.ToString()).ToEquatableArray(),
            NeverMasquerade = NeverMasquerade(facts).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToEquatableArray(),
        };
    }

    private static IEnumerable<string> NeverMasquerade(NodeFacts facts)
    {
        var nodes = facts.Slice.All<NodeEndpoint>().ToList();
        return (facts.Slice.Settings?.ClusterCidrs ?? [])
            .Concat(nodes.SelectMany(PodSubnet.Of).Select(s => s.Cidr.ToString()))
            .Concat(nodes.SelectMany(n => n.Addresses).Where(a => IPAddress.TryParse(a, out _)));
    }
}
