using System.Text.Json.Serialization;
using Weft.Kubernetes;

namespace Weft.Controller;

/// <summary><c>weft-controller wait-for-daemonset</c>: what the chart's clean-up Job runs.</summary>
internal static class CleanupWait
{
    private static readonly ResourceType<DaemonSetStatusOnly> DaemonSets = new("apps", "v1", "daemonsets", CleanupWaitJson.Default.DaemonSetStatusOnly);

    /// <summary>Waits until every pod of a DaemonSet is ready.</summary>
    /// <returns>0, or 1 when the DaemonSet is gone.</returns>
    public static async Task<int> RunAsync(string ns, string name)
    {
        using var client = new KubernetesClient(ClusterConnection.Load(null));
        while (true)
        {
            var set = await client.ReadAsync(DaemonSets, ns, name, CancellationToken.None);
            if (set is null)
            {
                await Console.Error.WriteLineAsync($"there is no DaemonSet {ns}/{name}");
                return 1;
            }

            if (set.Status is { DesiredNumberScheduled: > 0 } status && status.NumberReady >= status.DesiredNumberScheduled)
            {
                await Console.Out.WriteLineAsync($"{status.NumberReady} nodes are clean");
                return 0;
            }

            await Task.Delay(TimeSpan.FromSeconds(1));
        }
    }
}

/// <summary>The part of a DaemonSet that counts here.</summary>
internal sealed class DaemonSetStatusOnly : IKubernetesObject
{
    public string ApiVersion { get; set; } = "apps/v1";

    public string Kind { get; set; } = "DaemonSet";

    public V1ObjectMeta Metadata { get; set; } = new();

    public DaemonSetCounts? Status { get; set; }
}

/// <summary>How many pods there are and should be.</summary>
internal sealed class DaemonSetCounts
{
    public int DesiredNumberScheduled { get; set; }

    public int NumberReady { get; set; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(DaemonSetStatusOnly))]
internal sealed partial class CleanupWaitJson : JsonSerializerContext
{
}
