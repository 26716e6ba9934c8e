using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer;

/// <summary>One of <c>x-kubernetes-validations</c>, parsed.</summary>
/// <param name="FieldPath">Where the error is reported, relative to the rule's own place; empty for that place.</param>
public sealed record CelRule(CelExpression Rule, string? Message, CelExpression? MessageExpression, string Reason, string FieldPath, bool OptionalOldSelf)
{
    /// <summary>It compares with what was there before, so it only runs where something was.</summary>
    public bool IsTransition { get; } = Rule.Uses("oldSelf");

    /// <exception cref="FormatException">The rule is no expression.</exception>
    public static CelRule Read(JsonNode? json)
    {
        var text = json.Text("rule") ?? "";
        try
        {
            return new CelRule(CelExpression.Parse(text), json.Text("message"),
                json.Text("messageExpression") is { } expression ? CelExpression.Parse(expression) : null,
                json.Text("reason") ?? "FieldValueInvalid", json.Text("fieldPath") ?? "", json.Flag("optionalOldSelf"));
        }
        catch (CelException e)
        {
            throw new FormatException($"rule \"{text}\": {e.Message}");
        }
    }
}
