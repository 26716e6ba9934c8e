using Weft.Agent.Plan.Policies;
using Weft.Topology;

namespace Weft.Agent.Tests.Plan;

public sealed class PolicyOrderTests
{
    [TestCase(60, 100)]
    [TestCase(1001, 25)]
    [TestCase(250, 100)]
    public void Rules_have_the_order_of_their_policies_and_of_their_places(int policies, int rules)
    {
        var all = Enumerable.Range(0, policies).Select(p => Policy($"p{p:d4}", p * 1000 / policies, rules)).ToList();
        var order = PolicyOrder.Of(all);
        var priorities = all.SelectMany(p => p.Rules.SelectMany(r => new[] { order.PriorityOf(p, r, alone: true), order.PriorityOf(p, r, alone: false) })).ToList();
        Assert.That(priorities, Is.Ordered.Descending);
        Assert.That(priorities, Is.Unique);
        Assert.That(priorities, Is.All.InRange(1, 60_001));
    }

    [Test]
    public void Policies_of_one_priority_have_the_order_of_their_ids()
    {
        Policy[] all = [Policy("b", 7, 3), Policy("a", 7, 3)];
        var order = PolicyOrder.Of(all);
        Assert.That(order.PriorityOf(all[1], all[1].Rules[2], alone: false), Is.GreaterThan(order.PriorityOf(all[0], all[0].Rules[0], alone: true)));
    }

    [Test]
    public void Only_a_policy_with_more_rules_than_there_is_room_for_moves_others()
    {
        var before = PolicyOrder.Of([Policy("a", 3, 25), Policy("c", 9, 25)]);
        Assert.That(before.MovedIn(PolicyOrder.Of([Policy("a", 3, 25), Policy("b", 5, 25), Policy("c", 9, 25)])), Is.Empty);
        Assert.That(before.MovedIn(PolicyOrder.Of([Policy("a", 3, 25), Policy("b", 5, 26), Policy("c", 9, 25)])), Is.EqualTo(new[] { "c" }));
    }

    private static Policy Policy(string id, int priority, int rules) => new()
    {
        Id = id, Tier = PolicyTier.Admin, Priority = priority, AppliedTo = "t", Rules = [.. Enumerable.Range(0, rules).Select(i => new PolicyRule { Index = i })],
    };
}
