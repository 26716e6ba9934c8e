using System.Collections.Concurrent;
using System.Text.Json;
using System.Threading.Channels;
using Weft.Controller.Publish;
using Weft.Kubernetes;

namespace Weft.Controller.Cluster;

/// <summary>Keeps the condition <c>NetworkUnavailable</c> of each Node: true without a pod CIDR, false once the agent has realised its slice.</summary>
/// <remarks>The last word on a node stays until there is a better one: an agent that is silent does not make a working network unavailable.</remarks>
public sealed partial class NodeConditions : BackgroundService
{
    private const string ConditionType = "NetworkUnavailable";
    private readonly KubernetesClient _client;
    private readonly Leadership _leadership;
    private readonly NodeReports _reports;
    private readonly EventRecorder _events;
    private readonly TimeProvider _time;
    private readonly ILogger<NodeConditions> _logger;
    private readonly ConcurrentDictionary<string, V1Node> _nodes = new(StringComparer.Ordinal);
    private readonly Channel<string> _check = Channel.CreateUnbounded<string>(new UnboundedChannelOptions { SingleReader = true });
    private readonly ConcurrentDictionary<string, bool> _queued = new(StringComparer.Ordinal);

    /// <summary>Starts with no nodes.</summary>
    public NodeConditions(KubernetesClient client, Leadership leadership, NodeReports reports, EventRecorder events, TimeProvider time, ILogger<NodeConditions> logger)
    {
        (_client, _leadership, _reports, _events, _time, _logger) = (client, leadership, reports, events, time, logger);
        reports.Received += Queue;
        leadership.Gained += () => _nodes.Keys.ToList().ForEach(Queue);
    }

    /// <summary>Takes a node as it is now.</summary>
    public void Seen(V1Node node)
    {
        _nodes[node.Metadata.Name!] = node;
        Queue(node.Metadata.Name!);
    }

    /// <summary>Forgets a node.</summary>
    public void Gone(string node) => _nodes.TryRemove(node, out _);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var name in _check.Reader.ReadAllAsync(stoppingToken).ConfigureAwait(false))
        {
            _queued.TryRemove(name, out _);
            if (!_leadership.IsLeader || !_nodes.TryGetValue(name, out var node) || Wanted(node) is not { } wanted || IsThere(node, wanted))
            {
                continue;
            }

            try
            {
                await WriteAsync(name, wanted, stoppingToken).ConfigureAwait(false);
                LogWritten(_logger, name, wanted.Status, wanted.Reason!);
                if (wanted.Status == "True")
                {
                    _events.Warn(node, wanted.Reason!, wanted.Message!);
                }
            }
            catch (KubernetesException e)
            {
                LogFailed(_logger, name, e.Message);
                _ = QueueLaterAsync(name, stoppingToken);
            }
        }
    }

    private static bool IsThere(V1Node node, V1NodeCondition wanted) =>
        node.Status?.Conditions?.Find(c => c.Type == ConditionType) is { } now && now.Status == wanted.Status && now.Reason == wanted.Reason;

    private V1NodeCondition? Wanted(V1Node node)
    {
        if (node.Spec is not { PodCIDRs.Count: > 0 } and not { PodCIDR.Length: > 0 })
        {
            return Condition("True", "NoPodCIDR",
                "The node has no spec.podCIDRs, so its pods get no addresses: start kube-controller-manager with --allocate-node-cidrs and --cluster-cidr, or set the field");
        }

        return _reports.Find(node.Metadata.Name!) is { Revision: > 0 }
            ? Condition("False", "WeftIsUp", "The node's part of the logical network is in its switch")
            : null;
    }

    private V1NodeCondition Condition(string status, string reason, string message)
    {
        var now = _time.GetUtcNow();
        return new V1NodeCondition
        {
            Type = ConditionType,
            Status = status,
            Reason = reason,
            Message = message,
            LastHeartbeatTime = now,
            LastTransitionTime = now,
        };
    }

    private async Task WriteAsync(string name, V1NodeCondition condition, CancellationToken ct)
    {
        // Only the conditions: with a strategic merge the other fields of the status stay whose they are.
        var status = JsonSerializer.Serialize(new V1NodeStatus { Conditions = [condition] }, KubernetesJson.Default.V1NodeStatus);
        var patch = System.Text.Encoding.UTF8.GetBytes($$"""{"status":{{status}}}""");
        _nodes[name] = await _client.PatchAsync(Resources.Nodes, null, name, "status", PatchKind.StrategicMerge, patch, ct).ConfigureAwait(false);
    }

    private void Queue(string name)
    {
        if (_queued.TryAdd(name, true))
        {
            _check.Writer.TryWrite(name);
        }
    }

    private async Task QueueLaterAsync(string name, CancellationToken ct)
    {
        await Task.Delay(TimeSpan.FromSeconds(5), _time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Queue(name);
    }

    [LoggerMessage(4020, LogLevel.Information, "Node {Node}: NetworkUnavailable is {Status} ({Reason})")]
    private static partial void LogWritten(ILogger logger, string node, string status, string reason);

    [LoggerMessage(4021, LogLevel.Warning, "Node {Node}: its condition was not written, again in 5 s: {Failure}")]
    private static partial void LogFailed(ILogger logger, string node, string failure);
}
