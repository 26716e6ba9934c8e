using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Weft.Lab.Kubelet;
using Weft.Lab.Net;

namespace Weft.Lab.Cluster;

/// <summary>A pod as the lab's user sees it.</summary>
/// <param name="Namespace">Its Kubernetes namespace.</param>
/// <param name="Name">Its name.</param>
/// <param name="Node">Where it runs; empty when nowhere yet.</param>
/// <param name="Phase"><c>status.phase</c>.</param>
/// <param name="Ready">Its condition of that name.</param>
/// <param name="Deleting">It is being deleted.</param>
/// <param name="Addresses">IPv4 first.</param>
/// <param name="Netns">Its network namespace on this machine; null when it has none of its own (yet).</param>
/// <param name="CniAddMilliseconds">How long the plugin's ADD took.</param>
/// <param name="Problem">Why it is not ready, when the kubelet says so.</param>
public sealed record PodView(
    string Namespace, string Name, string Node, string Phase, bool Ready, bool Deleting,
    IReadOnlyList<IPAddress> Addresses, Netns? Netns, double? CniAddMilliseconds, string Problem)
{
    /// <summary>Reads the pods of a list.</summary>
    public static IReadOnlyList<PodView> ReadList(JsonObject list) =>
        [.. list["items"]!.AsArray().Select(p => Read(p!.AsObject()))
            .OrderBy(p => p.Namespace, StringComparer.Ordinal).ThenBy(p => p.Name, StringComparer.Ordinal)];

    /// <summary>Reads one.</summary>
    public static PodView Read(JsonObject pod)
    {
        var status = pod["status"];
        var annotations = pod["metadata"]!["annotations"];
        var ready = status?["conditions"]?.AsArray().FirstOrDefault(c => (string?)c!["type"] == "Ready");
        return new PodView(
            (string)pod["metadata"]!["namespace"]!,
            (string)pod["metadata"]!["name"]!,
            (string?)pod["spec"]!["nodeName"] ?? "",
            (string?)status?["phase"] ?? "Pending",
            (string?)ready?["status"] == "True",
            pod["metadata"]!["deletionTimestamp"] is not null,
            [.. (status?["podIPs"]?.AsArray() ?? []).Select(ip => IPAddress.Parse((string)ip!["ip"]!))],
            (string?)annotations?[Annotations.Netns] is { } name ? new Netns(name) : null,
            double.TryParse((string?)annotations?[Annotations.CniAddMilliseconds], CultureInfo.InvariantCulture, out var ms) ? ms : null,
            (string?)ready?["message"] ?? "");
    }
}
