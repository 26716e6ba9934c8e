namespace Weft.Kubernetes;

/// <summary>What is so with an object, and why (meta/v1 Condition).</summary>
public sealed class V1Condition
{
    public string Type { get; set; } = "";

    /// <summary><c>True</c>, <c>False</c> or <c>Unknown</c>.</summary>
    public string Status { get; set; } = "";

    /// <summary>The <c>metadata.generation</c> that this is about.</summary>
    public long? ObservedGeneration { get; set; }

    public DateTimeOffset? LastTransitionTime { get; set; }

    /// <summary>A CamelCase word for programs.</summary>
    public string? Reason { get; set; }

    /// <summary>For people: what is so, and the remedy.</summary>
    public string? Message { get; set; }
}
