using System.Runtime.InteropServices;
using Weft.OpenFlow;
using Weft.OpenFlow.Actions;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Instructions;

namespace Weft.Agent.Plan.Pipeline;

/// <summary>Writes a flow in the order in which one reads it: where, when, what, whereto.</summary>
public sealed class FlowDraft(FlowTable table, ushort priority, ulong cookie)
{
    private readonly List<FieldMatch> _match = [];
    private readonly List<FlowStep> _steps = [];

    /// <summary>Adds conditions; all must hold.</summary>
    public FlowDraft When(params ReadOnlySpan<FieldMatch> conditions)
    {
        _match.AddRange(conditions);
        return this;
    }

    /// <summary>Adds actions, applied in order.</summary>
    public FlowDraft Do(params ReadOnlySpan<FlowAction> actions)
    {
        foreach (var action in actions)
        {
            _steps.Add(action);
        }

        return this;
    }

    /// <summary>Sets the network key.</summary>
    /// <remarks>By set_field: Open vSwitch turns goto_table behind write_metadata into something that <c>ovs-ofctl dump-flows</c>, which
    /// speaks OpenFlow 1.0 unless told otherwise, refuses to print.</remarks>
    public FlowDraft SetNetwork(int networkKey) => Do(Fields.Metadata.Set((ulong)networkKey));

    /// <summary>The packet goes on in a later table.</summary>
    public Flow Goto(FlowTable next)
    {
        _steps.Add(new GotoTable(next.Id));
        return End();
    }

    /// <summary>The actions end the packet's way; with none of them it is dropped.</summary>
    public Flow End() => new(table.Id, priority, Match.Of(CollectionsMarshal.AsSpan(_match)), FlowInstructions.Of(CollectionsMarshal.AsSpan(_steps)))
    {
        Cookie = cookie,
    };
}
