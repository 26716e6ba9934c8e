using Weft.Agent.Plan;
using Weft.Agent.Plan.Pipeline;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;

namespace Weft.Agent.Tests.Plan;

public sealed class NeighbourTests
{
    [Test]
    public void Where_the_data_path_cannot_advertise_the_agent_is_asked_for_the_same_addresses()
    {
        var bySwitch = Solicited(switchAdvertises: true);
        var byAgent = Solicited(switchAdvertises: false);
        Assert.That(byAgent.Keys, Is.EquivalentTo(bySwitch.Keys).And.Not.Empty);
        foreach (var (address, flow) in byAgent)
        {
            var other = bySwitch[address];
            Assert.That((flow.Priority, flow.Cookie), Is.EqualTo((other.Priority, other.Cookie)), flow.ToString());
            Assert.That(flow.Instructions.Applied.ToArray()[..^1], Is.EqualTo(other.Instructions.Applied.ToArray()[..4]), "turned round in the same way");
            Assert.That(flow.Instructions.Applied.ToArray()[^1], Is.EqualTo(new Output(Ports.Controller, 256)));
            Assert.That(flow.Instructions.Next, Is.Null);
        }
    }

    [Test]
    public void Where_the_data_path_cannot_advertise_no_flow_needs_what_only_the_userspace_data_path_has()
    {
        foreach (var flow in Plan(switchAdvertises: false))
        {
            Assert.That(flow.Match.TryGet(Fields.NdOptionsType, out _) || flow.Match.TryGet(Fields.NdReserved, out _), Is.False, flow.ToString());
            Assert.That(flow.Instructions.Applied.ToArray().OfType<SetField>().Select(s => s.Field), Has.None.EqualTo(Fields.NdOptionsType).And.None.EqualTo(Fields.NdReserved), flow.ToString());
        }
    }

    /// <summary>The flows that answer solicitations, by network and address.</summary>
    private static Dictionary<(UInt128 Network, UInt128 Target), Flow> Solicited(bool switchAdvertises) => Plan(switchAdvertises)
        .Where(f => f.Table == Tables.ArpNd.Id && f.Priority == Priorities.Normal && f.Match.TryGet(Fields.NdTarget, out _))
        .ToDictionary(f => (Value(f, Fields.Metadata), Value(f, Fields.NdTarget)));

    private static UInt128 Value(Flow flow, Field field) => flow.Match.TryGet(field, out var found) ? found.Value : 0;

    private static List<Flow> Plan(bool switchAdvertises)
    {
        var planner = new FlowPlanner();
        planner.PlanAll(PlanCases.TwoPods() with { SwitchAdvertises = switchAdvertises });
        return [.. planner.Flows.All.Select(f => f.Value)];
    }
}
