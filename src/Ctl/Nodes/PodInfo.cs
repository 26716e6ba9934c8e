using System.Text.Json.Nodes;

namespace Weft.Ctl.Nodes;

/// <summary>A pod as Kubernetes shows it.</summary>
/// <param name="Id"><c>namespace/name</c>.</param>
/// <param name="Node">The node it is bound to; empty for none.</param>
/// <param name="Phase">For example <c>Running</c>.</param>
/// <param name="HostNetwork">It has no network of its own.</param>
public sealed record PodInfo(string Id, string Node, string Phase, bool HostNetwork)
{
    /// <summary>Reads a Pod object.</summary>
    public static PodInfo Read(JsonObject pod) => new(
        $"{pod["metadata"]!["namespace"]}/{pod["metadata"]!["name"]}",
        (string?)pod["spec"]?["nodeName"] ?? "",
        (string?)pod["status"]?["phase"] ?? "",
        (bool?)pod["spec"]?["hostNetwork"] ?? false);
}
