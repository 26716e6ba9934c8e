using Weft.Agent.CniServer;
using Weft.Agent.Facts;
using Weft.Agent.Plan;
using Weft.Agent.Plan.Pipeline;
using Weft.Topology;

namespace Weft.Agent.Tests.Plan;

/// <summary>Many tenants on one node: each costs the same, and none makes the next one dearer.</summary>
public sealed class TenantPlanTests
{
    private const int Tenants = 500;
    private const string Api = "default/kubernetes/https/4";

    /// <summary>Flows of a network with one Subnet of both families, of its one pod with both addresses, and of its way to a Service that all share.</summary>
    private const int FlowsPerTenant = 47;

    [Test]
    public void Each_of_500_networks_with_the_same_addresses_costs_the_same_flows()
    {
        var planner = new FlowPlanner();
        var facts = Empty();
        planner.PlanAll(facts);
        var before = planner.Flows.Count;
        var counts = new List<int>();
        for (var i = 1; i <= Tenants; i++)
        {
            facts = Add(planner, facts, i);
            counts.Add(planner.Flows.Count - before);
            before = planner.Flows.Count;
        }

        Assert.That(counts.Distinct(), Is.EqualTo(new[] { FlowsPerTenant }), "every network costs this, the last as the first");
    }

    [Test]
    public void The_500th_network_is_computed_from_as_few_owners_as_the_first()
    {
        var planner = new FlowPlanner();
        var facts = Empty();
        planner.PlanAll(facts);
        var work = new List<(long Owners, long Flows)>();
        for (var i = 1; i <= Tenants; i++)
        {
            var (owners, flows) = (planner.Computed, planner.FlowsComputed);
            facts = Add(planner, facts, i);
            work.Add((planner.Computed - owners, planner.FlowsComputed - flows));
        }

        Assert.That(work.Distinct().Count(), Is.EqualTo(1), "work per network, in owners and flows computed");
        Assert.That(work[0].Flows, Is.LessThan(4 * FlowsPerTenant), "most flows are computed for the network, its port and its pod; some twice, as each comes");
    }

    [Test]
    public void A_shared_Service_has_flows_in_each_network_that_shares_it_and_in_no_other()
    {
        var planner = new FlowPlanner();
        var facts = Empty();
        planner.PlanAll(facts);
        List<string> Shared() => [.. planner.Flows.All.Select(f => f.Value.ToString()).Where(f => f.Contains("10.96.0.1", StringComparison.Ordinal) && !f.Contains("metadata=0x1,", StringComparison.Ordinal))];
        for (var i = 1; i <= 3; i++)
        {
            facts = Add(planner, facts, i);
        }

        Assert.That(Shared(), Has.Count.EqualTo(3));
        foreach (var item in new TopologyItem[]
        {
            facts.Slice.In<Network>(16).Single() with { SharedServices = [] },
            facts.Slice.Find<EndpointSet>(ItemKind.EndpointSet, Api)! with { Endpoints = [] },
            facts.Slice.Find<EndpointSet>(ItemKind.EndpointSet, Api)!,
            facts.Slice.Find<LoadBalancer>(ItemKind.LoadBalancer, Api)! with { Service = "default/other" },
            facts.Slice.Find<LoadBalancer>(ItemKind.LoadBalancer, Api)!,
        })
        {
            facts = facts with { Slice = facts.Slice with { Items = facts.Slice.Items.SetItem(ItemRef.Of(item), item) } };
            planner.PlanItems(facts, [ItemRef.Of(item)]);
            var fresh = new FlowPlanner();
            fresh.PlanAll(facts);
            Assert.That(Texts(planner), Is.EqualTo(Texts(fresh)), item.ToString());
        }

        Assert.That(Shared(), Has.Count.EqualTo(2));
        facts = facts with { Slice = facts.Slice with { Items = facts.Slice.Items.Remove(new ItemRef(ItemKind.LoadBalancer, Api)) } };
        planner.PlanItems(facts, [new ItemRef(ItemKind.LoadBalancer, Api)]);
        Assert.That(Shared(), Is.Empty);
    }

    [Test]
    public void A_shared_Service_has_no_flows_in_a_network_without_pods_here()
    {
        var planner = new FlowPlanner();
        var facts = Empty();
        planner.PlanAll(facts);
        facts = Add(planner, facts, 1);
        var shared = Texts(planner).Where(f => f.Contains("nw_dst=10.96.0.1", StringComparison.Ordinal)).ToList();
        var port = facts.Ports.Values.Single();
        foreach (var (ports, expected) in new[] { (facts.Ports.Clear(), shared.Count - 1), (facts.Ports, shared.Count) })
        {
            facts = facts with { Ports = ports };
            planner.PlanPort(facts, port);
            var fresh = new FlowPlanner();
            fresh.PlanAll(facts);
            Assert.That(Texts(planner), Is.EqualTo(Texts(fresh)), $"{ports.Count} pods");
            Assert.That(Texts(planner).Count(f => f.Contains("nw_dst=10.96.0.1", StringComparison.Ordinal)), Is.EqualTo(expected), $"{ports.Count} pods");
        }
    }

