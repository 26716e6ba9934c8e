using System.Text.Json.Nodes;

namespace Weft.Ctl.Tracing;

/// <summary>A packet's way and its end.</summary>
/// <param name="From">The pod that sends.</param>
/// <param name="To">What it was sent to, as asked.</param>
/// <param name="Packet">The packet as sent.</param>
/// <param name="Steps">The flows that it met, on all nodes.</param>
/// <param name="Verdict">Its end.</param>
public sealed record TraceResult(string From, string To, TracePacket Packet, IReadOnlyList<TraceStep> Steps, Verdict Verdict)
{
    /// <summary>As an object for programs.</summary>
    public JsonObject ToJson() => new()
    {
        ["from"] = From,
        ["to"] = To,
        ["packet"] = Packet.ToString(),
        ["verdict"] = Verdict.Outcome.ToString().ToLowerInvariant(),
        ["reason"] = Verdict.Reason,
        ["policies"] = new JsonArray([.. Verdict.Policies.Select(p => (JsonNode)p)]),
        ["node"] = Verdict.Node,
        ["sentence"] = Verdict.Sentence,
        ["steps"] = new JsonArray([.. Steps.Select(s => (JsonNode)new JsonObject
        {
            ["node"] = s.Node,
            ["table"] = s.TableName,
            ["priority"] = s.Priority,
            ["cookie"] = $"0x{s.Cookie:x}",
            ["owner"] = s.Owner,
            ["match"] = s.Match,
            ["actions"] = s.Actions,
        })]),
    };
}
