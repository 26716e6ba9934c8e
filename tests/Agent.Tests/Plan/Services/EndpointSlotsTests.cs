using System.Globalization;
using System.Text.RegularExpressions;
using Weft.Agent.Plan.Services;
using Weft.Agent.Tests.Sync;
using Weft.Topology;
using Endpoint = Weft.Topology.Endpoint;
using static Weft.Agent.Tests.Plan.PlanCases;

namespace Weft.Agent.Tests.Plan.Services;

/// <summary>Shares of endpoints that are too many for a group's table.</summary>
public sealed partial class EndpointSlotsTests
{
    [Test]
    public void Every_endpoint_has_as_many_slots_as_every_other_or_one_more([Values(65, 100, 128, 129, 333, 480)] int count)
    {
        var slots = Counts(EndpointSlots.Deal(Endpoints(count)));
        Assert.That(slots, Has.Count.EqualTo(count));
        Assert.That(slots.Values.Max() - slots.Values.Min(), Is.LessThanOrEqualTo(1));
        Assert.That(slots.Values.Min(), Is.GreaterThanOrEqualTo(16));
    }

    [Test]
    public void An_endpoint_that_goes_moves_few_slots_besides_its_own([Values(80, 100, 200, 400)] int count)
    {
        var all = Endpoints(count);
        var before = EndpointSlots.Deal(all);
        var after = EndpointSlots.Deal([.. all.Where((_, i) => i != count / 2)]);
        Assert.That(after, Has.Length.EqualTo(before.Length));
        var others = before.Where((e, slot) => e != all[count / 2] && e != after[slot]).Count();
        Assert.That(others / (double)before.Length, Is.LessThan(0.08));
    }

    [Test]
    public void Ports_taken_in_order_give_every_endpoint_its_share([Values(1, 2)] int apart, [Values(1024, 20_000, 33_333, 40_001)] int first, [Values(65, 100, 128)] int count)
    {
        const int Connections = 10_000;
        var slots = EndpointSlots.Deal(Endpoints(count));
        var chosen = Counts(Enumerable.Range(0, Connections).Select(i => slots[((first + (i * apart)) >> 1) & (slots.Length - 1)]));
        Assert.That(chosen.Values.Min(), Is.GreaterThan(0.8 * Connections / count));
        Assert.That(chosen.Values.Max(), Is.LessThan(1.2 * Connections / count));
    }

    [Test]
    public async Task The_switch_sends_each_port_to_the_endpoint_of_its_slot()
    {
        var endpoints = Endpoints(100);
        var facts = TwoPods(
            new EndpointSet { Id = "default/big/80/4", Endpoints = [.. endpoints] },
            new LoadBalancer { Id = "default/big/80/4", Service = "default/big", Key = 7, Port = 80, ClusterIp = "10.96.0.7", Endpoints = "default/big/80/4" });
        var slots = EndpointSlots.Deal(EndpointChoice.For(endpoints, "node1", zone: null, localOnly: false));
        await using var fixture = await SwitchFixture.StartAsync(facts);
        foreach (var port in new[] { 1024, 20_000, 20_001, 33_334, 65_535 })
        {
            var trace = await fixture.TraceAsync(string.Create(CultureInfo.InvariantCulture,
                $"in_port=1,tcp,dl_src=0a:58:0a:f4:01:0a,dl_dst=0a:57:45:46:54:01,nw_src=10.244.1.10,nw_dst=10.96.0.7,nw_ttl=64,tp_src={port},tp_dst=80"));
            var slot = slots[(port >> 1) & (slots.Length - 1)];
            Assert.That(Translation.Match(trace).Groups[1].Value, Is.EqualTo($"{slot.Address}:{slot.Port}"), trace);
        }
    }

    [GeneratedRegex(@"nat\(dst=([0-9.:]+)\)")]
    private static partial Regex Translation { get; }

    private static Dictionary<Endpoint, int> Counts(IEnumerable<Endpoint> chosen) => chosen.CountBy(e => e).ToDictionary();

    private static List<Endpoint> Endpoints(int count) =>
        [.. Enumerable.Range(0, count).Select(i => new Endpoint { Address = $"10.244.{3 + (i / 200)}.{(i % 200) + 2}", Port = 8080, Node = "node2" })];
}
