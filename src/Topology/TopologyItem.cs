using System.Text.Json.Serialization;

namespace Weft.Topology;

/// <summary>One object of the logical network, as one node sees it. Identified by its kind and <see cref="Id"/>.</summary>
/// <remarks>Items are immutable; a change replaces the item. References between items are by id.</remarks>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "kind", IgnoreUnrecognizedTypeDiscriminators = true,
    UnknownDerivedTypeHandling = JsonUnknownDerivedTypeHandling.FallBackToBaseType)]
[JsonDerivedType(typeof(ClusterSettings), "clusterSettings")]
[JsonDerivedType(typeof(Network), "network")]
[JsonDerivedType(typeof(LogicalSwitch), "logicalSwitch")]
[JsonDerivedType(typeof(LogicalRouter), "logicalRouter")]
[JsonDerivedType(typeof(NodeEndpoint), "nodeEndpoint")]
[JsonDerivedType(typeof(LogicalPort), "logicalPort")]
[JsonDerivedType(typeof(AddressSet), "addressSet")]
[JsonDerivedType(typeof(PortSet), "portSet")]
[JsonDerivedType(typeof(EndpointSet), "endpointSet")]
[JsonDerivedType(typeof(LoadBalancer), "loadBalancer")]
[JsonDerivedType(typeof(Policy), "policy")]
[JsonDerivedType(typeof(DnsName), "dnsName")]
public record TopologyItem
{
    /// <summary>Unique among items of the same kind. Never empty.</summary>
    public required string Id { get; init; }
}
