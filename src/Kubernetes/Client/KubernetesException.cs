using System.Net;

namespace Weft.Kubernetes;

/// <summary>The API server refused, could not be reached, or the configuration for it cannot be used.</summary>
public sealed class KubernetesException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The HTTP status; null when there was no answer.</summary>
    public HttpStatusCode? StatusCode { get; init; }

    /// <summary>The API server's reason, for example <c>NotFound</c> or <c>Expired</c>; null when it gave none.</summary>
    public string? Reason { get; init; }

    /// <summary>How long the API server asks to wait, or null.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>True when the same request may succeed later.</summary>
    public bool IsTransient => StatusCode is null or HttpStatusCode.TooManyRequests or HttpStatusCode.RequestTimeout or >= HttpStatusCode.InternalServerError;

    /// <summary>True when the resourceVersion or continue token is too old (410): list again.</summary>
    public bool IsExpired => StatusCode == HttpStatusCode.Gone;
}
