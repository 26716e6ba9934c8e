using System.Text.Json.Serialization.Metadata;

namespace Weft.Kubernetes;

/// <summary>A kind of object: where the API server serves it and how it is read.</summary>
/// <param name="Group">The API group; empty for the core group.</param>
/// <param name="Version">The version, for example <c>v1</c>.</param>
/// <param name="Plural">The name in paths, for example <c>pods</c>.</param>
/// <param name="Json">Reads and writes one object.</param>
public sealed record ResourceType<T>(string Group, string Version, string Plural, JsonTypeInfo<T> Json)
    where T : class, IKubernetesObject
{
    /// <summary>The path of all objects, of all namespaces or of one.</summary>
    public string CollectionPath(string? ns = null) =>
        (Group.Length == 0 ? $"/api/{Version}" : $"/apis/{Group}/{Version}")
        + (ns is null ? "" : $"/namespaces/{Uri.EscapeDataString(ns)}") + $"/{Plural}";

    /// <summary>The path of one object; <paramref name="ns"/> is null for cluster-wide kinds.</summary>
    public string ObjectPath(string? ns, string name, string? subresource = null) =>
        $"{CollectionPath(ns)}/{Uri.EscapeDataString(name)}{(subresource is null ? "" : "/" + subresource)}";

    /// <inheritdoc/>
    public override string ToString() => Group.Length == 0 ? Plural : $"{Plural}.{Group}";
}

/// <summary>The kinds that Weft uses.</summary>
public static class Resources
{
    public static readonly ResourceType<V1Pod> Pods = new("", "v1", "pods", KubernetesJson.Default.V1Pod);
    public static readonly ResourceType<V1Node> Nodes = new("", "v1", "nodes", KubernetesJson.Default.V1Node);
    public static readonly ResourceType<V1Namespace> Namespaces = new("", "v1", "namespaces", KubernetesJson.Default.V1Namespace);
    public static readonly ResourceType<V1Service> Services = new("", "v1", "services", KubernetesJson.Default.V1Service);
    public static readonly ResourceType<V1ConfigMap> ConfigMaps = new("", "v1", "configmaps", KubernetesJson.Default.V1ConfigMap);
    public static readonly ResourceType<Corev1Event> Events = new("", "v1", "events", KubernetesJson.Default.Corev1Event);

    public static readonly ResourceType<V1EndpointSlice> EndpointSlices =
        new("discovery.k8s.io", "v1", "endpointslices", KubernetesJson.Default.V1EndpointSlice);

    public static readonly ResourceType<V1NetworkPolicy> NetworkPolicies =
        new("networking.k8s.io", "v1", "networkpolicies", KubernetesJson.Default.V1NetworkPolicy);

    public static readonly ResourceType<V1Alpha2ClusterNetworkPolicy> ClusterNetworkPolicies =
        new("policy.networking.k8s.io", "v1alpha2", "clusternetworkpolicies", KubernetesJson.Default.V1Alpha2ClusterNetworkPolicy);

    public static readonly ResourceType<V1Alpha1AdminNetworkPolicy> AdminNetworkPolicies =
        new("policy.networking.k8s.io", "v1alpha1", "adminnetworkpolicies", KubernetesJson.Default.V1Alpha1AdminNetworkPolicy);

    public static readonly ResourceType<V1Alpha1BaselineAdminNetworkPolicy> BaselineAdminNetworkPolicies =
        new("policy.networking.k8s.io", "v1alpha1", "baselineadminnetworkpolicies", KubernetesJson.Default.V1Alpha1BaselineAdminNetworkPolicy);

    public static readonly ResourceType<V1Lease> Leases = new("coordination.k8s.io", "v1", "leases", KubernetesJson.Default.V1Lease);

    public static readonly ResourceType<V1TokenReview> TokenReviews =
        new("authentication.k8s.io", "v1", "tokenreviews", KubernetesJson.Default.V1TokenReview);

    public static readonly ResourceType<V1SubjectAccessReview> SubjectAccessReviews =
        new("authorization.k8s.io", "v1", "subjectaccessreviews", KubernetesJson.Default.V1SubjectAccessReview);

    public static readonly ResourceType<V1Alpha1Vpc> Vpcs = new("weft.dev", "v1alpha1", "vpcs", KubernetesJson.Default.V1Alpha1Vpc);
    public static readonly ResourceType<V1Alpha1Subnet> Subnets = new("weft.dev", "v1alpha1", "subnets", KubernetesJson.Default.V1Alpha1Subnet);

    public static readonly ResourceType<V1Alpha1VpcPeering> VpcPeerings =
        new("weft.dev", "v1alpha1", "vpcpeerings", KubernetesJson.Default.V1Alpha1VpcPeering);

    public static readonly ResourceType<V1Alpha1AddressPool> AddressPools =
        new("weft.dev", "v1alpha1", "addresspools", KubernetesJson.Default.V1Alpha1AddressPool);
}
