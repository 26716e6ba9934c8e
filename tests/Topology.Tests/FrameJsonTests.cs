using System.Text.Json;

namespace Weft.Topology.Tests;

public sealed class FrameJsonTests
{
    private static readonly TopologyItem[] Items =
    [
        new ClusterSettings { Id = ClusterSettings.TheId, Tunnel = TunnelType.Gre, Mtu = 1400, ClusterCidrs = ["10.244.0.0/16", "fd00:10:244::/48"] },
        new Network { Id = "default", Key = 1 },
        new Network { Id = "closed", Key = 16_777_215, NatOutside = false },
        new LogicalRouter { Id = "r", NetworkKey = 1, Switches = ["a", "b"], Routes = [new StaticRoute("0.0.0.0/0", "10.0.0.1")] },
        new LogicalSwitch { Id = "s", NetworkKey = 1, Node = "node1", Subnets = [new SwitchSubnet("10.244.1.0/24", "10.244.1.1")] },
        new NodeEndpoint { Id = "node1", Addresses = ["172.30.0.11"], PodCidrs = ["10.244.1.0/24"], Zone = "z" },
        new LogicalPort { Id = "ns/a", Uid = "u", Node = "node1", Switch = "s", Addresses = ["10.0.0.2"], Mac = "0a:58:0a:00:00:02" },
        new AddressSet { Id = "as", Addresses = ["10.0.0.1", "fd00::1"] },
        new PortSet { Id = "ps", Ports = ["ns/a"] },
        new EndpointSet { Id = "es", Endpoints = [new Endpoint { Address = "10.0.0.1", Port = 80, Ready = false, Serving = false, Terminating = true, ForZones = ["z"] }] },
        new LoadBalancer { Id = "ns/s/http/4", Service = "ns/s", Port = 80, Endpoints = "es", Protocol = Protocol.Udp, ExternalLocal = true },
        new Policy
        {
            Id = "NetworkPolicy/ns/p", AppliedTo = "ps", IsolatesIngress = true,
            Rules = [new PolicyRule { Direction = Direction.Egress, Action = RuleAction.Deny, PeerSets = ["as"], IpBlocks = [new IpBlock("10.0.0.0/8", ["10.1.0.0/16"])], Ports = [new PortRange(Protocol.Sctp, 1, 2)] }],
        },
    ];

    [TestCaseSource(nameof(Items))]
    public void Every_item_reads_back_as_it_was_written(TopologyItem item)
    {
        var frame = new Delta(7) { Upserts = [item], Deletes = [ItemRef.Of(item)] };
        Assert.That(RoundTrip(frame), Is.EqualTo(frame));
        Assert.That(ItemRef.KindOf(item), Is.Not.EqualTo(ItemKind.Unknown));
    }

    [Test]
    public void Every_frame_reads_back_as_it_was_written()
    {
        Frame[] frames =
        [
            new SnapshotBegin("e", 1), new SnapshotItem(Items[0]), new SnapshotEnd("e", 1), new Alive(3), new Resumed("e", 4),
            new Delta(0) { Patches = [new SetPatch { Kind = ItemKind.EndpointSet, Id = "es", AddEndpoints = [new Endpoint { Address = "::1", Port = 1 }], Remove = ["x"] }] },
        ];
        Assert.That(frames.Select(RoundTrip), Is.EqualTo(frames));
    }

    [Test]
    public void What_a_newer_controller_adds_is_ignored()
    {
        const string line = """{"frame":"delta","revision":9,"extra":{"a":[1]},"upserts":[{"kind":"hologram","id":"h","beams":3},{"kind":"addressSet","id":"x","addresses":["1.2.3.4"],"colour":"red"}]}""";
        var delta = (Delta)JsonSerializer.Deserialize(line, TopologyJson.Default.Frame)!;
        Assert.That(delta.Upserts, Has.Count.EqualTo(2));
        Assert.That(ItemRef.KindOf(delta.Upserts[0]), Is.EqualTo(ItemKind.Unknown));
        Assert.That(delta.Upserts[1], Is.EqualTo(new AddressSet { Id = "x", Addresses = ["1.2.3.4"] }));
        Assert.That(JsonSerializer.Deserialize("""{"frame":"song","id":1}""", TopologyJson.Default.Frame)!.GetType(), Is.EqualTo(typeof(Frame)));
    }

    private static Frame RoundTrip(Frame frame) =>
        JsonSerializer.Deserialize(JsonSerializer.Serialize(frame, TopologyJson.Default.Frame), TopologyJson.Default.Frame)!;
}
