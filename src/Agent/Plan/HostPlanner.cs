using System.Net;
using Weft.Agent.Facts;
using Weft.Agent.Host;
using Weft.Agent.Plan.Pipeline;
using Weft.Agent.Plan.Services;
using Weft.Topology;

namespace Weft.Agent.Plan;

/// <summary>Computes what the host must look like. Pure.</summary>
public static class HostPlanner
{
    /// <summary>The plan for these facts.</summary>
    /// <param name="mtu">MTU of the gateway interface: that of the pods.</param>
    /// <param name="balanced">What the host must know of Services.</param>
    public static HostPlan Plan(NodeFacts facts, int mtu, HostServices balanced)
    {
        var subnets = facts.Subnets.ToList();
        var remote = facts.Slice.All<NodeEndpoint>().Where(n => n.Id != facts.NodeName).OrderBy(n => n.Id, StringComparer.Ordinal).ToList();
        var services = (facts.Slice.Settings?.ServiceCidrs ?? []).Select(c => IPNetwork.TryParse(c, out var cidr) ? cidr : (IPNetwork?)null).OfType<IPNetwork>().ToList();
        var families = subnets.Select(s => s.Gateway.IsV6()).Distinct().ToList();
        var virtualAddresses = families.ConvertAll(v6 => (v6 ? BridgePorts.NodePortV6 : BridgePorts.NodePortV4).ToString());
        var returnAddresses = families.ConvertAll(v6 => (v6 ? BridgePorts.ReturnV6 : BridgePorts.ReturnV4).ToString());
        return new HostPlan
        {
            GatewayInterface = BridgePorts.GatewayName,
            GatewayMac = BridgePorts.GatewayMac,
            Mtu = mtu,
            GatewayAddresses = subnets.Select(s => $"{s.Gateway}/{s.Cidr.PrefixLength}").Concat(subnets.Select(s => s.Gateway.IsV6() ? $"{BridgePorts.DnsV6}/128" : $"{BridgePorts.DnsV4}/32")).Distinct().ToEquatableArray(),
            Routes = remote.SelectMany(PodSubnet.Of).Select(s => new HostRoute(s.Cidr.ToString(), s.Gateway.ToString()))
                .Concat(services.Select(c => ToSwitch(c)))
                .Concat(virtualAddresses.Concat(returnAddresses).Concat(balanced.Addresses).Select(a => ToSwitch(Single(IPAddress.Parse(a)))))
                .ToEquatableArray(),
            Refuse = services.Select(c => c.ToString()).Concat(virtualAddresses).Concat(balanced.Addresses).ToEquatableArray(),
            NodePorts4 = balanced.NodePorts4,
            NodePorts6 = balanced.NodePorts6,
            NodePortAddresses = virtualAddresses.ToEquatableArray(),
            Announced = balanced.Announced,
            UplinkAddress = facts.Self?.Addresses.FirstOrDefault() ?? "",
            ReturnMark = Marks.HostByGateway,
            ReturnTable = Marks.HostByGatewayTable,
            ReturnHops = families.Select(v6 => (v6 ? BridgePorts.ServiceHopV6 : BridgePorts.ServiceHopV4).ToString()).ToEquatableArray(),
            MasqueradeSources = subnets.Select(s => s.Cidr.ToString()).Concat(returnAddresses).ToEquatableArray(),
            NeverMasquerade = NeverMasquerade(facts).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToEquatableArray(),
        };
    }

    private static IPNetwork Single(IPAddress address) => new(address, address.IsV6() ? 128 : 32);

    private static HostRoute ToSwitch(IPNetwork destination) =>
        new(destination.ToString(), (destination.BaseAddress.IsV6() ? BridgePorts.ServiceHopV6 : BridgePorts.ServiceHopV4).ToString());

    private static IEnumerable<string> NeverMasquerade(NodeFacts facts)
    {
        var nodes = facts.Slice.All<NodeEndpoint>().ToList();
        return (facts.Slice.Settings?.ClusterCidrs ?? [])
            .Concat(nodes.SelectMany(PodSubnet.Of).Select(s => s.Cidr.ToString()))
            .Concat(nodes.SelectMany(n => n.Addresses).Where(a => IPAddress.TryParse(a, out _)));
    }
}
