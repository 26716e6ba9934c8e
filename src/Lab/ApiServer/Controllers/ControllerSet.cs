using Microsoft.Extensions.Logging;

namespace Weft.Lab.ApiServer;

/// <summary>Starts the controllers of one API server.</summary>
public static class ControllerSet
{
    /// <summary>Completes when all of them have ended after the token is cancelled.</summary>
    public static Task RunAsync(
        ObjectOperations operations, ApiServerOptions options, AggregatedApis aggregated, Uri server, string authority, ILoggerFactory loggers, CancellationToken stop)
    {
        SystemObjects.Ensure(operations, options, server, authority);
        var logger = loggers.CreateLogger("controllers");
        Controller[] all =
        [
            new DefinitionController(operations, logger),
            new NamespaceController(operations, logger, authority),
            new NodeIpamController(operations, logger, options.ClusterCidrs),
            new SchedulerController(operations, logger),
            new EndpointSliceController(operations, logger),
            new GarbageCollector(operations, logger),
            new DeploymentController(operations, logger),
            new ReplicaSetController(operations, logger),
            new DaemonSetController(operations, logger),
            new StatefulSetController(operations, logger),
        ];
        var tasks = all.Where(c => !options.DisabledControllers.Contains(c.Name)).Select(c => Task.Run(() => c.RunAsync(stop), CancellationToken.None))
            .Append(Task.Run(() => WatchAggregatedAsync(operations, aggregated, stop), CancellationToken.None));
        return Task.WhenAll(tasks);
    }

    /// <summary>Keeps the list of resources of aggregated APIs and the Available condition of their APIServices.</summary>
    private static async Task WatchAggregatedAsync(ObjectOperations operations, AggregatedApis aggregated, CancellationToken stop)
    {
        var type = operations.Registry.Find("apiregistration.k8s.io", "v1", "apiservices")!;
        try
        {
            while (true)
            {
                foreach (var (name, error) in await aggregated.RefreshAsync(stop))
                {
                    SetAvailable(operations, type, name, error);
                }

                using var wake = CancellationTokenSource.CreateLinkedTokenSource(stop);
                operations.Store.TryRead(type.StorageKey, operations.Store.Revision, [], 0, out _, out var changed);
                await Task.WhenAny(changed, Task.Delay(TimeSpan.FromSeconds(2), wake.Token));
                await wake.CancelAsync();
                stop.ThrowIfCancellationRequested();
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Told to stop.
        }
    }

    private static void SetAvailable(ObjectOperations operations, ResourceType type, string name, string? error)
    {
        try
        {
            operations.Update(type, "", name, tree =>
            {
                PodConditions.Set(tree, "Available", error is null ? "True" : "False", error is null ? "Passed" : "FailedDiscoveryCheck",
                    error ?? "all checks passed", operations.Time.GetUtcNow());
                return tree;
            }, WriteOptions.Internal, "status");
        }
        catch (ApiException e) when (e.Code == 404)
        {
            // Deleted since it was asked.
        }
    }
}
