using System.Text.Json.Serialization;

namespace Weft.Kubernetes;

/// <summary>The JSON of the Kubernetes types: camelCase, absent where null. Fields that Weft does not use are skipped while reading.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(V1Pod))]
[JsonSerializable(typeof(V1ConfigMap))]
[JsonSerializable(typeof(V1Node))]
[JsonSerializable(typeof(V1Namespace))]
[JsonSerializable(typeof(V1Service))]
[JsonSerializable(typeof(V1EndpointSlice))]
[JsonSerializable(typeof(V1NetworkPolicy))]
[JsonSerializable(typeof(V1Alpha2ClusterNetworkPolicy))]
[JsonSerializable(typeof(V1Alpha1AdminNetworkPolicy))]
[JsonSerializable(typeof(V1Alpha1BaselineAdminNetworkPolicy))]
[JsonSerializable(typeof(V1Lease))]
[JsonSerializable(typeof(V1TokenReview))]
[JsonSerializable(typeof(V1SubjectAccessReview))]
[JsonSerializable(typeof(Corev1Event))]
[JsonSerializable(typeof(V1NodeStatus))]
[JsonSerializable(typeof(V1Alpha1Vpc))]
[JsonSerializable(typeof(V1Alpha1Subnet))]
[JsonSerializable(typeof(V1Alpha1VpcPeering))]
[JsonSerializable(typeof(V1Alpha1AddressPool))]
[JsonSerializable(typeof(V1Status))]
[JsonSerializable(typeof(V1ListMeta))]
public sealed partial class KubernetesJson : JsonSerializerContext
{
}
