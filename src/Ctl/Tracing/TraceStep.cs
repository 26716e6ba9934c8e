using Weft.Agent.Plan.Pipeline;

namespace Weft.Ctl.Tracing;

/// <summary>A flow that the packet met.</summary>
/// <param name="Node">Where.</param>
/// <param name="Table">The table's number.</param>
/// <param name="Match">What the flow matches; empty for everything.</param>
/// <param name="Priority">Its priority.</param>
/// <param name="Cookie">Its cookie; 0 when no flow matched.</param>
/// <param name="Owner">The name behind the cookie.</param>
/// <param name="Actions">What it does, in the words of ovs-ofctl.</param>
public sealed record TraceStep(string Node, byte Table, string Match, int Priority, ulong Cookie, string Owner, string Actions)
{
    /// <summary>The table's name.</summary>
    public string TableName => Tables.All.FirstOrDefault(t => t.Id == Table)?.Name ?? $"{Table}";

    /// <summary>True when the flow is of this part of the plan.</summary>
    public bool Is(FlowFeature feature) => Cookies.IsOurs(Cookie) && Cookies.FeatureOf(Cookie) == feature;
}
