namespace Weft.Kubernetes;

/// <summary>A pod.</summary>
public sealed class V1Pod : IKubernetesObject
{
    public string ApiVersion { get; set; } = "v1";

    public string Kind { get; set; } = "Pod";

    public V1ObjectMeta Metadata { get; set; } = new();

    public V1PodSpec? Spec { get; set; }

    public V1PodStatus? Status { get; set; }
}

public sealed class V1PodSpec
{
    public string? NodeName { get; set; }

    public bool? HostNetwork { get; set; }

    public string? ServiceAccountName { get; set; }

    public List<V1Container>? Containers { get; set; }

    /// <summary>Only those with <c>restartPolicy: Always</c> (sidecars) have ports that count.</summary>
    public List<V1Container>? InitContainers { get; set; }
}

public sealed class V1Container
{
    public string? Name { get; set; }

    public string? RestartPolicy { get; set; }

    public List<V1ContainerPort>? Ports { get; set; }
}

public sealed class V1ContainerPort
{
    public string? Name { get; set; }

    public int ContainerPort { get; set; }

    public string? Protocol { get; set; }
}

public sealed class V1PodStatus
{
    /// <summary><c>Pending</c>, <c>Running</c>, <c>Succeeded</c>, <c>Failed</c> or <c>Unknown</c>.</summary>
    public string? Phase { get; set; }

    public string? PodIP { get; set; }

    public List<V1PodIP>? PodIPs { get; set; }
}

public sealed class V1PodIP
{
    public string? Ip { get; set; }
}
