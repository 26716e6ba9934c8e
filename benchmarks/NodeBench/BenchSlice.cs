using System.Collections.Immutable;
using System.Globalization;
using Weft.Agent.Facts;
using Weft.Topology;

namespace Weft.Bench.NodeBench;

/// <summary>The slices that the benchmarks' nodes start from, as a controller would send them.</summary>
internal static class BenchSlice
{
    /// <summary>Cluster settings, <paramref name="nodes"/> nodes, and this node's switch with <paramref name="pods"/> pods.</summary>
    /// <param name="node">This node's number, from 1.</param>
    /// <param name="nodes">How many there are.</param>
    /// <param name="pods">How many this one has.</param>
    /// <param name="dual">Pods have an IPv6 address as well.</param>
    public static List<TopologyItem> Of(int node, int nodes, int pods, bool dual = false)
    {
        List<TopologyItem> items =
        [
            new ClusterSettings { Id = ClusterSettings.TheId, ClusterCidrs = Both(dual, "10.64.0.0/12", "fd64::/48"), ServiceCidrs = Both(dual, "10.96.0.0/12", "fd96::/108") },
            new Network { Id = Network.DefaultId, Key = Network.DefaultKey },
            new LogicalRouter { Id = Network.DefaultId, NetworkKey = Network.DefaultKey, Switches = [.. Enumerable.Range(1, nodes).Select(NodeName)] },
            new LogicalSwitch { Id = NodeName(node), NetworkKey = Network.DefaultKey, Node = NodeName(node), Subnets = Subnets(node, dual) },
        ];
        items.AddRange(Enumerable.Range(1, nodes).Select(n => new NodeEndpoint { Id = NodeName(n), Addresses = [NodeAddress(n)], PodCidrs = [.. Subnets(n, dual).Select(s => s.Cidr)] }));
        items.AddRange(Enumerable.Range(0, pods).Select(i => new LogicalPort { Id = PodId(i), Uid = PodUid(i), Node = NodeName(node), Switch = NodeName(node), Key = i + 1 }));
        return items;
    }

    /// <summary>Services of two ports with two endpoints each among a hundred addresses.</summary>
    public static IEnumerable<TopologyItem> Services(int count)
    {
        for (var i = 0; i < count; i++)
        {
            var id = string.Create(CultureInfo.InvariantCulture, $"default/service-{i}/http/4");
            yield return new EndpointSet
            {
                Id = id,
                Endpoints = [new Endpoint { Address = Address(i), Port = 8080, Node = NodeName(2) }, new Endpoint { Address = Address(i + 50), Port = 8080, Node = NodeName(2) }],
            };
            yield return new LoadBalancer
            {
                Id = id, Service = $"default/service-{i}", Key = i + 1, Port = 80, ClusterIp = string.Create(CultureInfo.InvariantCulture, $"10.96.{i / 250}.{(i % 250) + 1}"), Endpoints = id,
            };
        }

        static string Address(int i) => string.Create(CultureInfo.InvariantCulture, $"10.64.32.{(i % 100) + 2}");
    }

    /// <summary>Policies that isolate ten pods each and let ten addresses in on one port.</summary>
    public static IEnumerable<TopologyItem> Policies(int count, int pods)
    {
        for (var i = 0; i < count; i++)
        {
            var id = string.Create(CultureInfo.InvariantCulture, $"policy-{i}");
            yield return new AddressSet { Id = id, Addresses = [.. Enumerable.Range(0, 10).Select(a => string.Create(CultureInfo.InvariantCulture, $"10.64.{32 + (i % 8)}.{((i / 8) + a) % 250 + 1}"))] };
            yield return new PortSet { Id = id, Ports = [.. Enumerable.Range(0, 10).Select(p => PodId((i + (p * 25)) % pods))] };
            yield return new Policy
            {
                Id = $"NetworkPolicy/default/{id}",
                Key = i + 1,
                AppliedTo = id,
                IsolatesIngress = true,
                Rules = [new PolicyRule { Direction = Direction.Ingress, PeerSets = [id], Ports = [new PortRange(Protocol.Tcp, 1000 + (i % 1000), 1000 + (i % 1000))] }],
            };
        }
    }

    /// <summary>The slice of these items.</summary>
    public static Slice Make(IEnumerable<TopologyItem> items) => new() { Epoch = "bench", Revision = 1, Items = items.ToImmutableDictionary(ItemRef.Of) };

    public static string NodeName(int number) => string.Create(CultureInfo.InvariantCulture, $"node{number}");

    public static string NodeAddress(int number) => string.Create(CultureInfo.InvariantCulture, $"172.31.0.{number}");

    public static string PodId(int number) => string.Create(CultureInfo.InvariantCulture, $"default/pod-{number}");

    public static string PodUid(int number) => string.Create(CultureInfo.InvariantCulture, $"uid-{number}");

    private static EquatableArray<string> Both(bool dual, string v4, string v6) => dual ? [v4, v6] : [v4];

    private static EquatableArray<SwitchSubnet> Subnets(int node, bool dual)
    {
        var v4 = new SwitchSubnet(Cidr(node), Cidr(node).Replace(".0/20", ".1", StringComparison.Ordinal));
        return dual ? [v4, new SwitchSubnet(string.Create(CultureInfo.InvariantCulture, $"fd64:0:0:{node}::/64"), string.Create(CultureInfo.InvariantCulture, $"fd64:0:0:{node}::1"))] : [v4];
    }

    private static string Cidr(int node) => string.Create(CultureInfo.InvariantCulture, $"10.64.{node * 16}.0/20");
}
