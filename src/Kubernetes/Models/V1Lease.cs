namespace Weft.Kubernetes;

/// <summary>A lease (coordination.k8s.io/v1): who leads, until when.</summary>
public sealed class V1Lease : IKubernetesObject
{
    public string ApiVersion { get; set; } = "coordination.k8s.io/v1";

    public string Kind { get; set; } = "Lease";

    public V1ObjectMeta Metadata { get; set; } = new();

    public V1LeaseSpec? Spec { get; set; }
}

public sealed class V1LeaseSpec
{
    public string? HolderIdentity { get; set; }

    public int? LeaseDurationSeconds { get; set; }

    public int? LeaseTransitions { get; set; }

    /// <summary>RFC 3339 with six fractional digits (MicroTime); compared as text only.</summary>
    public string? AcquireTime { get; set; }

    /// <inheritdoc cref="AcquireTime"/>
    public string? RenewTime { get; set; }
}
