using System.Text.Json.Serialization;

namespace Weft.Kubernetes;

/// <summary>What every Kubernetes object has.</summary>
public interface IKubernetesObject
{
    V1ObjectMeta Metadata { get; }
}

/// <summary>The parts of <c>metadata</c> that Weft reads.</summary>
public sealed class V1ObjectMeta
{
    public string? Name { get; set; }

    [JsonPropertyName("namespace")]
    public string? NamespaceProperty { get; set; }

    public string? Uid { get; set; }

    public string? ResourceVersion { get; set; }

    public long? Generation { get; set; }

    public string? GenerateName { get; set; }

    public DateTimeOffset? CreationTimestamp { get; set; }

    public DateTimeOffset? DeletionTimestamp { get; set; }

    public Dictionary<string, string>? Labels { get; set; }

    public Dictionary<string, string>? Annotations { get; set; }

    public List<string>? Finalizers { get; set; }
}

/// <summary><c>metadata</c> of a list.</summary>
public sealed class V1ListMeta
{
    public string? ResourceVersion { get; set; }

    public string? Continue { get; set; }
}

/// <summary>The API server's answer when it refuses, and the object of a watch's ERROR event.</summary>
public sealed class V1Status
{
    public string? Status { get; set; }

    public string? Message { get; set; }

    public string? Reason { get; set; }

    public int? Code { get; set; }

    public V1StatusDetails? Details { get; set; }
}

/// <summary>More about a <see cref="V1Status"/>.</summary>
public sealed class V1StatusDetails
{
    /// <summary>Seconds to wait before the next attempt.</summary>
    public int? RetryAfterSeconds { get; set; }
}
