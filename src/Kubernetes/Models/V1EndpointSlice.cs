namespace Weft.Kubernetes;

/// <summary>A part of a Service's endpoints; the Service is named by the label <c>kubernetes.io/service-name</c>.</summary>
public sealed class V1EndpointSlice : IKubernetesObject
{
    public string ApiVersion { get; set; } = "discovery.k8s.io/v1";

    public string Kind { get; set; } = "EndpointSlice";

    public V1ObjectMeta Metadata { get; set; } = new();

    /// <summary><c>IPv4</c>, <c>IPv6</c> or <c>FQDN</c>.</summary>
    public string? AddressType { get; set; }

    public List<V1Endpoint>? Endpoints { get; set; }

    public List<V1EndpointPort>? Ports { get; set; }
}

public sealed class V1Endpoint
{
    public List<string>? Addresses { get; set; }

    public V1EndpointConditions? Conditions { get; set; }

    public string? NodeName { get; set; }

    public string? Hostname { get; set; }

    public V1EndpointHints? Hints { get; set; }
}

public sealed class V1EndpointConditions
{
    public bool? Ready { get; set; }

    public bool? Serving { get; set; }

    public bool? Terminating { get; set; }
}

public sealed class V1EndpointHints
{
    public List<V1ForZone>? ForZones { get; set; }

    public List<V1ForNode>? ForNodes { get; set; }
}

public sealed class V1ForZone
{
    public string? Name { get; set; }
}

public sealed class V1ForNode
{
    public string? Name { get; set; }
}

public sealed class V1EndpointPort
{
    public string? Name { get; set; }

    public int? Port { get; set; }

    public string? Protocol { get; set; }
}
