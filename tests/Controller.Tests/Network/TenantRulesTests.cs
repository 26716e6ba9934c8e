using Weft.Kubernetes;
using Weft.Topology;

namespace Weft.Controller.Tests.Network;

/// <summary>Which Vpcs, Subnets and VpcPeerings are in force, whose namespaces are whose, and what the conditions say.</summary>
public sealed class TenantRulesTests
{
    private TenantWorld _world = null!;

    [SetUp]
    public void Begin() => _world = new TenantWorld();

    [Test]
    public void A_Vpc_says_whether_it_has_a_key_and_why_it_has_none()
    {
        _world.Vpc("ready", 16).Vpc("new", 0).Vpc("late", 0).Vpc("wrong", 17, new V1Alpha1VpcSpec
        {
            NamespaceSelector = new V1LabelSelector { MatchExpressions = [new V1LabelSelectorRequirement { Key = "a", OperatorProperty = "In", Values = [] }] },
        });
        _world.RefuseKey("late", "the ledger of network keys is full");
        Assert.That(_world.Condition("Vpc", "ready"), Does.StartWith("Ready=True Ready"));
        Assert.That(_world.Condition("Vpc", "new"), Does.StartWith("Ready=False KeyPending"));
        Assert.That(_world.Condition("Vpc", "late"), Is.EqualTo("Ready=False NoKey: the ledger of network keys is full"));
        Assert.That(_world.Condition("Vpc", "wrong"), Does.StartWith("Ready=False Invalid: spec.namespaceSelector"));
    }

    [Test]
    public void A_Subnet_that_cannot_be_used_says_why_and_the_older_one_stays()
    {
        _world.Vpc("v", 16).Vpc("w", 17).Vpc("keyless", 0);
        _world.Subnet("first", "v", ["10.0.0.0/24"]).Subnet("second", "v", ["10.1.0.0/24", "10.0.0.128/25"]).Subnet("elsewhere", "w", ["10.0.0.0/24"])
            .Subnet("itself", "v", ["10.2.0.0/16", "10.2.3.0/24"]).Subnet("services", "v", ["10.96.5.0/24"]).Subnet("orphan", "nobody", ["10.3.0.0/24"])
            .Subnet("waiting", "keyless", ["10.4.0.0/24"]);
        Assert.That(_world.Condition("Subnet", "first"), Does.StartWith("Ready=True Ready"));
        Assert.That(_world.Condition("Subnet", "elsewhere"), Does.StartWith("Ready=True Ready"), "another Vpc may have the same range");
        Assert.That(_world.Condition("Subnet", "second"), Does.StartWith("Ready=False Overlap: 10.0.0.128/25 overlaps Subnet first"));
        Assert.That(_world.Condition("Subnet", "itself"), Does.StartWith("Ready=False Overlap: 10.2.3.0/24 overlaps 10.2.0.0/16 of the same Subnet"));
        Assert.That(_world.Condition("Subnet", "services"), Does.StartWith("Ready=False OverlapsServices: 10.96.5.0/24 overlaps the range of ClusterIPs 10.96.0.0/16"));
        Assert.That(_world.Condition("Subnet", "orphan"), Is.EqualTo("Ready=False VpcMissing: Vpc nobody does not exist: create it"));
        Assert.That(_world.Condition("Subnet", "waiting"), Does.StartWith("Ready=False VpcNotReady"));
    }

    [Test]
    public void A_range_that_is_taken_away_under_a_pod_is_told_and_putting_it_back_helps()
    {
        _world.Vpc("v", 16).Namespace("s").Subnet("s", "v", ["10.0.0.0/24", "10.0.1.0/24"]);
        Assert.That(_world.Pod("s", "p"), Is.EqualTo("10.0.0.2 subnet/s"));
        _world.Subnet("s", "v", ["10.0.1.0/24"]);
        Assert.That(_world.Condition("Subnet", "s"), Is.EqualTo("Ready=False RangeInUse: these pods have addresses of a range that was taken out of spec.cidrs: put it back, or delete s/p (10.0.0.2)"));
        _world.Subnet("s", "v", ["10.0.0.0/24"]);
        Assert.That(_world.Condition("Subnet", "s"), Does.StartWith("Ready=True Ready"));
    }

