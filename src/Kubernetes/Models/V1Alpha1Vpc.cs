namespace Weft.Kubernetes;

/// <summary>A tenant network (weft.dev): a logical router with the Subnets that name it.</summary>
public sealed class V1Alpha1Vpc : IKubernetesObject
{
    public string ApiVersion { get; set; } = "weft.dev/v1alpha1";

    public string Kind { get; set; } = "Vpc";

    public V1ObjectMeta Metadata { get; set; } = new();

    public V1Alpha1VpcSpec? Spec { get; set; }

    public V1Alpha1VpcStatus? Status { get; set; }
}

public sealed class V1Alpha1VpcSpec
{
    public List<string>? Namespaces { get; set; }

    public V1LabelSelector? NamespaceSelector { get; set; }

    public string? DefaultSubnet { get; set; }

    public bool? NatOutgoing { get; set; }

    public List<V1Alpha1StaticRoute>? StaticRoutes { get; set; }

    public List<V1Alpha1ServiceName>? SharedServices { get; set; }

    public V1Alpha1Quota? Quota { get; set; }
}

/// <summary>A destination behind an address of the Vpc.</summary>
public sealed class V1Alpha1StaticRoute
{
    public string? Cidr { get; set; }

    public string? NextHopIP { get; set; }
}

/// <summary>Names a Service of the default network.</summary>
public sealed class V1Alpha1ServiceName
{
    public string? Namespace { get; set; }

    public string? Name { get; set; }
}

/// <summary>Limits of a Vpc; null is no limit.</summary>
public sealed class V1Alpha1Quota
{
    public int? Ports { get; set; }

    public int? Addresses { get; set; }
}

public sealed class V1Alpha1VpcStatus
{
    public int? NetworkKey { get; set; }

    public List<string>? Subnets { get; set; }

    public int? Ports { get; set; }

    public int? Addresses { get; set; }

    public int? Nodes { get; set; }

    public List<V1Condition>? Conditions { get; set; }
}
