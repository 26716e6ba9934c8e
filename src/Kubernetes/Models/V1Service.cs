namespace Weft.Kubernetes;

/// <summary>A Service.</summary>
public sealed class V1Service : IKubernetesObject
{
    public string ApiVersion { get; set; } = "v1";

    public string Kind { get; set; } = "Service";

    public V1ObjectMeta Metadata { get; set; } = new();

    public V1ServiceSpec? Spec { get; set; }

    public V1ServiceStatus? Status { get; set; }
}

public sealed class V1ServiceSpec
{
    public bool? PublishNotReadyAddresses { get; set; }

    /// <summary><c>ClusterIP</c>, <c>NodePort</c>, <c>LoadBalancer</c> or <c>ExternalName</c>.</summary>
    public string? Type { get; set; }

    public string? ClusterIP { get; set; }

    public List<string>? ClusterIPs { get; set; }

    public List<string>? IpFamilies { get; set; }

    public List<string>? ExternalIPs { get; set; }

    public List<string>? LoadBalancerSourceRanges { get; set; }

    public List<V1ServicePort>? Ports { get; set; }

    public string? LoadBalancerClass { get; set; }

    public string? SessionAffinity { get; set; }

    public V1SessionAffinityConfig? SessionAffinityConfig { get; set; }

    public string? InternalTrafficPolicy { get; set; }

    public string? ExternalTrafficPolicy { get; set; }

    public int? HealthCheckNodePort { get; set; }
}

public sealed class V1ServicePort
{
    public string? Name { get; set; }

    public string? Protocol { get; set; }

    public int Port { get; set; }

    public int? NodePort { get; set; }

    public IntOrString? TargetPort { get; set; }
}

public sealed class V1SessionAffinityConfig
{
    public V1ClientIPConfig? ClientIP { get; set; }
}

public sealed class V1ClientIPConfig
{
    public int? TimeoutSeconds { get; set; }
}

public sealed class V1ServiceStatus
{
    public V1LoadBalancerStatus? LoadBalancer { get; set; }
}

public sealed class V1LoadBalancerStatus
{
    public List<V1LoadBalancerIngress>? Ingress { get; set; }
}

public sealed class V1LoadBalancerIngress
{
    public string? Ip { get; set; }

    /// <summary><c>VIP</c> (default) or <c>Proxy</c>: with Proxy, nodes must not short-cut to endpoints.</summary>
    public string? IpMode { get; set; }
}
