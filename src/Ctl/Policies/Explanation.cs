using System.Text.Json.Nodes;
using Weft.Ctl.Verification;

namespace Weft.Ctl.Policies;

/// <summary>What is decided at one end of a connection, twice.</summary>
/// <param name="Pod">The pod at this end.</param>
/// <param name="Node">Its node.</param>
/// <param name="Controller">What policies say, compiled by the controller's code from the cluster's objects.</param>
/// <param name="Flows">What the node's switch says; null when the packet did not come to these tables.</param>
internal sealed record ExplainedEnd(string Pod, string Node, PolicyDecision Controller, PolicyDecision? Flows)
{
    /// <summary>The same outcome by the same rule. Isolation has no rule; and of several rules that allow, the switch meets one.</summary>
    public bool Agree => Flows is not null && Flows.Allowed == Controller.Allowed && Flows.Reason == Controller.Reason
        && (Flows.Reason != PolicyReason.Rule || Flows.Rules.All(f => Controller.Rules.Any(c => c.Policy == f.Policy && c.Index == f.Index)));

    /// <summary>What name servers told the pod that the other end's address is; empty for the receiving end.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    public JsonObject ToJson() => new()
    {
        ["pod"] = Pod,
        ["node"] = Node,
        ["controller"] = Controller.ToJson(),
        ["flows"] = Flows?.ToJson(),
        ["names"] = new JsonArray([.. Names.Select(n => (JsonNode)n)]),
        ["agree"] = Agree,
    };
}

/// <summary>The answer of <c>weftctl policy explain</c>.</summary>
/// <param name="From">The sender, as asked.</param>
/// <param name="To">The receiver, as asked.</param>
/// <param name="Packet">The first packet of the connection.</param>
/// <param name="Egress">The sender's end.</param>
/// <param name="Ingress">The receiver's end; null when it is no pod.</param>
internal sealed record Explanation(string From, string To, string Packet, ExplainedEnd Egress, ExplainedEnd? Ingress)
{
    /// <summary>By the policies.</summary>
    public bool Allowed => Egress.Controller.Allowed && Ingress?.Controller.Allowed != false;

    /// <summary>Both ends agree.</summary>
    public bool Agree => Egress.Agree && Ingress?.Agree != false;

    public JsonObject ToJson() => new()
    {
        ["from"] = From,
        ["to"] = To,
        ["packet"] = Packet,
        ["allowed"] = Allowed,
        ["agree"] = Agree,
        ["egress"] = Egress.ToJson(),
        ["ingress"] = Ingress?.ToJson(),
    };

    public void Print(TextWriter output)
    {
        output.WriteLine($"{Packet}, {From} to {To}: {(Allowed ? "allowed" : "denied")}");
        Print(output, "egress of", Egress);
        if (Ingress is null)
        {
            output.WriteLine($"ingress: {To} is no pod of this network, no ingress policy is about it");
        }
        else
        {
            Print(output, "ingress to", Ingress);
        }

        output.WriteLine(Agree ? "controller and flows agree" : "controller and flows DIFFER");
    }

    private static void Print(TextWriter output, string what, ExplainedEnd end)
    {
        output.WriteLine($"{what} {end.Pod} on {end.Node}{(end.Agree ? "" : ": DIFFERENT")}");
        output.WriteLine($"  controller   {end.Controller.Sentence}");
        output.WriteLine($"  flows        {end.Flows?.Sentence ?? "the packet does not come to its policies"}");
        if (end.Names.Count > 0)
        {
            output.WriteLine($"  names        a name server told {end.Pod} that this is {string.Join(", ", end.Names)}");
        }
    }
}
