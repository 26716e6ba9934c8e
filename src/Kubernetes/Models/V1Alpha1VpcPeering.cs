namespace Weft.Kubernetes;

/// <summary>One side's consent to join two Vpcs (weft.dev).</summary>
public sealed class V1Alpha1VpcPeering : IKubernetesObject
{
    public string ApiVersion { get; set; } = "weft.dev/v1alpha1";

    public string Kind { get; set; } = "VpcPeering";

    public V1ObjectMeta Metadata { get; set; } = new();

    public V1Alpha1VpcPeeringSpec? Spec { get; set; }

    public V1Alpha1ConditionsStatus? Status { get; set; }
}

public sealed class V1Alpha1VpcPeeringSpec
{
    public string? Vpc { get; set; }

    public string? PeerVpc { get; set; }

    /// <summary>Subnets of <see cref="Vpc"/> that take part; none: all.</summary>
    public List<string>? Subnets { get; set; }
}

public sealed class V1Alpha1ConditionsStatus
{
    public List<V1Condition>? Conditions { get; set; }
}
