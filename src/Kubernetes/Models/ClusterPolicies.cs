using System.Text.Json.Serialization;

namespace Weft.Kubernetes;

/// <summary>A ClusterNetworkPolicy (policy.networking.k8s.io/v1alpha2).</summary>
public sealed class V1Alpha2ClusterNetworkPolicy : IKubernetesObject
{
    public string ApiVersion { get; set; } = "policy.networking.k8s.io/v1alpha2";

    public string Kind { get; set; } = "ClusterNetworkPolicy";

    public V1ObjectMeta Metadata { get; set; } = new();

    public ClusterPolicySpec? Spec { get; set; }

    public V1Alpha1ConditionsStatus? Status { get; set; }
}

/// <summary>An AdminNetworkPolicy (policy.networking.k8s.io/v1alpha1), the predecessor of the Admin tier.</summary>
public sealed class V1Alpha1AdminNetworkPolicy : IKubernetesObject
{
    public string ApiVersion { get; set; } = "policy.networking.k8s.io/v1alpha1";

    public string Kind { get; set; } = "AdminNetworkPolicy";

    public V1ObjectMeta Metadata { get; set; } = new();

    public ClusterPolicySpec? Spec { get; set; }

    public V1Alpha1ConditionsStatus? Status { get; set; }
}

/// <summary>The BaselineAdminNetworkPolicy (policy.networking.k8s.io/v1alpha1), the predecessor of the Baseline tier; named <c>default</c>.</summary>
public sealed class V1Alpha1BaselineAdminNetworkPolicy : IKubernetesObject
{
    public string ApiVersion { get; set; } = "policy.networking.k8s.io/v1alpha1";

    public string Kind { get; set; } = "BaselineAdminNetworkPolicy";

    public V1ObjectMeta Metadata { get; set; } = new();

    public ClusterPolicySpec? Spec { get; set; }

    public V1Alpha1ConditionsStatus? Status { get; set; }
}

/// <summary>The specification of all three kinds; each has the fields that its API has.</summary>
public sealed class ClusterPolicySpec
{
    /// <summary><c>Admin</c> or <c>Baseline</c>; ClusterNetworkPolicy only.</summary>
    public string? Tier { get; set; }

    /// <summary>0 to 1000, lower first; not of BaselineAdminNetworkPolicy.</summary>
    public int? Priority { get; set; }

    public ClusterPolicyPeer? Subject { get; set; }

    public List<ClusterPolicyRule>? Ingress { get; set; }

    public List<ClusterPolicyRule>? Egress { get; set; }
}

/// <summary>A rule, ingress with <see cref="FromProperty"/>, egress with <see cref="To"/>.</summary>
public sealed class ClusterPolicyRule
{
    public string? Name { get; set; }

    /// <summary><c>Accept</c> (v1alpha1: <c>Allow</c>), <c>Deny</c> or <c>Pass</c>.</summary>
    public string? Action { get; set; }

    [JsonPropertyName("from")]
    public List<ClusterPolicyPeer>? FromProperty { get; set; }

    public List<ClusterPolicyPeer>? To { get; set; }

    /// <summary>v1alpha2.</summary>
    public List<ClusterPolicyProtocol>? Protocols { get; set; }

    /// <summary>v1alpha1.</summary>
    public List<AdminPolicyPort>? Ports { get; set; }
}

/// <summary>A subject or peer: exactly one field is given.</summary>
public sealed class ClusterPolicyPeer
{
    public V1LabelSelector? Namespaces { get; set; }

    public NamespacedPods? Pods { get; set; }

    public V1LabelSelector? Nodes { get; set; }

    public List<string>? Networks { get; set; }

    public List<string>? DomainNames { get; set; }
}

/// <summary>Pods by the labels of their namespace and their own.</summary>
public sealed class NamespacedPods
{
    public V1LabelSelector? NamespaceSelector { get; set; }

    public V1LabelSelector? PodSelector { get; set; }
}

/// <summary>v1alpha2: a protocol and what of it; exactly one field is given.</summary>
public sealed class ClusterPolicyProtocol
{
    public ClusterPolicyDestination? Tcp { get; set; }

    public ClusterPolicyDestination? Udp { get; set; }

    public ClusterPolicyDestination? Sctp { get; set; }

    public string? DestinationNamedPort { get; set; }
}

public sealed class ClusterPolicyDestination
{
    public ClusterPolicyPort? DestinationPort { get; set; }
}

/// <summary>A number or a range.</summary>
public sealed class ClusterPolicyPort
{
    public int? Number { get; set; }

    public ClusterPolicyPortRange? Range { get; set; }
}

public sealed class ClusterPolicyPortRange
{
    public string? Protocol { get; set; }

    public int Start { get; set; }

    public int End { get; set; }
}

/// <summary>v1alpha1: exactly one field is given.</summary>
public sealed class AdminPolicyPort
{
    public AdminPolicyPortNumber? PortNumber { get; set; }

    public string? NamedPort { get; set; }

    public ClusterPolicyPortRange? PortRange { get; set; }
}

public sealed class AdminPolicyPortNumber
{
    public string? Protocol { get; set; }

    public int Port { get; set; }
}
