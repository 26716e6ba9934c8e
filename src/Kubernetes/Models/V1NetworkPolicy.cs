using System.Text.Json.Serialization;

namespace Weft.Kubernetes;

/// <summary>A NetworkPolicy (networking.k8s.io/v1).</summary>
public sealed class V1NetworkPolicy : IKubernetesObject
{
    public string ApiVersion { get; set; } = "networking.k8s.io/v1";

    public string Kind { get; set; } = "NetworkPolicy";

    public V1ObjectMeta Metadata { get; set; } = new();

    public V1NetworkPolicySpec? Spec { get; set; }
}

public sealed class V1NetworkPolicySpec
{
    public V1LabelSelector? PodSelector { get; set; }

    /// <summary><c>Ingress</c>, <c>Egress</c>. Absent: Ingress, and Egress when there are egress rules.</summary>
    public List<string>? PolicyTypes { get; set; }

    public List<V1NetworkPolicyIngressRule>? Ingress { get; set; }

    public List<V1NetworkPolicyEgressRule>? Egress { get; set; }
}

public sealed class V1NetworkPolicyIngressRule
{
    [JsonPropertyName("from")]
    public List<V1NetworkPolicyPeer>? FromProperty { get; set; }

    public List<V1NetworkPolicyPort>? Ports { get; set; }
}

public sealed class V1NetworkPolicyEgressRule
{
    public List<V1NetworkPolicyPeer>? To { get; set; }

    public List<V1NetworkPolicyPort>? Ports { get; set; }
}

public sealed class V1NetworkPolicyPeer
{
    public V1LabelSelector? PodSelector { get; set; }

    public V1LabelSelector? NamespaceSelector { get; set; }

    public V1IPBlock? IpBlock { get; set; }
}

public sealed class V1IPBlock
{
    public string? Cidr { get; set; }

    public List<string>? Except { get; set; }
}

public sealed class V1NetworkPolicyPort
{
    public string? Protocol { get; set; }

    public IntOrString? Port { get; set; }

    public int? EndPort { get; set; }
}