    [Test]
    public void Namespaces_belong_to_the_Subnet_that_names_them_then_to_the_Vpc_s_default_one_and_the_cluster_s_own_only_by_name()
    {
        foreach (var ns in new[] { "named", "whole", "kube-system", "free" })
        {
            _world.Namespace(ns);
        }

        _world.Namespace("labelled", ("team", "a"));
        _world.Vpc("v", 16, new V1Alpha1VpcSpec { Namespaces = ["whole", "named"], DefaultSubnet = "default" }).Vpc("all", 17);
        _world.Subnet("oldest", "v", ["10.0.0.0/24"], s => s.Namespaces = ["named"])
            .Subnet("default", "v", ["10.1.0.0/24"], s => s.Namespaces = null)
            .Subnet("selecting", "v", ["10.2.0.0/24"], s => (s.Namespaces, s.NamespaceSelector) = (null, new V1LabelSelector { MatchLabels = new() { ["team"] = "a" } }))
            .Subnet("greedy", "all", ["10.0.0.0/24"], s => (s.Namespaces, s.NamespaceSelector) = (null, new V1LabelSelector()));
        string[] Of(string subnet) => [.. _world.Status<V1Alpha1SubnetStatus>(subnet).Namespaces!];
        Assert.That(Of("oldest"), Is.EqualTo(new[] { "named" }));
        Assert.That(Of("selecting"), Is.EqualTo(new[] { "labelled" }));
        Assert.That(Of("greedy"), Is.EqualTo(new[] { "free", "whole" }), "an empty selector takes what no older Subnet has, and nothing of the cluster's own");
        Assert.That(Of("default"), Is.Empty, "a Subnet's word comes before the Vpc's");
        Assert.That(_world.Condition("Subnet", "greedy"), Is.EqualTo(
            "Ready=False NamespaceTaken: these namespaces belong to another Subnet already: labelled (bound to Subnet selecting), named (bound to Subnet oldest)"));

        _world.Subnet("greedy", "all", ["10.0.0.0/24"], s => s.Namespaces = ["kube-system"]);
        Assert.That(Of("greedy"), Is.EqualTo(new[] { "kube-system" }));
        Assert.That(Of("default"), Is.EqualTo(new[] { "whole" }));
    }

    [Test]
    public void Peerings_need_both_sides_and_ranges_that_can_be_told_apart()
    {
        _world.Vpc("a", 16).Vpc("b", 17).Vpc("c", 18).Vpc("twin", 19);
        _world.Subnet("a", "a", ["10.1.0.0/24"]).Subnet("b", "b", ["10.2.0.0/24"]).Subnet("c", "c", ["10.2.0.0/16"]).Subnet("twin", "twin", ["10.1.0.0/24"]);
        _world.Peering("a-b", "a", "b");
        Assert.That(_world.Condition("VpcPeering", "a-b"), Is.EqualTo("Ready=False PeerMissing: no VpcPeering of Vpc b names Vpc a: its side has to agree"));
        _world.Peering("b-a", "b", "a").Peering("again", "a", "b").Peering("a-x", "a", "x").Peering("a-twin", "a", "twin").Peering("twin-a", "twin", "a").Peering("a-c", "a", "c").Peering("c-a", "c", "a");
        Assert.That(_world.Condition("VpcPeering", "a-b"), Does.StartWith("Ready=True Ready"));
        Assert.That(_world.Condition("VpcPeering", "b-a"), Does.StartWith("Ready=True Ready"));
        Assert.That(_world.Condition("VpcPeering", "again"), Does.StartWith("Ready=False Duplicate: VpcPeering a-b says the same"));
        Assert.That(_world.Condition("VpcPeering", "a-x"), Is.EqualTo("Ready=False VpcMissing: Vpc x does not exist or is not ready"));
        Assert.That(_world.Condition("VpcPeering", "a-twin"), Does.StartWith("Ready=False Overlap: 10.1.0.0/24 of Vpc a overlaps a range of Vpc twin"));
        Assert.That(_world.Condition("VpcPeering", "twin-a"), Does.StartWith("Ready=False Overlap"));
        Assert.That(_world.Condition("VpcPeering", "a-c"), Is.EqualTo("Ready=False Overlap: Vpc c overlaps Vpc b, which Vpc a is joined with: an address would mean both"));
        Assert.That(_world.Condition("VpcPeering", "c-a"), Is.EqualTo("Ready=False PeerCannot: the VpcPeering of Vpc a cannot be used: its condition says why"));
    }

