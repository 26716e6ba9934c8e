using Weft.Agent.Facts;

namespace Weft.Agent;

/// <summary>What the agent knows and has done, after one batch. Immutable.</summary>
/// <param name="Facts">The facts that the plan was made from.</param>
/// <param name="Synced">The switch confirmed the whole plan.</param>
/// <param name="Revision">The last revision that was confirmed whole; -1 for none.</param>
/// <param name="RowsKnown">The attachments that OVSDB holds are known.</param>
/// <param name="LastError">Why it is not in line, or null.</param>
public sealed record AgentState(NodeFacts Facts, bool Synced, long Revision, string? LastError, bool RowsKnown);
