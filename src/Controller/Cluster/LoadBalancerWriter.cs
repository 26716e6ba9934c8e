using System.Text;
using System.Text.Json.Nodes;
using Weft.Controller.Network.LoadBalancers;
using Weft.Controller.Publish;
using Weft.Kubernetes;

namespace Weft.Controller.Cluster;

/// <summary>Writes the addresses that load balancers get from the cluster's own pools into their status. Only the leader writes.</summary>
/// <remarks>Nobody uses an address before the watch tells it back. Each write names the version that it was decided for: two leaders never both succeed.</remarks>
public sealed partial class LoadBalancerWriter(KubernetesClient client, Publisher publisher, Leadership leadership, EventRecorder events, ILogger<LoadBalancerWriter> logger)
    : BackgroundService
{
    private const int LargestBatch = 32;
    private static readonly TimeSpan LookAfter = TimeSpan.FromMilliseconds(50);
    private readonly Dictionary<ObjectKey, string> _told = [];

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!publisher.Read(n => n.LoadBalancerPools.HasPools))
        {
            return;
        }

        await publisher.Synced.WaitAsync(stoppingToken).ConfigureAwait(false);
        while (!stoppingToken.IsCancellationRequested)
        {
            await leadership.WaitAsync(stoppingToken).ConfigureAwait(false);
            var decisions = publisher.Take(n => n.LoadBalancerPools.HasWaiting ? n.LoadBalancerPools.Decide(LargestBatch) : []);
            await Task.WhenAll(decisions.Select(d => WriteAsync(d, stoppingToken))).ConfigureAwait(false);
            if (decisions.Count == 0)
            {
                await Task.Delay(LookAfter, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task WriteAsync(PoolDecision decision, CancellationToken ct)
    {
        var service = decision.Service;
        Tell(decision);
        var ingress = new JsonArray([.. decision.Addresses.Select(a => new JsonObject { ["ip"] = a, ["ipMode"] = "VIP" })]);
        var patch = new JsonObject
        {
            ["metadata"] = new JsonObject { ["resourceVersion"] = service.Metadata.ResourceVersion },
            ["status"] = new JsonObject { ["loadBalancer"] = new JsonObject { ["ingress"] = decision.Addresses.Count == 0 ? null : ingress } },
        };
        try
        {
            if (decision.Addresses.Count > 0 || service.Status?.LoadBalancer?.Ingress is { Count: > 0 })
            {
                await client.PatchAsync(
                    Resources.Services, service.Metadata.NamespaceProperty, service.Metadata.Name!, "status", PatchKind.Merge, Encoding.UTF8.GetBytes(patch.ToJsonString()), ct).ConfigureAwait(false);
                LogWritten(logger, ObjectKey.Of(service).ToString(), string.Join(", ", decision.Addresses));
            }
        }
        catch (KubernetesException e) when (e.StatusCode is System.Net.HttpStatusCode.NotFound or System.Net.HttpStatusCode.Conflict)
        {
            // Deleted, or another version by now: the watch tells it, and it is decided anew.
        }
        catch (KubernetesException e)
        {
            LogFailed(logger, ObjectKey.Of(service).ToString(), e.Message);
            await Task.Delay(TimeSpan.FromSeconds(1), ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            publisher.Apply(n => n.LoadBalancerPools.Retry(service));
        }
    }

    /// <summary>An event for people, once for each reason.</summary>
    private void Tell(PoolDecision decision)
    {
        var key = ObjectKey.Of(decision.Service);
        lock (_told)
        {
            if (decision.Problem is null)
            {
                _told.Remove(key);
                return;
            }

            if (_told.GetValueOrDefault(key) == decision.Problem)
            {
                return;
            }

            _told[key] = decision.Problem;
        }

        events.Warn(decision.Service, "NoLoadBalancerAddress", decision.Problem);
    }

    [LoggerMessage(4060, LogLevel.Information, "Load balancer {Service} has {Addresses}")]
    private static partial void LogWritten(ILogger logger, string service, string addresses);

    [LoggerMessage(4061, LogLevel.Warning, "The addresses of load balancer {Service} were not written, again in a second: {Failure}")]
    private static partial void LogFailed(ILogger logger, string service, string failure);
}
