using Weft.Topology;

namespace Weft.Agent.Host;

/// <summary>What a comparison of the host with its plan led to.</summary>
/// <param name="Applied">What was changed, one sentence each; empty when everything was as planned.</param>
/// <param name="Problems">What could not be made so, with the remedy; it is tried again when something changes and at the next apply.</param>
public sealed record HostChanges(EquatableArray<string> Applied, EquatableArray<string> Problems)
{
    /// <summary>Everything was as planned.</summary>
    public bool IsClean => Applied.IsEmpty && Problems.IsEmpty;
}
