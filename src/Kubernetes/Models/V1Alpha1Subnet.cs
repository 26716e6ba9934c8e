namespace Weft.Kubernetes;

/// <summary>A logical switch of a Vpc (weft.dev) that spans all nodes.</summary>
public sealed class V1Alpha1Subnet : IKubernetesObject
{
    public string ApiVersion { get; set; } = "weft.dev/v1alpha1";

    public string Kind { get; set; } = "Subnet";

    public V1ObjectMeta Metadata { get; set; } = new();

    public V1Alpha1SubnetSpec? Spec { get; set; }

    public V1Alpha1SubnetStatus? Status { get; set; }
}

public sealed class V1Alpha1SubnetSpec
{
    public string? Vpc { get; set; }

    public List<string>? Cidrs { get; set; }

    public List<string>? Gateways { get; set; }

    /// <summary>Addresses and ranges (<c>10.0.0.5..10.0.0.9</c>).</summary>
    public List<string>? ExcludeIPs { get; set; }

    public List<string>? Namespaces { get; set; }

    public V1LabelSelector? NamespaceSelector { get; set; }

    public bool? Private { get; set; }

    public List<string>? AllowSubnets { get; set; }

    public int? Mtu { get; set; }

    /// <summary><c>Dynamic</c> or <c>Static</c>.</summary>
    public string? Ipam { get; set; }
}

public sealed class V1Alpha1SubnetStatus
{
    public List<string>? Namespaces { get; set; }

    public long? UsedIPs { get; set; }

    /// <summary>A number as text: an IPv6 range has more than JSON numbers hold.</summary>
    public string? AvailableIPs { get; set; }

    public List<V1Condition>? Conditions { get; set; }
}
