using System.Text.Json.Serialization;

namespace Weft.Topology;

/// <summary>The JSON of everything in this project: camelCase, enums by name, defaults left out, no null where the type has none.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
    RespectNullableAnnotations = true,
    AllowOutOfOrderMetadataProperties = true)]
[JsonSerializable(typeof(Frame))]
[JsonSerializable(typeof(TopologyItem))]
[JsonSerializable(typeof(NodeReport))]
[JsonSerializable(typeof(CniRequest))]
[JsonSerializable(typeof(CniReply))]
[JsonSerializable(typeof(Endpoint))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(StaticRoute))]
[JsonSerializable(typeof(SwitchSubnet))]
[JsonSerializable(typeof(NetworkPeer))]
[JsonSerializable(typeof(DnsHost))]
[JsonSerializable(typeof(PolicyRule))]
[JsonSerializable(typeof(IpBlock))]
[JsonSerializable(typeof(PortRange))]
[JsonSerializable(typeof(SetPatch))]
[JsonSerializable(typeof(ItemRef))]
[JsonSerializable(typeof(RealisedPort))]
[JsonSerializable(typeof(NodeProblem))]
public sealed partial class TopologyJson : JsonSerializerContext
{
}