    [Test]
    public void A_peering_opens_the_Subnets_that_each_side_names_and_is_not_transitive()
    {
        foreach (var (name, key) in new[] { ("a", 16), ("b", 17), ("c", 18) })
        {
            _world.Namespace(name).Vpc(name, key).Subnet(name, name, [$"10.{key}.0.0/24"]).Subnet(name + "2", name, [$"10.{key}.1.0/24"]);
            _world.Pod(name, "p");
        }

        _world.Peering("a-b", "a", "b", "a").Peering("b-a", "b", "a").Peering("b-c", "b", "c", "b2").Peering("c-b", "c", "b", "c", "c2");
        var peers = _world.Items<Topology.Network>().Where(n => n.Key > 1).ToDictionary(n => n.Key, n => n.Peers.OrderBy(p => p.Key).Select(p => $"{p.Key}: {string.Join(' ', p.Local)} - {string.Join(' ', p.Remote)}"));
        Assert.That(peers[16], Is.EqualTo(new[] { "17: 10.16.0.0/24 - 10.17.0.0/24 10.17.1.0/24" }), "a has b alone");
        Assert.That(peers[17], Is.EqualTo(new[] { "16: 10.17.0.0/24 10.17.1.0/24 - 10.16.0.0/24", "18: 10.17.1.0/24 - 10.18.0.0/24 10.18.1.0/24" }));
        Assert.That(peers[18], Is.EqualTo(new[] { "17: 10.18.0.0/24 10.18.1.0/24 - 10.17.1.0/24" }), "c has b's second Subnet alone");
    }

    [Test]
    public void What_a_Subnet_and_a_Vpc_say_is_what_nodes_are_told()
    {
        _world.Namespace("s").Vpc("v", 16, new V1Alpha1VpcSpec
        {
            NatOutgoing = false,
            SharedServices = [new V1Alpha1ServiceName { Namespace = "default", Name = "kubernetes" }, new V1Alpha1ServiceName { Namespace = "tools", Name = "registry" }],
            StaticRoutes = [new V1Alpha1StaticRoute { Cidr = "192.168.0.0/16", NextHopIP = "10.0.0.9" }],
        }).Subnet("s", "v", ["10.0.0.0/24", "fd00::/64", "10.0.1.0/24"], s => (s.Gateways, s.Mtu, s.Private, s.AllowSubnets) = (["10.0.0.254", "fd00::ffff"], 1300, true, ["10.9.0.0/24"]));
        _world.Pod("s", "p");
        var network = _world.Items<Topology.Network>().Single(n => n.Key == 16);
        Assert.That((network.NatOutside, string.Join(' ', network.SharedServices)), Is.EqualTo((false, "default/kubernetes tools/registry")));
        var lswitch = _world.Items<LogicalSwitch>().Single(s => s.NetworkKey == 16);
        Assert.That((lswitch.Mtu, lswitch.Private, lswitch.Allowed.Single()), Is.EqualTo((1300, true, "10.9.0.0/24")));
        Assert.That(lswitch.Subnets, Is.EqualTo(new[] { new SwitchSubnet("10.0.0.0/24", "10.0.0.254"), new SwitchSubnet("fd00::/64", "fd00::ffff"), new SwitchSubnet("10.0.1.0/24", "10.0.1.1") }));
        Assert.That(_world.Items<LogicalRouter>().Single(r => r.NetworkKey == 16).Routes, Is.EqualTo(new[] { new StaticRoute("192.168.0.0/16", "10.0.0.9") }));
    }
}
