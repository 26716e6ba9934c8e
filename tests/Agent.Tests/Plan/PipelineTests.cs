using Weft.Agent.Plan;
using Weft.Agent.Plan.Pipeline;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;

namespace Weft.Agent.Tests.Plan;

public sealed class PipelineTests
{
    private static readonly BitRange[] Ranges =
        [Registers.Source, Registers.Bypass, Registers.Hairpin, Registers.Service, Registers.Output, Registers.Zone];

    [Test]
    public void Table_ids_grow_in_packet_order_and_names_are_unique()
    {
        Assert.That(Tables.All.Select(t => t.Id), Is.Ordered.And.Unique);
        Assert.That(Tables.All.Select(t => t.Name), Is.Unique);
    }

    [Test]
    public void Register_bits_have_one_meaning_each()
    {
        var overlaps = from a in Ranges from b in Ranges
                       where a != b && a.Field == b.Field && (a.Mask & b.Mask) != 0
                       select $"{a} and {b}";
        Assert.That(overlaps, Is.Empty);
    }

    [Test]
    public void Every_table_has_a_miss_flow_that_does_what_its_declaration_says()
    {
        var flows = Plan();
        foreach (var table in Tables.All)
        {
            var miss = flows.SingleOrDefault(f => f.Table == table.Id && f.Priority == Priorities.Miss && f.Match.IsAny);
            Assert.That(miss, Is.Not.Null, table.Name);
            Assert.That(miss!.Instructions.Next, Is.EqualTo(table.Next), table.Name);
        }
    }

    [Test]
    public void Flows_only_go_forward_to_declared_tables()
    {
        var known = Tables.All.Select(t => t.Id).ToHashSet();
        foreach (var flow in Plan())
        {
            Assert.That(known, Does.Contain(flow.Table), flow.ToString());
            if (flow.Instructions.Next is { } next)
            {
                Assert.That(next, Is.GreaterThan(flow.Table), flow.ToString());
                Assert.That(known, Does.Contain(next), flow.ToString());
            }
        }
    }

    [Test]
    public void A_flow_after_classification_that_looks_at_an_address_looks_at_the_network_or_the_port()
    {
        Field[] addresses = [Fields.IPv4Src, Fields.IPv4Dst, Fields.IPv6Src, Fields.IPv6Dst, Fields.ArpTpa, Fields.NdTarget];
        // Multicast and the hairpin address mean the same in every network.
        foreach (var flow in Plan().Where(f => f.Priority != Priorities.Never && f.Table != Tables.Conntrack.Id))
        {
            if (addresses.Any(a => flow.Match.TryGet(a, out _)))
            {
                Assert.That(flow.Match.TryGet(Fields.Metadata, out _) || flow.Match.TryGet(Fields.InPort, out _), Is.True, flow.ToString());
            }
        }
    }

    [Test]
    public void Every_cookie_is_ours_and_names_its_feature() =>
        Assert.That(Plan().Select(f => f.Cookie), Has.All.Matches<ulong>(c => Cookies.IsOurs(c) && Enum.IsDefined(Cookies.FeatureOf(c))));

    [Test]
    public void Owners_never_disagree()
    {
        var planner = new FlowPlanner();
        planner.PlanAll(PlanCases.TwoPods());
        Assert.That(planner.Flows.Conflicts, Is.Zero);
    }

    private static List<Flow> Plan()
    {
        var planner = new FlowPlanner();
        planner.PlanAll(PlanCases.TwoPods());
        return [.. planner.Flows.All.Select(f => f.Value)];
    }
}
