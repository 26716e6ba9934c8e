using System.Text.Json.Nodes;
using Weft.Topology;

namespace Weft.Ctl.Verification;

/// <summary>Why packets are allowed or not at one end.</summary>
public enum PolicyReason
{
    /// <summary>No policy speaks of them.</summary>
    Nothing = 0,

    /// <summary>A rule decides.</summary>
    Rule,

    /// <summary>Policies select the pod, and no rule of them allows it.</summary>
    Isolation,

    /// <summary>The pod's policies are not known, or its network changes: nothing passes.</summary>
    CutOff,
}

/// <summary>What the policies of one end decide.</summary>
/// <param name="Allowed">Whether the packet may pass there.</param>
/// <param name="Reason">Why.</param>
/// <param name="Rules">The rule that decides; or all rules that allow it; or for isolation, the policies.</param>
public sealed record PolicyDecision(bool Allowed, PolicyReason Reason, IReadOnlyList<RuleRef> Rules)
{
    /// <summary>No policy speaks of it.</summary>
    public static readonly PolicyDecision Nothing = new(true, PolicyReason.Nothing, []);

    /// <summary>In words.</summary>
    public string Sentence => (Allowed ? "allowed" : "denied") + Reason switch
    {
        PolicyReason.Nothing => ": no policy speaks of it",
        PolicyReason.Isolation => $": no rule allows it of {(Rules.Count > 0 ? string.Join(", ", Rules) : "the policies that isolate the pod")}",
        PolicyReason.CutOff => ": the pod is cut off, no policy is known for it",
        _ => $" by {string.Join(" and by ", Rules)}",
    };

    /// <summary>As an object for programs.</summary>
    public JsonObject ToJson() => new()
    {
        ["allowed"] = Allowed,
        ["reason"] = Reason.ToString(),
        ["rules"] = new JsonArray([.. Rules.Select(r => (JsonNode)r.ToJson())]),
        ["sentence"] = Sentence,
    };
}

/// <summary>A rule as its author counts: by its place in <c>spec.ingress</c> or <c>spec.egress</c>.</summary>
/// <param name="Policy"><c>kind/namespace/name</c>.</param>
/// <param name="Direction">Its list.</param>
/// <param name="Index">Its place there, from 0; null for the policy as a whole.</param>
/// <param name="Name">Its name, when the API gives one.</param>
public sealed record RuleRef(string Policy, Direction Direction, int? Index, string? Name)
{
    /// <summary>Refers to a rule of a slice.</summary>
    public static RuleRef Of(Policy policy, PolicyRule rule) => new(policy.Id, rule.Direction, rule.Index, rule.Name);

    /// <summary>As an object for programs.</summary>
    public JsonObject ToJson()
    {
        var json = new JsonObject { ["policy"] = Policy, ["direction"] = Direction.ToString().ToLowerInvariant() };
        if (Index is { } index)
        {
            json["rule"] = index;
        }

        if (Name is not null)
        {
            json["name"] = Name;
        }

        return json;
    }

    /// <inheritdoc/>
    public override string ToString() => Index is null ? Policy : $"{Policy} {Direction.ToString().ToLowerInvariant()}[{Index}]{(Name is null ? "" : $" \"{Name}\"")}";
}