    [Test]
    public void What_a_slice_knows_of_networks_follows_every_change()
    {
        var builder = new SliceBuilder(Empty().Slice);
        var random = new Random(7);
        for (var step = 1; step <= 300; step++)
        {
            var id = random.Next(6);
            TopologyItem item = random.Next(4) switch
            {
                0 => new Network { Id = $"vpc/{id}", Key = 1 + random.Next(4) },
                1 => new LogicalPort { Id = $"t/{id}", Uid = "u", Node = "n1", Switch = "s", NetworkKey = random.Next(5), Addresses = [$"10.0.0.{step % 250}"] },
                2 => new LoadBalancer { Id = $"{(id < 3 ? Slice.ClusterDnsService : "a/b")}/p{id}/4", Service = id < 3 ? Slice.ClusterDnsService : "a/b", Port = step, Endpoints = "e" },
                _ => new NodeEndpoint { Id = $"node-{id}", Addresses = [$"192.0.2.{step % 250}"] },
            };
            builder.Take(random.Next(4) == 0 ? new Delta(step) { Deletes = [ItemRef.Of(item)] } : new Delta(step) { Upserts = [item] });
            var slice = builder.Current;
            for (var key = 2; key < 5; key++)
            {
                Assert.That(slice.In<Network>(key), Is.EquivalentTo(slice.Items.Values.OfType<Network>().Where(n => n.Key == key)));
                Assert.That(slice.In<LogicalPort>(key), Is.EquivalentTo(slice.Items.Values.OfType<LogicalPort>().Where(p => p.NetworkKey == key)));
            }

            Assert.That(slice.ClusterDns, Is.EquivalentTo(slice.Items.Values.OfType<LoadBalancer>().Where(b => b.Service == Slice.ClusterDnsService)));
            Assert.That(slice.All<NodeEndpoint>(), Is.EquivalentTo(slice.Items.Values.OfType<NodeEndpoint>()));
            Assert.That(slice.All<Network>(), Is.EquivalentTo(slice.Items.Values.OfType<Network>()));
        }
    }

    [Test]
    public void What_is_added_step_by_step_is_what_is_computed_from_nothing_and_goes_without_a_trace()
    {
        var planner = new FlowPlanner();
        var facts = Empty();
        planner.PlanAll(facts);
        var bare = planner.Flows.All.Select(f => f.Value.ToString()).Order(StringComparer.Ordinal).ToList();
        for (var i = 1; i <= 5; i++)
        {
            facts = Add(planner, facts, i);
        }

        var fresh = new FlowPlanner();
        fresh.PlanAll(facts);
        Assert.That(planner.Flows.All.Select(f => f.Value.ToString()).Order(StringComparer.Ordinal), Is.EqualTo(fresh.Flows.All.Select(f => f.Value.ToString()).Order(StringComparer.Ordinal)));

        foreach (var port in facts.Ports.Values.ToList())
        {
            facts = facts with { Ports = facts.Ports.Remove(port.Id) };
            planner.PlanPort(facts, port);
        }

        var items = facts.Slice.Items.Keys.Where(k => k.Kind is ItemKind.Network or ItemKind.LogicalSwitch or ItemKind.LogicalPort && k.Id != "n1").ToList();
        facts = facts with { Slice = facts.Slice with { Items = facts.Slice.Items.RemoveRange(items) } };
        planner.PlanItems(facts, items);
        Assert.That(planner.Flows.All.Select(f => f.Value.ToString()).Order(StringComparer.Ordinal), Is.EqualTo(bare));
    }

    [Test]
    public void A_network_that_takes_another_s_key_for_a_moment_leaves_no_trace()
    {
        var planner = new FlowPlanner();
        var facts = Add(planner, Empty(), 1);
        facts = Add(planner, facts, 2);
        var right = facts.Slice.All<Network>().Where(n => n.Key > Network.DefaultKey).ToList();
        Assert.That(right, Has.Count.EqualTo(2));
        planner.PlanAll(facts);
        var before = Texts(planner);

        foreach (var other in new[] { right[0] with { Id = "stray", Peers = [] }, right[0] with { Key = right[1].Key } })
        {
            facts = facts with { Slice = facts.Slice with { Items = facts.Slice.Items.SetItem(ItemRef.Of(other), other) } };
            planner.PlanItems(facts, [ItemRef.Of(other)]);
            var items = facts.Slice.Items.Remove(ItemRef.Of(other)).SetItem(ItemRef.Of(right[0]), right[0]);
            facts = facts with { Slice = facts.Slice with { Items = items } };
            planner.PlanItems(facts, [ItemRef.Of(other), ItemRef.Of(right[0])]);
            Assert.That(Texts(planner), Is.EqualTo(before));
        }
    }

    private static List<string> Texts(FlowPlanner planner) => [.. planner.Flows.All.Select(f => f.Value.ToString()).Order(StringComparer.Ordinal)];

