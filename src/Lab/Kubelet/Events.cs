using System.Globalization;
using System.Text.Json.Nodes;

namespace Weft.Lab.Kubelet;

/// <summary>Events about pods, for <c>kubectl describe</c>.</summary>
internal static class Events
{
    /// <summary>Writes one event. A server that does not take it is logged and else ignored: the status says the same.</summary>
    public static async Task WriteAsync(KubeletContext node, PodSpec pod, string type, string reason, string message)
    {
        var now = DateTimeOffset.UtcNow.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        var body = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Event",
            ["metadata"] = new JsonObject { ["generateName"] = pod.Name + ".", ["namespace"] = pod.Namespace },
            ["involvedObject"] = new JsonObject
            {
                ["apiVersion"] = "v1", ["kind"] = "Pod", ["namespace"] = pod.Namespace, ["name"] = pod.Name, ["uid"] = pod.Uid,
            },
            ["type"] = type,
            ["reason"] = reason,
            ["message"] = message.Length > 1000 ? message[..1000] : message,
            ["source"] = new JsonObject { ["component"] = "kubelet", ["host"] = node.Node },
            ["firstTimestamp"] = now,
            ["lastTimestamp"] = now,
            ["count"] = 1,
        };
        try
        {
            await node.Api.CreateAsync($"/api/v1/namespaces/{pod.Namespace}/events", body, CancellationToken.None);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or ClusterApiException)
        {
            node.Log($"{pod.Namespace}/{pod.Name}: event not written: {e.Message}");
        }
    }
}
