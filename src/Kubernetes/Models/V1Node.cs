namespace Weft.Kubernetes;

/// <summary>A node.</summary>
public sealed class V1Node : IKubernetesObject
{
    public string ApiVersion { get; set; } = "v1";

    public string Kind { get; set; } = "Node";

    public V1ObjectMeta Metadata { get; set; } = new();

    public V1NodeSpec? Spec { get; set; }

    public V1NodeStatus? Status { get; set; }
}

public sealed class V1NodeSpec
{
    public string? PodCIDR { get; set; }

    public List<string>? PodCIDRs { get; set; }
}

public sealed class V1NodeStatus
{
    public List<V1NodeAddress>? Addresses { get; set; }

    public List<V1NodeCondition>? Conditions { get; set; }
}

public sealed class V1NodeAddress
{
    /// <summary><c>InternalIP</c>, <c>ExternalIP</c>, <c>Hostname</c>, ...</summary>
    public string? Type { get; set; }

    public string? Address { get; set; }
}

public sealed class V1NodeCondition
{
    public string Type { get; set; } = "";

    /// <summary><c>True</c>, <c>False</c> or <c>Unknown</c>.</summary>
    public string Status { get; set; } = "";

    public string? Reason { get; set; }

    public string? Message { get; set; }

    public DateTimeOffset? LastHeartbeatTime { get; set; }

    public DateTimeOffset? LastTransitionTime { get; set; }
}

/// <summary>A namespace.</summary>
public sealed class V1Namespace : IKubernetesObject
{
    public string ApiVersion { get; set; } = "v1";

    public string Kind { get; set; } = "Namespace";

    public V1ObjectMeta Metadata { get; set; } = new();
}
