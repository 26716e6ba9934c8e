namespace Weft.Kubernetes;

/// <summary>Asks the API server whom a token belongs to (authentication.k8s.io/v1).</summary>
public sealed class V1TokenReview : IKubernetesObject
{
    public string ApiVersion { get; set; } = "authentication.k8s.io/v1";

    public string Kind { get; set; } = "TokenReview";

    public V1ObjectMeta Metadata { get; set; } = new();

    public V1TokenReviewSpec? Spec { get; set; }

    public V1TokenReviewStatus? Status { get; set; }
}

public sealed class V1TokenReviewSpec
{
    public string? Token { get; set; }

    public List<string>? Audiences { get; set; }
}

public sealed class V1TokenReviewStatus
{
    public bool? Authenticated { get; set; }

    public V1UserInfo? User { get; set; }

    /// <summary>Those of the audiences asked for that the token is for.</summary>
    public List<string>? Audiences { get; set; }

    public string? Error { get; set; }
}

public sealed class V1UserInfo
{
    public string? Username { get; set; }

    public List<string>? Groups { get; set; }

    /// <summary>Bound tokens carry <c>authentication.kubernetes.io/node-name</c> and <c>.../pod-name</c>.</summary>
    public Dictionary<string, List<string>>? Extra { get; set; }
}

/// <summary>Asks the API server whether somebody may do something (authorization.k8s.io/v1).</summary>
public sealed class V1SubjectAccessReview : IKubernetesObject
{
    public string ApiVersion { get; set; } = "authorization.k8s.io/v1";

    public string Kind { get; set; } = "SubjectAccessReview";

    public V1ObjectMeta Metadata { get; set; } = new();

    public V1SubjectAccessReviewSpec? Spec { get; set; }

    public V1SubjectAccessReviewStatus? Status { get; set; }
}

public sealed class V1SubjectAccessReviewSpec
{
    public string? User { get; set; }

    public List<string>? Groups { get; set; }

    public V1ResourceAttributes? ResourceAttributes { get; set; }
}

public sealed class V1ResourceAttributes
{
    public string? Group { get; set; }

    public string? Resource { get; set; }

    public string? Verb { get; set; }

    public string? Name { get; set; }
}

public sealed class V1SubjectAccessReviewStatus
{
    public bool Allowed { get; set; }

    public string? Reason { get; set; }
}
