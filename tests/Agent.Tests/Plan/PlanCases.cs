using System.Collections.Immutable;
using Weft.Agent.CniServer;
using Weft.Agent.Facts;
using Weft.Topology;

namespace Weft.Agent.Tests.Plan;

/// <summary>Facts for tests: node1 with pods, node2 next to it.</summary>
internal static class PlanCases
{
    public const string Node = "node1";

    public static readonly ClusterSettings Settings = new()
    {
        Id = ClusterSettings.TheId, ClusterCidrs = ["10.244.0.0/16", "fd00:10:244::/48"], ServiceCidrs = ["10.96.0.0/16"],
    };

    public static NodeEndpoint Endpoint(int number) => new()
    {
        Id = $"node{number}",
        Addresses = [$"172.30.0.{10 + number}", $"fd00:172:30::{10 + number}"],
        PodCidrs = [$"10.244.{number}.0/24", $"fd00:10:244:{number}::/64"],
    };

    public static AttachedPort Pod(string name, int number, int ofPort) => new(
        new Attachment
        {
            Pod = "default/" + name,
            Uid = "uid-" + name,
            ContainerId = "c-" + name,
            IfName = "eth0",
            Netns = "/run/netns/" + name,
            HostInterface = $"w{number:x10}",
            Mac = $"0a:58:0a:f4:01:{number:x2}",
            Addresses = [$"10.244.1.{number}", $"fd00:10:244:1::{number:x}"],
        },
        ofPort);

    public static NodeFacts Facts(IEnumerable<TopologyItem> items, params AttachedPort[] ports) => new()
    {
        NodeName = Node,
        Slice = new Slice { Epoch = "e", Revision = 1, Items = items.ToImmutableDictionary(ItemRef.Of) },
        Ports = ports.ToImmutableDictionary(p => p.Id),
    };

    public static NodeFacts TwoPods(params TopologyItem[] more) =>
        Facts([Settings, Endpoint(1), Endpoint(2), Logical("a"), Logical("b"), .. more], Pod("a", 10, 1), Pod("b", 11, 2));

    /// <summary>The controller's record of a pod of the default network.</summary>
    public static LogicalPort Logical(string name, string? uid = null) =>
        new() { Id = "default/" + name, Uid = uid ?? "uid-" + name, Node = Node, Switch = Node, Key = 1 };
}
