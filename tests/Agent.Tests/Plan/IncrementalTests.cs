using System.Collections.Immutable;
using System.Net;
using FsCheck;
using FsCheck.Fluent;
using Weft.Agent.Facts;
using Weft.Agent.Names;
using Weft.Agent.Plan;
using Weft.Topology;
using Endpoint = Weft.Topology.Endpoint;

namespace Weft.Agent.Tests.Plan;

public sealed class IncrementalTests
{
    private static readonly string[] Pods = ["a", "b", "c"];

    private abstract record Step;

    private sealed record Upsert(TopologyItem Item) : Step;

    private sealed record Delete(ItemRef Item) : Step;

    private sealed record Attach(int Pod, int OfPort) : Step;

    private sealed record Detach(int Pod) : Step;

    private sealed record Told(int Pod, string Name, string Address) : Step;

    private sealed record Pass(int Seconds) : Step;

    private static readonly DateTimeOffset Begin = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Test]
    public void After_any_history_the_plan_equals_the_plan_from_nothing()
    {
        Prop.ForAll(Gen.ListOf(Steps()).ToArbitrary(), steps =>
        {
            var planner = new FlowPlanner();
            var facts = PlanCases.Facts([PlanCases.Settings, PlanCases.Endpoint(1)]);
            planner.PlanAll(facts);
            foreach (var step in steps)
            {
                facts = Apply(planner, facts, step);
            }

            var full = new FlowPlanner();
            full.PlanAll(facts);
            Assert.That(Texts(planner), Is.EqualTo(Texts(full)));
            Assert.That(planner.Groups.All.OrderBy(g => g.Key), Is.EqualTo(full.Groups.All.OrderBy(g => g.Key)));
            Assert.That(planner.Flows.Conflicts, Is.Zero);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(300).WithEndSize(60));
    }

    [Test]
    public void One_address_more_costs_as_many_visits_as_rules_use_its_set()
    {
        var addresses = Enumerable.Range(0, 10_000).Select(i => $"10.244.{i / 250}.{i % 250}").ToEquatableArray();
        var set = new AddressSet { Id = "s0", Addresses = addresses };
        var policies = Enumerable.Range(0, 5).Select(i => new Policy
        {
            Id = $"p{i}", AppliedTo = "t0", IsolatesIngress = true,
            Rules = [new PolicyRule { PeerSets = ["s0"], Ports = [new PortRange(Protocol.Tcp, 80 + i, 80 + i)] }],
        });
        var facts = PlanCases.TwoPods([set, new PortSet { Id = "t0", Ports = ["default/a"] }, .. policies]);
        var planner = new FlowPlanner();
        planner.PlanAll(facts);
        planner.Flows.TakeChanged();
        var (visits, compiled, owners) = (planner.Policies.MembersVisited, planner.Policies.PoliciesCompiled, planner.Computed);

        var next = facts with { Slice = facts.Slice with { Items = facts.Slice.Items.SetItem(ItemRef.Of(set), set with { Addresses = [.. addresses, "10.244.99.99"] }) } };
        planner.PlanItems(next, [ItemRef.Of(set)]);

        Assert.That(planner.Policies.MembersVisited - visits, Is.EqualTo(5));
        Assert.That(planner.Policies.PoliciesCompiled, Is.EqualTo(compiled));
        Assert.That(planner.Computed, Is.EqualTo(owners));
        Assert.That(planner.Flows.TakeChanged(), Has.Count.EqualTo(1), "one flow carries the five conjunction actions");
    }

    [Test]
    public void Flows_of_a_policy_grow_as_the_sum_of_addresses_and_ports()
    {
        int Count(int addresses, int ports)
        {
            var planner = new FlowPlanner();
            planner.PlanAll(PlanCases.TwoPods(
                new AddressSet { Id = "s", Addresses = Enumerable.Range(1, addresses).Select(i => $"10.0.{i / 250}.{i % 250}").ToEquatableArray() },
                new PortSet { Id = "t", Ports = ["default/a"] },
                new Policy
                {
                    Id = "p", AppliedTo = "t", IsolatesIngress = true,
                    Rules = [new PolicyRule { PeerSets = ["s"], Ports = Enumerable.Range(1, ports).Select(p => new PortRange(Protocol.Tcp, p, p)).ToEquatableArray() }],
                }));
            return planner.Flows.Count;
        }

        // A port is one flow a family, an address one flow.
        Assert.That(Count(200, 50) - Count(100, 50), Is.EqualTo(100));
        Assert.That(Count(100, 60) - Count(100, 50), Is.EqualTo(20));
    }

    private static NodeFacts Apply(FlowPlanner planner, NodeFacts facts, Step step)
    {
        switch (step)
        {
            case Upsert(var item):
                facts = facts with { Slice = facts.Slice with { Items = facts.Slice.Items.SetItem(ItemRef.Of(item), item) } };
                planner.PlanItems(facts, [ItemRef.Of(item)]);
                break;
            case Delete(var item):
                facts = facts with { Slice = facts.Slice with { Items = facts.Slice.Items.Remove(item) } };
                planner.PlanItems(facts, [item]);
                break;
            case Attach(var pod, var ofPort):
                var port = PlanCases.Pod(Pods[pod], 10 + pod, ofPort);
                facts = facts with { Ports = facts.Ports.SetItem(port.Id, port) };
                planner.PlanPort(facts, port);
                break;
            case Detach(var pod):
                var gone = PlanCases.Pod(Pods[pod], 10 + pod, 1);
                facts = facts with { Ports = facts.Ports.Remove(gone.Id), Names = facts.Names.Without(gone.Id) };
                planner.PlanNames(facts, gone.Id);
                planner.PlanPort(facts, gone);
                break;
            case Told(var pod, var name, var address):
                var answer = new DnsAnswer(name, [new ResolvedAddress(IPAddress.Parse(address), 30)]);
                facts = facts with { Names = facts.Names.Learn(PlanCases.Pod(Pods[pod], 10, 1).Id, answer, Begin, TimeSpan.Zero) };
                planner.PlanNames(facts, PlanCases.Pod(Pods[pod], 10, 1).Id);
                break;
            case Pass(var seconds):
                facts = facts with { Names = facts.Names.Pass(Begin.AddSeconds(seconds)) };
                facts.Names.ByPort.Keys.Union(Pods.Select(p => PlanCases.Pod(p, 10, 1).Id)).ToList().ForEach(p => planner.PlanNames(facts, p));
                break;
        }

        return facts;
    }

    private static Gen<Step> Steps()
    {
        var address = from i in Gen.Choose(1, 6) select i == 6 ? "10.9.0.0/16" : $"10.244.1.{i}";
        var pod = Gen.Elements(Pods);
        var set = from id in Gen.Choose(0, 2) from members in Gen.ListOf(address) select (TopologyItem)new AddressSet { Id = $"s{id}", Addresses = members.Distinct().ToEquatableArray() };
        var ports = from id in Gen.Choose(0, 2) from members in Gen.ListOf(pod) select (TopologyItem)new PortSet { Id = $"t{id}", Ports = members.Distinct().Select(p => "default/" + p).ToEquatableArray() };
        var range = from protocol in Gen.Elements(Protocol.Tcp, Protocol.Udp, Protocol.Sctp) from first in Gen.Choose(0, 100) from more in Gen.Choose(0, 20)
                    select first == 0 ? new PortRange(protocol, 0, 0) : new PortRange(protocol, first, first + more);
        var block = from except in Gen.ListOf(Gen.Elements("10.1.0.0/16", "10.2.3.0/24", "fd00::/16")) select new IpBlock("10.0.0.0/8", except.ToEquatableArray());
        var rule = from direction in Gen.Elements(Direction.Ingress, Direction.Egress)
                   from action in Gen.Elements(RuleAction.Allow, RuleAction.Deny, RuleAction.Pass)
                   from any in Gen.Elements(true, false)
                   from sets in Gen.ListOf(Gen.Choose(0, 2))
                   from blocks in Gen.ListOf(block)
                   from ranges in Gen.ListOf(range)
                   from own in Gen.Choose(0, 4)
                   from index in Gen.Choose(0, 3)
                   from names in Gen.ListOf(Gen.Elements("a.test", "*.b.test", "x.b.test"))
                   select new PolicyRule
                   {
                       Direction = direction, Action = action, AnyPeer = any, Index = index,
                       PeerSets = any ? [] : sets.Distinct().Select(s => $"s{s}").ToEquatableArray(),
                       Within = own == 3 ? [new IpBlock("10.244.1.0/30", ["10.244.1.2/32"])] : [],
                       IpBlocks = any ? [] : blocks.ToEquatableArray(),
                       DomainNames = direction == Direction.Egress ? names.Distinct().Take(2).ToEquatableArray() : [],
                       Ports = ranges.ToEquatableArray(),
                       AppliedTo = own < 3 ? $"t{own}" : null,
                   };

        // Policies of one tier and priority may contradict each other, which the API leaves open: each has a priority of its own here.
        var policy = from id in Gen.Choose(0, 3) from tier in Gen.Elements(PolicyTier.Admin, PolicyTier.Namespace, PolicyTier.Baseline)
                     from applied in Gen.Choose(0, 2) from isolates in Gen.Elements(true, false) from rules in Gen.ListOf(rule)
                     from stride in Gen.Elements(1, 1, 30)
                     select (TopologyItem)new Policy
                     {
                         Id = $"p{id}", Tier = tier, Priority = id, AppliedTo = $"t{applied}", IsolatesIngress = isolates,
                         Rules = rules.Select((r, i) => tier == PolicyTier.Namespace ? r with { Action = RuleAction.Allow } : r with { Index = i * stride }).Take(20).ToEquatableArray(),
                     };
        var node = from n in Gen.Choose(2, 4) select (TopologyItem)PlanCases.Endpoint(n);
        var port = from p in pod from uid in Gen.Elements("u", "v")
                   select (TopologyItem)new LogicalPort { Id = "default/" + p, Uid = uid, Node = "node1", Switch = "node/node1" };
        var endpoint = from a in Gen.Choose(1, 4) from ready in Gen.Elements(true, false) from n in Gen.Elements("node1", "node2")
                       select new Endpoint { Address = $"10.244.1.{a}", Port = 80, Ready = ready, Terminating = !ready, Node = n };
        var endpoints = from id in Gen.Choose(0, 2) from members in Gen.ListOf(endpoint)
                        select (TopologyItem)new EndpointSet { Id = $"e{id}", Endpoints = members.DistinctBy(m => m.Address).ToEquatableArray() };
        var balancer = from id in Gen.Choose(1, 3) from e in Gen.Choose(0, 2) from local in Gen.Elements(true, false)
                       select (TopologyItem)new LoadBalancer { Id = $"default/s{id}/80/4", Service = $"default/s{id}", Key = id, Port = 80, ClusterIp = $"10.96.0.{id}", InternalLocal = local, Endpoints = $"e{e}" };
        var item = Gen.OneOf(set, ports, policy, node, port, endpoints, balancer);
        return Gen.OneOf(
            from i in item select (Step)new Upsert(i),
            from i in item select (Step)new Upsert(i),
            from i in item select (Step)new Delete(ItemRef.Of(i)),
            from p in Gen.Choose(0, 2) from n in Gen.Choose(0, 1) select (Step)new Attach(p, p + 1 + (10 * n)),
            from p in Gen.Choose(0, 2) from name in Gen.Elements("a.test", "x.b.test", "c.test") from a in Gen.Elements("10.244.1.3", "192.0.2.1", "2001:db8::1")
            select (Step)new Told(p, name, a),
            from s in Gen.Elements(1, 40, 10_000_000) select (Step)new Pass(s),
            from p in Gen.Choose(0, 2) select (Step)new Detach(p));
    }

    private static List<string> Texts(FlowPlanner planner) =>
        [.. planner.Flows.All.Select(f => $"{f.Value.Cookie:x} {f.Value}").Order(StringComparer.Ordinal)];
}
