using System.Threading.Channels;
using Weft.Controller.Network;
using Weft.Controller.Publish;
using Weft.Kubernetes;

namespace Weft.Controller.Cluster;

/// <summary>Watches Kubernetes and hands what it says to the publisher, in batches; says when all watches are in sync.</summary>
public sealed partial class ClusterWatcher(
    KubernetesClient client, Publisher publisher, NodeConditions conditions, EventRecorder events, TenantWriter tenants, PolicyConditions policies, TimeProvider time, ILogger<ClusterWatcher> logger) : BackgroundService
{
    /// <summary>Changes that are applied as one revision at most; readers get their turn between two batches.</summary>
    private const int LargestBatch = 1024;

    private readonly Channel<ClusterChange> _changes =
        Channel.CreateBounded<ClusterChange>(new BoundedChannelOptions(16 * LargestBatch) { SingleReader = true });

    private int _unsynced;

    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken)
    {
        Func<CancellationToken, Task>[] watches =
        [
            ct => WatchAsync(Resources.Nodes, ct),
            ct => WatchAsync(Resources.Namespaces, ct),
            ct => WatchAsync(Resources.Pods, ct),
            ct => WatchAsync(Resources.NetworkPolicies, ct),
            ct => WatchAsync(Resources.Services, ct),
            ct => WatchAsync(Resources.EndpointSlices, ct),
            ct => WatchOptionalAsync(Resources.Vpcs, ct),
            ct => WatchOptionalAsync(Resources.Subnets, ct),
            ct => WatchOptionalAsync(Resources.VpcPeerings, ct),
            ct => WatchOptionalAsync(Resources.AddressPools, ct),
            ct => WatchOptionalAsync(Resources.ClusterNetworkPolicies, ct),
            ct => WatchOptionalAsync(Resources.AdminNetworkPolicies, ct),
            ct => WatchOptionalAsync(Resources.BaselineAdminNetworkPolicies, ct),
        ];
        _unsynced = watches.Length;
        return Task.WhenAll(watches.Select(w => w(stoppingToken)).Append(ApplyAsync(stoppingToken)));
    }

    private async Task WatchAsync<T>(ResourceType<T> type, CancellationToken ct)
        where T : class, IKubernetesObject
    {
        var reflector = new Reflector<T>(client, type, time, (e, wait) => LogWatch(logger, type.ToString(), e.Message, wait.TotalSeconds));
        await foreach (var step in reflector.RunAsync(ct).ConfigureAwait(false))
        {
            await _changes.Writer.WriteAsync(new ClusterChange(type.Plural, step.Type, step.Key, step.Object, step.Problem), ct).ConfigureAwait(false);
        }
    }

    /// <summary>A kind that a cluster need not have: while the API server does not serve it, there are none.</summary>
    private async Task WatchOptionalAsync<T>(ResourceType<T> type, CancellationToken ct)
        where T : class, IKubernetesObject
    {
        var synced = 0;
        void Synced()
        {
            if (Interlocked.Exchange(ref synced, 1) == 0)
            {
                _ = _changes.Writer.WriteAsync(new ClusterChange(type.Plural, ResourceEventType.Synced, default, null, null), ct).AsTask();
            }
        }

        var reflector = new Reflector<T>(client, type, time, (e, wait) =>
        {
            if (e.StatusCode == System.Net.HttpStatusCode.NotFound)
            {
                Synced();
            }
            else
            {
                LogWatch(logger, type.ToString(), e.Message, wait.TotalSeconds);
            }
        });
        await foreach (var step in reflector.RunAsync(ct).ConfigureAwait(false))
        {
            if (step.Type == ResourceEventType.Synced)
            {
                Synced();
                continue;
            }

            await _changes.Writer.WriteAsync(new ClusterChange(type.Plural, step.Type, step.Key, step.Object, step.Problem), ct).ConfigureAwait(false);
        }
    }

    private async Task ApplyAsync(CancellationToken ct)
    {
        var batch = new List<ClusterChange>(LargestBatch);
        while (await _changes.Reader.WaitToReadAsync(ct).ConfigureAwait(false))
        {
            batch.Clear();
            while (batch.Count < LargestBatch && _changes.Reader.TryRead(out var change))
            {
                batch.Add(change);
            }

            publisher.Apply(network => batch.ForEach(change => Apply(change, network)));
            tenants.Wake();
            await TellAgainAsync(ct).ConfigureAwait(false);
            foreach (var change in batch)
            {
                After(change);
            }
        }
    }

    /// <summary>Policies are not kept; those of a namespace that moved to another network are read again.</summary>
    private async Task TellAgainAsync(CancellationToken ct)
    {
        foreach (var key in publisher.Take(n => n.TakePoliciesToTellAgain()))
        {
            try
            {
                var policy = await client.ReadAsync(Resources.NetworkPolicies, key.Namespace, key.Name, ct).ConfigureAwait(false);
                if (policy is not null)
                {
                    publisher.Apply(n => Apply(new ClusterChange("networkpolicies", ResourceEventType.Upsert, key, policy, null), n));
                }
            }
            catch (KubernetesException e)
            {
                // Its pods stay isolated, for the old network's addresses mean nothing in the new one.
                LogWatch(logger, $"networkpolicies {key}", e.Message, 0);
                publisher.Apply(n => n.TellPolicyAgain(key));
            }
        }
    }

    private void Apply(ClusterChange change, LogicalNetwork network)
    {
        try
        {
            var problems = change.ApplyTo(network);
            if (change.Object is { } taken && change.Type == ResourceEventType.Upsert)
            {
                policies.Tell(taken, problems, inForce: true);
            }

            foreach (var problem in problems)
            {
                LogPartly(logger, change.Kind, change.Key, problem);
                events.Warn(change.Object!, "InvalidForWeft", problem);
            }
        }
        catch (InvalidObjectException e)
        {
            LogInvalid(logger, change.Kind, change.Key, e.Message);
            events.Warn(change.Object!, "InvalidForWeft", e.Message);
            policies.Tell(change.Object!, [e.Message], inForce: false);
        }
    }

    private void After(ClusterChange change)
    {
        switch (change)
        {
            case { Type: ResourceEventType.Synced }:
                LogSynced(logger, change.Kind);
                if (--_unsynced == 0)
                {
                    publisher.MarkSynced();
                    LogAllSynced(logger);
                }

                break;
            case { Type: ResourceEventType.Unreadable }:
                LogInvalid(logger, change.Kind, change.Key, change.Problem!);
                break;
            case { Object: V1Node node }:
                conditions.Seen(node);
                break;
            case { Kind: "nodes", Type: ResourceEventType.Delete }:
                conditions.Gone(change.Key.Name);
                break;
            default:
                break;
        }
    }

    [LoggerMessage(4000, LogLevel.Information, "Every {Kind} is known")]
    private static partial void LogSynced(ILogger logger, string kind);

    [LoggerMessage(4001, LogLevel.Information, "In sync with Kubernetes: agents are served")]
    private static partial void LogAllSynced(ILogger logger);

    [LoggerMessage(4002, LogLevel.Warning, "Watching {Kind} failed: {Reason}; again in {Seconds:0.0} s")]
    private static partial void LogWatch(ILogger logger, string kind, string reason, double seconds);

    [LoggerMessage(4004, LogLevel.Warning, "{Kind} {Object} is used but for a part of it: {Reason}")]
    private static partial void LogPartly(ILogger logger, string kind, ObjectKey @object, string reason);

    [LoggerMessage(4003, LogLevel.Warning, "{Kind} {Object} is skipped: {Reason}")]
    private static partial void LogInvalid(ILogger logger, string kind, ObjectKey @object, string reason);
}
