using System.Text.Json.Serialization;
using Weft.Agent.Sync;

namespace Weft.Agent;

/// <summary>The agent's page <c>/sync</c>: whether the switch holds the plan, and what was sent to get there.</summary>
/// <param name="Synced">The switch confirmed the whole plan, and nothing is waiting.</param>
/// <param name="Epoch">The epoch of <paramref name="Revision"/>.</param>
/// <param name="Revision">The last revision that was confirmed whole; -1 for none.</param>
/// <param name="Ports">Attached pods.</param>
/// <param name="Flows">Flows that the switch holds.</param>
/// <param name="FlowsSent">Flow mods since the agent's start.</param>
/// <param name="GroupsSent">Group mods since the agent's start.</param>
/// <param name="Repaired">Flows and groups that others had changed, put right since the agent's start.</param>
/// <param name="Connections">Connections to the switch since the agent's start.</param>
/// <param name="Problem">Why it is not in line, or null.</param>
/// <param name="Problems">Everything that the agent reports as wrong now: reason, subject and message, one line each.</param>
public sealed record SyncStatus(
    bool Synced, string Epoch, long Revision, int Ports, int Flows, long FlowsSent, long GroupsSent, long Repaired, int Connections, string? Problem, IReadOnlyList<string> Problems)
{
    /// <summary>The status of a state.</summary>
    internal static SyncStatus Of(AgentState state, FlowSync flows, Reporter reporter) => new(
        state.Synced, state.Facts.Slice.Epoch, state.Revision, state.Facts.Ports.Count, flows.Installed, flows.FlowsSent, flows.GroupsSent, flows.Repaired,
        flows.Connections, state.LastError, [.. reporter.Make(state).Problems.Select(p => $"{p.Reason} {p.Subject}: {p.Message}")]);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(SyncStatus))]
internal sealed partial class SyncStatusJson : JsonSerializerContext
{
}
