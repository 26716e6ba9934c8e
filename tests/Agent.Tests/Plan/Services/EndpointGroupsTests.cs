using System.Globalization;
using System.Text.RegularExpressions;
using Weft.Agent.Plan.Services;
using Weft.Agent.Tests.Sync;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Messages;
using Weft.Topology;
using Endpoint = Weft.Topology.Endpoint;
using Group = Weft.OpenFlow.Entries.Group;
using static Weft.Agent.Tests.Plan.PlanCases;

namespace Weft.Agent.Tests.Plan.Services;

/// <summary>How connections are shared among endpoints: even chances, messages that fit, and small changes of large groups.</summary>
public sealed partial class EndpointGroupsTests
{
    [Test]
    public void Every_endpoint_has_nearly_the_same_part_of_the_switchs_table([Range(1, EndpointGroups.MostInTable)] int count)
    {
        var group = Plan(count).Single();
        var slots = Slots(group);
        Assert.That(slots, Is.Not.Null, "up to here the switch must find the bucket in its table");
        var share = slots.Values.Sum() / (double)count;
        Assert.That(slots.Values.Min() / share, Is.GreaterThan(0.8));
        Assert.That(slots.Values.Max() / share, Is.LessThan(1.25));
    }

    [Test]
    public void More_endpoints_than_the_table_is_even_for_are_chosen_without_it([Values(65, 100, 480)] int count) =>
        Assert.That(Slots(Plan(count).Single()), Is.Null);

    [Test]
    public void Every_message_fits_and_every_endpoint_is_in_one_part([Values(1, 480, 481, 5_000, 12_000)] int count, [Values] bool v6, [Values] bool affinity)
    {
        var groups = Plan(count, v6, affinity);
        Assert.That(groups.Max(g => new GroupMod(GroupCommand.AddOrModify, g).ToBytes(1).Length), Is.LessThanOrEqualTo(65_535));
        var chosen = groups.SelectMany(g => g.Buckets).Select(b => b.Actions.ToString()).Where(a => !a!.Contains("group", StringComparison.Ordinal)).Distinct().Count();
        Assert.That(chosen, Is.EqualTo(count));
    }

    [Test]
    public void One_endpoint_more_changes_one_part_and_the_weights_of_the_parts()
    {
        var before = Plan(5_000).ToDictionary(g => g.Id);
        var after = Plan(5_001);
        Assert.That(after.Count(g => !before.TryGetValue(g.Id, out var old) || !old.Equals(g)), Is.LessThanOrEqualTo(2));
    }

    [Test]
    public void Parts_of_5000_endpoints_are_even_enough()
    {
        var groups = Plan(5_000);
        var parts = Slots(groups[^1])!;
        var share = groups.SkipLast(1).ToDictionary(g => g.Id, g => parts[$"group:{g.Id}"] / (double)parts.Values.Sum() / (g.Buckets.Length - 1));
        Assert.That(share.Values.Min() * 5_000, Is.GreaterThan(0.75));
        Assert.That(share.Values.Max() * 5_000, Is.LessThan(1.25));
    }

    [Test]
    public async Task A_Service_of_5000_endpoints_is_balanced_by_a_real_switch()
    {
        var endpoints = Endpoints(5_000, v6: false);
        var facts = TwoPods(
            new EndpointSet { Id = "default/big/80/4", Endpoints = [.. endpoints] },
            new LoadBalancer { Id = "default/big/80/4", Service = "default/big", Key = 7, Port = 80, ClusterIp = "10.96.0.7", Endpoints = "default/big/80/4" });
        await using var fixture = await SwitchFixture.StartAsync(facts);
        var chosen = new Dictionary<string, int>();
        for (var i = 0; i < 200; i++)
        {
            // Each trace is a connection of its own; the hash comes from its ports.
            var trace = await fixture.TraceAsync(string.Create(CultureInfo.InvariantCulture,
                $"in_port=1,tcp,dl_src=0a:58:0a:f4:01:0a,dl_dst=0a:57:45:46:54:01,nw_src=10.244.1.10,nw_dst=10.96.0.7,nw_ttl=64,tp_src={20_000 + i},tp_dst=80,dp_hash={(i * 2654435761L % 4_000_000_000) + 1}"));
            var match = Translation.Match(trace);
            Assert.That(match.Success, trace);
            chosen[match.Value] = chosen.GetValueOrDefault(match.Value) + 1;
        }

        // 200 of 5,000 by chance: twice the same a few times, never often.
        Assert.That(chosen.Count, Is.GreaterThan(180));
        Assert.That(chosen.Values.Max(), Is.LessThanOrEqualTo(3));
    }

    [GeneratedRegex(@"nat\(dst=[0-9.:]+\)")]
    private static partial Regex Translation { get; }

    /// <summary>The table of Open vSwitch 3.1 (group_setup_dp_hash_table): slots of each choice, or null when it makes none.</summary>
    private static Dictionary<string, int>? Slots(Group group)
    {
        var total = group.Buckets.Sum(b => b.Weight);
        var least = group.Buckets.Min(b => b.Weight);
        var slots = (int)Math.Max(16, System.Numerics.BitOperations.RoundUpToPowerOf2((uint)((total + least - 1) / least)));
        if (slots > 256)
        {
            return null;
        }

        var values = group.Buckets.Select(b => (double)b.Weight).ToArray();
        var divisors = group.Buckets.Select(_ => 1).ToArray();
        var hits = new int[values.Length];
        for (var slot = 0; slot < slots; slot++)
        {
            var winner = Array.IndexOf(values, values.Max());
            hits[winner]++;
            divisors[winner] += 2;
            values[winner] = group.Buckets[winner].Weight / (double)divisors[winner];
        }

        return group.Buckets.Select((b, i) => (Choice: b.Actions.ToString()!, Hits: hits[i])).GroupBy(b => b.Choice).ToDictionary(g => g.Key, g => g.Sum(b => b.Hits));
    }

    private static readonly LoadBalancer TheService = new() { Id = "default/s/80/4", Service = "default/s", Port = 80, Endpoints = "default/s/80/4" };

    private static IReadOnlyList<Group> Plan(int count, bool v6 = false, bool affinity = false) =>
        EndpointGroups.Of(1, Endpoints(count, v6), affinity ? AffinityFlows.Remember : e => EndpointTarget.Translate(TheService, e), part => 1000 + (uint)part);

    private static List<Endpoint> Endpoints(int count, bool v6) =>
        [.. Enumerable.Range(0, count).Select(i => new Endpoint { Address = v6 ? $"fd00:10:244:{i / 250:x}::{(i % 250) + 2:x}" : $"10.244.{i / 250}.{(i % 250) + 2}", Port = 80 })];
}