    [Test]
    public void No_flow_of_one_tenant_looks_at_an_address_without_its_network_or_its_port()
    {
        var planner = new FlowPlanner();
        var facts = Empty();
        planner.PlanAll(facts);
        var shared = planner.Flows.All.Select(f => f.Key).ToHashSet();
        facts = Add(planner, facts, 1);
        foreach (var (key, flow) in planner.Flows.All.Where(f => !shared.Contains(f.Key)))
        {
            var text = flow.ToString();
            if (text.Contains("10.0.0.", StringComparison.Ordinal) || text.Contains("fd00:a::", StringComparison.Ordinal))
            {
                Assert.That(key.Match.ToString(), Does.Contain("metadata=").Or.Contain("in_port="), text);
            }
        }
    }

    [Test]
    public void Zones_of_blocks_never_meet()
    {
        var zones = Enumerable.Range(1, ConntrackZones.LastBlock).SelectMany(ConntrackZones.OfBlock).ToList();
        Assert.That(zones, Is.Unique);
        Assert.That(zones, Has.None.LessThanOrEqualTo(ConntrackZones.Default));
        Assert.That(ConntrackZones.LastBlock, Is.GreaterThan(15_000));
        Assert.Throws<ArgumentOutOfRangeException>(() => ConntrackZones.OfBlock(ConntrackZones.LastBlock + 1).ToList());
    }

    [Test]
    public void The_most_networks_of_a_node_are_reported_before_they_are_reached()
    {
        Assert.That(ConntrackZones.NearLimit(0), Is.Null);
        Assert.That(ConntrackZones.NearLimit(ConntrackZones.LastBlock / 2), Is.Null);
        Assert.That(ConntrackZones.NearLimit(ConntrackZones.LastBlock - 1), Does.StartWith("pods of 15882 tenant networks are here, and conntrack has zones for 15883"));
    }

    private static NodeFacts Empty()
    {
        TopologyItem[] items =
        [
            new ClusterSettings { Id = ClusterSettings.TheId, ClusterCidrs = ["10.244.0.0/16"], ServiceCidrs = ["10.96.0.0/16"] },
            new Network { Id = Network.DefaultId, Key = Network.DefaultKey },
            new NodeEndpoint { Id = "n1", Addresses = ["192.0.2.1"], PodCidrs = ["10.244.0.0/20", "fd00:1::/64"] },
            new NodeEndpoint { Id = "n2", Addresses = ["192.0.2.2"], PodCidrs = ["10.244.16.0/20", "fd00:2::/64"] },
            new LoadBalancer { Id = Api, Service = "default/kubernetes", Key = 7, Port = 443, ClusterIp = "10.96.0.1", Endpoints = Api },
            new EndpointSet { Id = Api, Endpoints = [new Endpoint { Address = "192.0.2.10", Port = 6443 }] },
        ];
        return new NodeFacts { NodeName = "n1", Slice = new Slice { Epoch = "e", Items = Slice.Empty.Items.AddRange(items.Select(i => KeyValuePair.Create(ItemRef.Of(i), i))) } };
    }

    /// <summary>A network with one pod here, as the controller and then the CNI plugin add it.</summary>
    private static NodeFacts Add(FlowPlanner planner, NodeFacts facts, int i)
    {
        TopologyItem[] items =
        [
            new Network { Id = $"vpc/t{i}", Key = 15 + i, SharedServices = ["default/kubernetes"] },
            new LogicalRouter { Id = $"vpc/t{i}", NetworkKey = 15 + i, Switches = [$"subnet/t{i}"] },
            new LogicalSwitch { Id = $"subnet/t{i}", NetworkKey = 15 + i, Subnets = [new("10.0.0.0/24", "10.0.0.1"), new("fd00:a::/64", "fd00:a::1")] },
            new LogicalPort { Id = $"t{i}/p", Uid = $"u{i}", Node = "n1", Switch = $"subnet/t{i}", NetworkKey = 15 + i, Addresses = ["10.0.0.2", "fd00:a::2"], Mac = "0a:58:0a:00:00:02" },
        ];
        facts = facts with { Slice = facts.Slice with { Items = facts.Slice.Items.SetItems(items.Select(x => KeyValuePair.Create(ItemRef.Of(x), x))) } };
        planner.PlanItems(facts, items.Select(ItemRef.Of).ToHashSet());
        var port = new AttachedPort(
            new Attachment
            {
                Pod = $"t{i}/p", Uid = $"u{i}", ContainerId = $"c{i}", IfName = "eth0", Netns = "x", HostInterface = $"w{i}", Mac = "0a:58:0a:00:00:02", NetworkKey = 15 + i, ZoneBlock = i,
                Addresses = ["10.0.0.2", "fd00:a::2"], Aliases = [$"10.244.{i / 250}.{2 + (i % 250)}", $"fd00:1::{i + 1:x}"],
            },
            i);
        facts = facts with { Ports = facts.Ports.SetItem(port.Id, port) };
        planner.PlanPort(facts, port);
        return facts;
    }
}
