using System.Text.Json.Serialization;

namespace Weft.Kubernetes;

/// <summary>Selects objects by their labels. All requirements must hold; none selects everything.</summary>
public sealed class V1LabelSelector
{
    public Dictionary<string, string>? MatchLabels { get; set; }

    public List<V1LabelSelectorRequirement>? MatchExpressions { get; set; }
}

/// <summary>One requirement: <c>In</c>, <c>NotIn</c>, <c>Exists</c> or <c>DoesNotExist</c>.</summary>
public sealed class V1LabelSelectorRequirement
{
    public string Key { get; set; } = "";

    /// <summary>Named as in the official client, because <c>operator</c> is a keyword.</summary>
    [JsonPropertyName("operator")]
    public string OperatorProperty { get; set; } = "";

    public List<string>? Values { get; set; }
}
