using System.Text.Json.Serialization;
using Weft.Topology;

namespace Weft.Cni;

/// <summary>The JSON of both directions, compiled: nothing is looked up at run time.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(CniRequest))]
[JsonSerializable(typeof(CniReply))]
[JsonSerializable(typeof(ErrorResult))]
[JsonSerializable(typeof(VersionResult))]
internal sealed partial class CniJsonContext : JsonSerializerContext
{
}

/// <summary>Specification section 5, "Error".</summary>
internal sealed record ErrorResult(string CniVersion, int Code, string Msg, string Details);

/// <summary>Specification section 5, "Version".</summary>
internal sealed record VersionResult(string CniVersion, string[] SupportedVersions);
