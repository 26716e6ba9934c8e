namespace Weft.Kubernetes;

/// <summary>Addresses of a Subnet that are kept for pods which ask for them (weft.dev).</summary>
public sealed class V1Alpha1AddressPool : IKubernetesObject
{
    public string ApiVersion { get; set; } = "weft.dev/v1alpha1";

    public string Kind { get; set; } = "AddressPool";

    public V1ObjectMeta Metadata { get; set; } = new();

    public V1Alpha1AddressPoolSpec? Spec { get; set; }

    public V1Alpha1AddressPoolStatus? Status { get; set; }
}

public sealed class V1Alpha1AddressPoolSpec
{
    public string? Subnet { get; set; }

    /// <summary>Addresses and ranges (<c>10.0.0.5..10.0.0.9</c>), in the order of StatefulSet ordinals.</summary>
    public List<string>? Ips { get; set; }

    public List<string>? Namespaces { get; set; }
}

public sealed class V1Alpha1AddressPoolStatus
{
    public long? UsedIPs { get; set; }

    public long? TotalIPs { get; set; }

    public List<V1Condition>? Conditions { get; set; }
}
