using Weft.Agent.Facts;
using Weft.Agent.Plan;
using Weft.Agent.Plan.Pipeline;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;
using Weft.Topology;

namespace Weft.Agent.Tests.Plan;

/// <summary>A port that no policy is about any more is no open door while the runtime has not removed it.</summary>
public sealed class CutOffTests
{
    private static readonly FlowTable[] Guards = [Tables.EgressAdmin, Tables.IngressAdmin];

    [Test]
    public void A_port_of_a_known_pod_is_open() => Assert.That(CutOff(PlanCases.Logical("a")), Is.Empty);

    [Test]
    public void A_port_of_a_pod_that_ended_or_is_gone_is_cut_off() =>
        Assert.That(CutOff(null), Is.EqualTo(Guards.Select(t => t.Id)));

    [Test]
    public void A_port_of_a_pod_that_was_made_again_is_cut_off() =>
        Assert.That(CutOff(PlanCases.Logical("a", "uid-of-another")), Is.EqualTo(Guards.Select(t => t.Id)));

    [Test]
    public void A_port_without_a_uid_is_the_pods_of_that_name() =>
        Assert.That(CutOff(PlanCases.Logical("a", "uid-of-another"), uid: ""), Is.Empty);

    [Test]
    public void The_end_of_the_pod_is_enough_to_plan_its_port_again()
    {
        var planner = new FlowPlanner();
        planner.PlanAll(Facts(PlanCases.Logical("a"), "uid-a"));
        planner.PlanItems(Facts(null, "uid-a"), [new ItemRef(ItemKind.LogicalPort, "default/a")]);
        Assert.That(Waiting(planner), Is.EqualTo(Guards.Select(t => t.Id)));
    }

    private static IEnumerable<byte> CutOff(LogicalPort? logical, string uid = "uid-a")
    {
        var planner = new FlowPlanner();
        planner.PlanAll(Facts(logical, uid));
        return Waiting(planner);
    }

    private static IEnumerable<byte> Waiting(FlowPlanner planner) =>
        [.. planner.Flows.All.Select(f => f.Value).Where(f => f.Priority == Priorities.Await && f.Instructions.Next is null).Select(f => f.Table).Order()];

    private static NodeFacts Facts(LogicalPort? logical, string uid)
    {
        var port = PlanCases.Pod("a", 10, 1);
        TopologyItem[] items = [PlanCases.Settings, PlanCases.Endpoint(1)];
        return PlanCases.Facts(logical is null ? items : [.. items, logical], port with { Attachment = port.Attachment with { Uid = uid } });
    }
}
