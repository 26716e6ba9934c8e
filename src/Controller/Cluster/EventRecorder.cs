using System.Threading.Channels;
using Weft.Controller.Network;
using Weft.Kubernetes;

namespace Weft.Controller.Cluster;

/// <summary>Writes events on objects, for what their owner must fix. The same one is written at most once in ten minutes.</summary>
public sealed partial class EventRecorder(KubernetesClient client, Leadership leadership, TimeProvider time, ILogger<EventRecorder> logger) : BackgroundService
{
    private static readonly TimeSpan Quiet = TimeSpan.FromMinutes(10);

    // Events are hints: when there are too many, the newest are dropped.
    private readonly Channel<Corev1Event> _events = Channel.CreateBounded<Corev1Event>(new BoundedChannelOptions(1000) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Dictionary<string, DateTimeOffset> _last = new(StringComparer.Ordinal);

    /// <summary>Queues a warning. Does not block.</summary>
    public void Warn(IKubernetesObject about, string reason, string message)
    {
        var now = time.GetUtcNow();
        var (kind, apiVersion) = about switch
        {
            V1Node n => (n.Kind, n.ApiVersion),
            V1Pod p => (p.Kind, p.ApiVersion),
            V1NetworkPolicy p => (p.Kind, p.ApiVersion),
            V1Alpha2ClusterNetworkPolicy p => (ClusterPolicy.ClusterKind, p.ApiVersion),
            V1Alpha1AdminNetworkPolicy p => (ClusterPolicy.AdminKind, p.ApiVersion),
            V1Alpha1BaselineAdminNetworkPolicy p => (ClusterPolicy.BaselineKind, p.ApiVersion),
            V1Service s => (s.Kind, s.ApiVersion),
            V1EndpointSlice s => (s.Kind, s.ApiVersion),
            _ => (about.GetType().Name, "v1"),
        };
        _events.Writer.TryWrite(new Corev1Event
        {
            // Events of cluster-wide objects live in "default".
            Metadata = new V1ObjectMeta { GenerateName = about.Metadata.Name + ".", NamespaceProperty = about.Metadata.NamespaceProperty ?? "default" },
            InvolvedObject = new V1ObjectReference
            {
                ApiVersion = apiVersion,
                Kind = kind,
                Name = about.Metadata.Name,
                NamespaceProperty = about.Metadata.NamespaceProperty,
                Uid = about.Metadata.Uid,
            },
            Type = "Warning",
            Reason = reason,
            Message = message,
            Source = new V1EventSource { Component = "weft-controller" },
            ReportingComponent = "weft-controller",
            Count = 1,
            FirstTimestamp = now,
            LastTimestamp = now,
        });
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var item in _events.Reader.ReadAllAsync(stoppingToken).ConfigureAwait(false))
        {
            var key = $"{item.InvolvedObject.Kind}/{item.InvolvedObject.NamespaceProperty}/{item.InvolvedObject.Name}/{item.Reason}/{item.Message}";
            await leadership.WaitAsync(stoppingToken).ConfigureAwait(false);
            if (_last.TryGetValue(key, out var written) && item.LastTimestamp - written < Quiet)
            {
                continue;
            }

            if (_last.Count > 10_000)
            {
                _last.Clear();
            }

            try
            {
                await client.CreateAsync(Resources.Events, item.Metadata.NamespaceProperty, item, stoppingToken).ConfigureAwait(false);
                _last[key] = item.LastTimestamp!.Value;
                ControllerMetrics.Events.Add(1);
            }
            catch (KubernetesException e)
            {
                // The log still has what the event says.
                LogFailed(logger, item.Reason!, item.InvolvedObject.Name!, item.Message!, e.Message);
            }
        }
    }

    [LoggerMessage(4010, LogLevel.Warning, "Event {Reason} on {Name} ({Text}) was not written: {Failure}")]
    private static partial void LogFailed(ILogger logger, string reason, string name, string text, string failure);
}
