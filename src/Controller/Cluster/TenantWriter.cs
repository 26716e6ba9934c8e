using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.Controller.Allocation;
using Weft.Controller.Network;
using Weft.Controller.Publish;
using Weft.Kubernetes;

namespace Weft.Controller.Cluster;

/// <summary>Writes to Kubernetes what tenants' networks need there: keys, the addresses of pods, finalizers and statuses. Only the leader writes.</summary>
/// <remarks>Nothing of it is used before the watches tell it, so a write that is lost, or that another leader made, is only a write again.</remarks>
public sealed partial class TenantWriter(
    KubernetesClient client, Publisher publisher, Leadership leadership, ITerms terms, INetworkKeys keys, KeyUse keyUse, EventRecorder events, TimeProvider time,
    ILogger<TenantWriter> logger) : BackgroundService
{
    private const string Finalizer = "weft.dev/in-use";
    private const int LargestBatch = 64;
    private static readonly TimeSpan StatusPause = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan TryAllAfter = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly PodClaims _claims = new(client);
    private readonly SemaphoreSlim _changed = new(0);
    private readonly Dictionary<string, string> _told = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _keys = new(StringComparer.Ordinal);
    private CancellationToken _begun = new(canceled: true);
    private bool _hadOwners = true;
    private long _term;
    private long _written = -1;
    private long _keysVersion = -1;
    private DateTimeOffset _lastKeys;
    private DateTimeOffset _lastStatus;
    private DateTimeOffset _lastTry;
    private bool _failed;
    private volatile bool _tryAgain;

    /// <summary>Something changed; must not block.</summary>
    public void Wake()
    {
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
        await publisher.Synced.WaitAsync(stoppingToken).ConfigureAwait(false);
        while (!stoppingToken.IsCancellationRequested)
        {
            await leadership.WaitAsync(stoppingToken).ConfigureAwait(false);
            await _changed.WaitAsync(RetryAfter, stoppingToken).ConfigureAwait(false);
            var leads = leadership.Term;
            using var term = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, leads);
            try
            {
                await BeginAsync(leads, term.Token).ConfigureAwait(false);
                await WriteKeysAsync(term.Token).ConfigureAwait(false);
                await WriteClaimsAsync(term.Token).ConfigureAwait(false);
                await WriteStatusesAsync(term.Token).ConfigureAwait(false);
            }
            catch (KubernetesException e)
            {
                LogFailed(logger, "the work of this term", "", e.Message);
            }
            catch (OperationCanceledException) when (!stoppingToken.IsCancellationRequested)
            {
                // Another controller leads now; it sees the same objects.
            }
        }
    }

    private async Task WriteKeysAsync(CancellationToken ct)
    {
        var version = publisher.Read(n => n.Tenants.KeysVersion);
        var now = time.GetUtcNow();
        if (version == _keysVersion && now - _lastKeys < RetryAfter)
        {
            // Pods that come change no key, and there may be very many networks.
            return;
        }

        await ReconcileKeysAsync(ct).ConfigureAwait(false);
        (_keysVersion, _lastKeys) = (version, now);
    }

    private async Task ReconcileKeysAsync(CancellationToken ct)
    {
        var owners = publisher.Read(n => n.Tenants.Owners);
        var uids = owners.Select(o => o.Uid).ToHashSet(StringComparer.Ordinal);
        foreach (var key in _keys.Where(k => !uids.Contains(k.Key)).ToList())
        {
            _keys.Remove(key.Key);
            keyUse.Ended(key.Value);
        }

        if (owners.Count == 0 && !_hadOwners)
        {
            return;
        }

        _hadOwners = owners.Count > 0;
        var assigned = await keys.ReconcileAsync(owners, keyUse.MayStillBeUsed, ct).ConfigureAwait(false);
        foreach (var (name, uid, key) in publisher.Read(n => n.Tenants.Keys))
        {
            if (assigned.Refused.TryGetValue(uid, out var reason))
            {
                publisher.Apply(n => n.Tenants.RefuseKey(name, reason));
            }
            else if (assigned.Keys.TryGetValue(uid, out var given))
            {
                _keys[uid] = given;
                if (key != given)
                {
                    publisher.Apply(n => n.Tenants.RefuseKey(name, null));
                    var patch = new JsonObject { ["status"] = new JsonObject { ["networkKey"] = given } };
                    await TryAsync(() => PatchAsync(Resources.Vpcs, name, "status", patch, ct), "Vpc", name).ConfigureAwait(false);
                }
            }
        }
    }

    /// <summary>Once in each time of leading.</summary>
    private async Task BeginAsync(CancellationToken leads, CancellationToken ct)
    {
        if (_begun != leads)
        {
            keys.Forget();
            _term = await terms.BeginAsync(ct).ConfigureAwait(false);
            publisher.Apply(n =>
            {
                n.Tenants.TryAgain();
                n.Tenants.TellAll();
            });
            (_begun, _keysVersion) = (leads, -1);
        }
    }

    private async Task WriteClaimsAsync(CancellationToken ct)
    {
        if (_tryAgain || time.GetUtcNow() - _lastTry > TryAllAfter)
        {
            // A write failed; or what stood against a pod may be gone: a pod that had its address, a quota.
            (_tryAgain, _lastTry) = (false, time.GetUtcNow());
            publisher.Apply(n => n.Tenants.TryAgain());
        }

        while (publisher.Read(n => n.Tenants.HasHeld))
        {
            IReadOnlyList<PendingClaim> claims = [];
            publisher.Apply(n => claims = n.Tenants.TakeClaims(LargestBatch, _term, time.GetUtcNow()));
            if (claims.Count == 0)
            {
                return;
            }

            await Task.WhenAll(claims.Select(c => WriteClaimAsync(c, ct))).ConfigureAwait(false);
        }
    }

    private async Task WriteClaimAsync(PendingClaim pending, CancellationToken ct)
    {
        var pod = new V1Pod
        {
            Metadata = new V1ObjectMeta { NamespaceProperty = pending.Namespace, Name = pending.Name, Uid = pending.Uid, ResourceVersion = pending.Version },
        };
        try
        {
            // Where it answers false, the pod is another version now: the watch tells it, and the same addresses are written to that one.
            await _claims.TryWriteAsync(pod, pending.Claim, ct).ConfigureAwait(false);
        }
        catch (KubernetesException e)
        {
            LogClaim(logger, pending.Namespace, pending.Name, e.Message);
            _tryAgain = true;
        }
    }

    private async Task WriteStatusesAsync(CancellationToken ct)
    {
        var version = publisher.Read(n => n.Tenants.Version);
        var now = time.GetUtcNow();
        if (version == _written || now - _lastStatus < StatusPause)
        {
            return;
        }

        _lastStatus = now;
        _failed = false;
        foreach (var wanted in publisher.Take(n => n.Tenants.TakeStatuses()))
        {
            await WriteAsync(wanted, ct).ConfigureAwait(false);
        }

        if (_failed)
        {
            publisher.Apply(n => n.Tenants.TellAll());
        }

        _written = version;
    }

    private async Task WriteAsync(WantedStatus wanted, CancellationToken ct)
    {
        var name = wanted.Object.Metadata.Name!;
        switch (wanted)
        {
            case { Object: V1Alpha1Vpc vpc, Status: V1Alpha1VpcStatus status }:
                await FinalizeAsync(Resources.Vpcs, vpc, wanted.KeepsFinalizer, ct).ConfigureAwait(false);
                Date(status.Conditions!, vpc.Status?.Conditions);
                await WriteAsync(Resources.Vpcs, name, vpc, status, vpc.Status, KubernetesJson.Default.V1Alpha1VpcStatus, status.Conditions!, ct).ConfigureAwait(false);
                break;
            case { Object: V1Alpha1Subnet subnet, Status: V1Alpha1SubnetStatus status }:
                await FinalizeAsync(Resources.Subnets, subnet, wanted.KeepsFinalizer, ct).ConfigureAwait(false);
                Date(status.Conditions!, subnet.Status?.Conditions);
                await WriteAsync(Resources.Subnets, name, subnet, status, subnet.Status, KubernetesJson.Default.V1Alpha1SubnetStatus, status.Conditions!, ct).ConfigureAwait(false);
                break;
            case { Object: V1Alpha1VpcPeering peering, Status: V1Alpha1ConditionsStatus status }:
                Date(status.Conditions!, peering.Status?.Conditions);
                await WriteAsync(Resources.VpcPeerings, name, peering, status, peering.Status, KubernetesJson.Default.V1Alpha1ConditionsStatus, status.Conditions!, ct).ConfigureAwait(false);
                break;
            case { Object: V1Alpha1AddressPool pool, Status: V1Alpha1AddressPoolStatus status }:
                Date(status.Conditions!, pool.Status?.Conditions);
                await WriteAsync(Resources.AddressPools, name, pool, status, pool.Status, KubernetesJson.Default.V1Alpha1AddressPoolStatus, status.Conditions!, ct).ConfigureAwait(false);
                break;
            default:
                throw new InvalidOperationException($"no status for {wanted.Object.GetType().Name}");
        }
    }

    private async Task WriteAsync<T, TStatus>(
        ResourceType<T> type, string name, T source, TStatus wanted, TStatus? now, System.Text.Json.Serialization.Metadata.JsonTypeInfo<TStatus> json, List<V1Condition> conditions, CancellationToken ct)
        where T : class, IKubernetesObject
        where TStatus : class
    {
        var text = JsonSerializer.Serialize(wanted, json);
        if (now is not null && JsonSerializer.Serialize(now, json) == text)
        {
            return;
        }

        var patch = new JsonObject { ["status"] = JsonNode.Parse(text) };
        if (await TryAsync(() => PatchAsync(type, name, "status", patch, ct), type.ToString(), name).ConfigureAwait(false))
        {
            Tell(type.ToString(), source, conditions);
        }
    }

    /// <summary>An event for people, once per reason.</summary>
    private void Tell(string type, IKubernetesObject source, List<V1Condition> conditions)
    {
        if (conditions.Find(c => c is { Type: "Ready", Status: "False" }) is { } problem && !problem.Reason!.EndsWith("Pending", StringComparison.Ordinal)
            && _told.GetValueOrDefault($"{type}/{source.Metadata.Name}") != problem.Message)
        {
            _told[$"{type}/{source.Metadata.Name}"] = problem.Message!;
            events.Warn(source, problem.Reason, problem.Message!);
        }
    }

    /// <summary>A condition keeps its time while its status stays.</summary>
    private void Date(List<V1Condition> wanted, List<V1Condition>? now)
    {
        foreach (var condition in wanted)
        {
            var before = now?.Find(c => c.Type == condition.Type && c.Status == condition.Status);
            condition.LastTransitionTime = before?.LastTransitionTime ?? new DateTimeOffset(time.GetUtcNow().Ticks / TimeSpan.TicksPerSecond * TimeSpan.TicksPerSecond, TimeSpan.Zero);
        }
    }

    private async Task FinalizeAsync<T>(ResourceType<T> type, T value, bool? isUsed, CancellationToken ct)
        where T : class, IKubernetesObject
    {
        var finalizers = value.Metadata.Finalizers ?? [];
        var has = finalizers.Contains(Finalizer);
        var ends = value.Metadata.DeletionTimestamp is not null;
        if (ends ? !has || isUsed == true : has)
        {
            return;
        }

        var list = new JsonArray([.. (ends ? finalizers.Where(f => f != Finalizer) : finalizers.Append(Finalizer)).Select(f => (JsonNode)f)]);
        var patch = new JsonObject { ["metadata"] = new JsonObject { ["resourceVersion"] = value.Metadata.ResourceVersion, ["finalizers"] = list } };
        await TryAsync(() => PatchAsync(type, value.Metadata.Name!, null, patch, ct), type.ToString(), value.Metadata.Name!).ConfigureAwait(false);
    }

    private Task PatchAsync<T>(ResourceType<T> type, string name, string? subresource, JsonObject patch, CancellationToken ct)
        where T : class, IKubernetesObject =>
        client.PatchAsync(type, null, name, subresource, PatchKind.Merge, System.Text.Encoding.UTF8.GetBytes(patch.ToJsonString()), ct);

    private async Task<bool> TryAsync(Func<Task> write, string kind, string name)
    {
        try
        {
            await write().ConfigureAwait(false);
            return true;
        }
        catch (KubernetesException e) when (e.StatusCode is System.Net.HttpStatusCode.NotFound)
        {
            // It was deleted meanwhile.
            return false;
        }
        catch (KubernetesException e)
        {
            _failed = true;
            LogFailed(logger, kind, name, e.Message);
            return false;
        }
    }

    [LoggerMessage(4050, LogLevel.Warning, "{Kind} {Name} was not written, again in a moment: {Failure}")]
    private static partial void LogFailed(ILogger logger, string kind, string name, string failure);

    [LoggerMessage(4051, LogLevel.Warning, "The addresses of pod {Namespace}/{Name} were not written, again in a moment: {Failure}")]
    private static partial void LogClaim(ILogger logger, string @namespace, string name, string failure);
}
