using Weft.Agent.Facts;
using Weft.Topology;

namespace Weft.Agent;

/// <summary>What the agent knows and has done, after one batch. Immutable.</summary>
/// <param name="Facts">The facts that the plan was made from.</param>
/// <param name="Synced">The switch confirmed the whole plan.</param>
/// <param name="Revision">The last revision that was confirmed whole; -1 for none.</param>
/// <param name="Problems">Why it is not in line; empty when it is, or when there is nothing to bring in line yet.</param>
/// <param name="RowsKnown">The attachments that OVSDB holds are known.</param>
public sealed record AgentState(NodeFacts Facts, bool Synced, long Revision, EquatableArray<NodeProblem> Problems, bool RowsKnown)
{
    /// <summary>Every input was known, so the node was compared with the plan; before that nothing can be said of it.</summary>
    public bool IsCompared => Facts.Slice.IsKnown && RowsKnown;

    /// <summary>What keeps pods from being attached, or null. Single objects that could not be planned do not.</summary>
    public string? LastError => Problems.FirstOrDefault(p => p.Reason != NotPlanned)?.Message;

    /// <summary>The reason of problems that are about one object of the controller's.</summary>
    public const string NotPlanned = "NotPlanned";
}
