using System.Text.Json.Nodes;

namespace Weft.Ctl.Drawing;

/// <summary>Two networks that at least one side wants to be joined.</summary>
/// <param name="One">The network of the two whose name comes first.</param>
/// <param name="Other">The other one.</param>
/// <param name="Reason">One word that says why they are not joined; empty: they are.</param>
/// <param name="Message">The same in a sentence.</param>
public sealed record TopologyPeering(string One, string Other, string Reason, string Message)
{
    private const string Ready = "Ready";

    /// <summary>Whether packets pass.</summary>
    public bool IsInForce => Reason.Length == 0;

    /// <summary>Puts VpcPeerings together: each is one side's consent, and they are in force when both sides' are.</summary>
    public static IReadOnlyList<TopologyPeering> Of(IEnumerable<JsonNode> peerings) =>
    [
        .. peerings.Select(p => (From: Vpc(p, "vpc"), To: Vpc(p, "peerVpc"), Name: (string?)p["metadata"]?["name"] ?? "", Condition: ReadyOf(p)))
            .GroupBy(p => string.CompareOrdinal(p.From, p.To) < 0 ? (One: p.From, Other: p.To) : (One: p.To, Other: p.From))
            .OrderBy(g => g.Key.One, StringComparer.Ordinal).ThenBy(g => g.Key.Other, StringComparer.Ordinal)
            .Select(g => Of(g.Key.One, g.Key.Other, [.. g.OrderBy(p => p.Name, StringComparer.Ordinal)])),
    ];

    private static TopologyPeering Of(string one, string other, List<(string From, string To, string Name, JsonNode? Condition)> consents)
    {
        if (consents.Where(c => (string?)c.Condition?["status"] == "True").Select(c => c.From).Distinct().Count() == 2)
        {
            return new TopologyPeering(one, other, "", "");
        }

        // One side's trouble is the other's, too, which says only that: the first cause is wanted.
        var cause = consents.Where(c => (string?)c.Condition?["status"] != "True").OrderBy(c => (string?)c.Condition?["reason"] is "PeerCannot" or "Duplicate").First();
        return new TopologyPeering(one, other, (string?)cause.Condition?["reason"] ?? "Pending",
            (string?)cause.Condition?["message"] ?? $"the controller has not judged VpcPeering {cause.Name} yet");
    }

    private static string Vpc(JsonNode peering, string field) => "vpc/" + (string?)peering["spec"]?[field];

    private static JsonNode? ReadyOf(JsonNode peering) =>
        (peering["status"]?["conditions"] as JsonArray)?.FirstOrDefault(c => (string?)c?["type"] == Ready);
}
