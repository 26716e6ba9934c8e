using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Controller.Cluster;

/// <summary>Says in the status of cluster-wide policies whether they are in force: the condition <c>Accepted</c>. NetworkPolicy has no status; events tell of it.</summary>
/// <remarks>Only the leader writes, and only what is not there already: whatever is lost is told again with the object's next change.</remarks>
public sealed partial class PolicyConditions(KubernetesClient client, Leadership leadership, TimeProvider time, ILogger<PolicyConditions> logger) : BackgroundService
{
    private const string Accepted = "Accepted";

    /// <summary>A condition's message has a limit of 32 KiB; nobody reads that much.</summary>
    private const int MostProblems = 10;
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, (IKubernetesObject Policy, V1Condition Condition)> _waiting = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _changed = new(0);

    /// <summary>Takes what became of a policy; other kinds are passed over. Does not block.</summary>
    /// <param name="policy">The object as it is now.</param>
    /// <param name="problems">What of it cannot be used.</param>
    /// <param name="inForce">Whether the rest is in force.</param>
    public void Tell(IKubernetesObject policy, IReadOnlyList<string> problems, bool inForce)
    {
        if (StatusOf(policy) is not { } status)
        {
            return;
        }

        var text = string.Join("; ", problems.Take(MostProblems)) + (problems.Count > MostProblems ? $"; and {problems.Count - MostProblems} more" : "");
        var condition = new V1Condition
        {
            Type = Accepted,
            Status = problems.Count == 0 ? "True" : "False",
            Reason = problems.Count == 0 ? "Accepted" : inForce ? "PartlyInvalid" : "Invalid",
            Message = problems.Count == 0 ? "every rule is in force" : inForce ? text : $"{text}; this version of the policy is not in force",
            ObservedGeneration = policy.Metadata.Generation,
        };
        var now = status.Conditions?.Find(c => c.Type == Accepted);
        var key = $"{policy.GetType().Name}/{policy.Metadata.Name}";
        if (now is not null && (now.Status, now.Reason, now.Message, now.ObservedGeneration) == (condition.Status, condition.Reason, condition.Message, condition.ObservedGeneration))
        {
            _waiting.TryRemove(key, out _);
            return;
        }

        // A condition keeps its time while its status stays.
        condition.LastTransitionTime = now?.Status == condition.Status ? now.LastTransitionTime
            : new DateTimeOffset(time.GetUtcNow().Ticks / TimeSpan.TicksPerSecond * TimeSpan.TicksPerSecond, TimeSpan.Zero);
        _waiting[key] = (policy, condition);
        if (_changed.CurrentCount == 0)
        {
            _changed.Release();
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _changed.Dispose();
        base.Dispose();
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await leadership.WaitAsync(stoppingToken).ConfigureAwait(false);
            await _changed.WaitAsync(RetryAfter, stoppingToken).ConfigureAwait(false);
            foreach (var (key, waiting) in _waiting)
            {
                if (await WriteAsync(waiting.Policy, waiting.Condition, stoppingToken).ConfigureAwait(false))
                {
                    // A newer one that came meanwhile stays.
                    _waiting.TryRemove(KeyValuePair.Create(key, waiting));
                }
            }
        }
    }

    private static V1Alpha1ConditionsStatus? StatusOf(IKubernetesObject policy) => policy switch
    {
        V1Alpha2ClusterNetworkPolicy p => p.Status ?? new V1Alpha1ConditionsStatus(),
        V1Alpha1AdminNetworkPolicy p => p.Status ?? new V1Alpha1ConditionsStatus(),
        V1Alpha1BaselineAdminNetworkPolicy p => p.Status ?? new V1Alpha1ConditionsStatus(),
        _ => null,
    };

    /// <returns>False: again later.</returns>
    private async Task<bool> WriteAsync(IKubernetesObject policy, V1Condition condition, CancellationToken ct)
    {
        // Conditions of others stay. A merge patch replaces lists, so the version says which list it is about.
        var conditions = (StatusOf(policy)!.Conditions ?? []).Where(c => c.Type != Accepted).Append(condition);
        var patch = new JsonObject
        {
            ["metadata"] = new JsonObject { ["resourceVersion"] = policy.Metadata.ResourceVersion },
            ["status"] = new JsonObject { ["conditions"] = new JsonArray([.. conditions.Select(c => JsonSerializer.SerializeToNode(c, KubernetesJson.Default.V1Condition))]) },
        };
        var body = Encoding.UTF8.GetBytes(patch.ToJsonString());
        try
        {
            await (policy switch
            {
                V1Alpha2ClusterNetworkPolicy => PatchAsync(Resources.ClusterNetworkPolicies, policy, body, ct),
                V1Alpha1AdminNetworkPolicy => PatchAsync(Resources.AdminNetworkPolicies, policy, body, ct),
                _ => PatchAsync(Resources.BaselineAdminNetworkPolicies, policy, body, ct),
            }).ConfigureAwait(false);
            return true;
        }
        catch (KubernetesException e) when (e.StatusCode is System.Net.HttpStatusCode.NotFound or System.Net.HttpStatusCode.Conflict)
        {
            // Gone, or another version by now: that is told by the watch.
            return true;
        }
        catch (KubernetesException e)
        {
            LogFailed(logger, policy.Metadata.Name!, e.Message);
            return false;
        }
    }

    private Task PatchAsync<T>(ResourceType<T> type, IKubernetesObject policy, byte[] body, CancellationToken ct)
        where T : class, IKubernetesObject => client.PatchAsync(type, null, policy.Metadata.Name!, "status", PatchKind.Merge, body, ct);

    [LoggerMessage(4070, LogLevel.Warning, "The status of cluster-wide policy {Name} was not written: {Reason}")]
    private static partial void LogFailed(ILogger logger, string name, string reason);
}
