using System.Net.Sockets;
using System.Text.Json.Nodes;

namespace Weft.Policy.Tests;

/// <summary>Who decides about a connection at one end, by the letter of the specifications.</summary>
/// <param name="Allowed">What they decide.</param>
/// <param name="Names">A policy of a tier that decides alone, every NetworkPolicy that allows, or every one that isolates when none allows; none when nothing is said.</param>
public sealed record Deciders(bool Allowed, IReadOnlyList<string> Names)
{
    /// <summary>Whether a verdict's policies are right: those of the end that denies, or of both ends when both allow.</summary>
    /// <remarks>When several NetworkPolicies of an end allow, the switch meets one of them, whichever.</remarks>
    public static bool Explain(Deciders sender, Deciders receiver, IReadOnlyList<string> named)
    {
        if (!sender.Allowed || !receiver.Allowed)
        {
            return named.Order(StringComparer.Ordinal).SequenceEqual((sender.Allowed ? receiver : sender).Names.Order(StringComparer.Ordinal));
        }

        return named.All(n => sender.Names.Contains(n) || receiver.Names.Contains(n)) && sender.IsNamedIn(named) && receiver.IsNamedIn(named);
    }

    /// <summary>Whether a pair is allowed, and by whom at each end.</summary>
    public static (Deciders Sender, Deciders Receiver) Of(IReadOnlyList<JsonObject> policies, Pair pair, Func<string, AddressFamily, string> addressOf) =>
        (Specification.Decide(policies, pair, addressOf, ingress: false), Specification.Decide(policies, pair, addressOf, ingress: true));

    public override string ToString() => $"{(Allowed ? "allowed" : "denied")} by [{string.Join(", ", Names)}]";

    private bool IsNamedIn(IReadOnlyList<string> named) => Names.Count == 0 || Names.Any(named.Contains);
}
