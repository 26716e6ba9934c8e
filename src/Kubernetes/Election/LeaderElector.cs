using System.Globalization;
using System.Net;

namespace Weft.Kubernetes;

/// <summary>How a leader is elected.</summary>
/// <param name="Namespace">Where the Lease is.</param>
/// <param name="Name">Its name.</param>
/// <param name="Identity">Who we are; unique among the candidates.</param>
public sealed record LeaderElectionOptions(string Namespace, string Name, string Identity)
{
    /// <summary>A leader that is silent for so long has lost its place.</summary>
    public TimeSpan LeaseDuration { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>A leader that could not renew for so long stops leading; shorter than <see cref="LeaseDuration"/>, so that there are never two.</summary>
    public TimeSpan RenewDeadline { get; init; } = TimeSpan.FromSeconds(2.2);

    /// <summary>How often a leader renews and a candidate looks.</summary>
    public TimeSpan RetryPeriod { get; init; } = TimeSpan.FromMilliseconds(500);
}

/// <summary>Elects one leader among candidates with a Lease (coordination.k8s.io/v1), as client-go does.</summary>
/// <remarks>Time is measured from when this process saw the Lease change, so the machines' clocks need not agree.</remarks>
/// <param name="client">The API server.</param>
/// <param name="options">The Lease and the times.</param>
/// <param name="time">The clock.</param>
/// <param name="onFailure">Told each failure to read or write the Lease; must not block.</param>
public sealed class LeaderElector(KubernetesClient client, LeaderElectionOptions options, TimeProvider time, Action<KubernetesException>? onFailure = null)
{
    private V1Lease? _seen;
    private long _seenAt;

    /// <summary>Who holds the Lease, as far as this process knows; empty: nobody.</summary>
    public string Holder => _seen?.Spec?.HolderIdentity ?? "";

    /// <summary>Waits to become the leader, leads while <paramref name="lead"/> runs, and begins again when the place is lost.</summary>
    /// <param name="lead">Called when this process leads; its token is cancelled when it does not any more, and it must end then.</param>
    /// <param name="ct">Gives the place up, so that another can have it at once, and ends.</param>
    public async Task RunAsync(Func<CancellationToken, Task> lead, CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            if (!await TryTakeAsync(ct).ConfigureAwait(false))
            {
                await Task.Delay(UntilNextTry(), time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                continue;
            }

            using var term = CancellationTokenSource.CreateLinkedTokenSource(ct);
            var leading = lead(term.Token);
            await RenewAsync(ct).ConfigureAwait(false);
            await term.CancelAsync().ConfigureAwait(false);
            await leading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (ct.IsCancellationRequested)
            {
                await ReleaseAsync().ConfigureAwait(false);
            }
        }
    }

    /// <summary>Renews until it failed for too long, somebody else leads, or it is cancelled.</summary>
    private async Task RenewAsync(CancellationToken ct)
    {
        var renewedAt = time.GetTimestamp();
        while (!ct.IsCancellationRequested && time.GetElapsedTime(renewedAt) < options.RenewDeadline)
        {
            await Task.Delay(options.RetryPeriod, time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            var startedAt = time.GetTimestamp();
            if (!ct.IsCancellationRequested && await TryTakeAsync(ct).ConfigureAwait(false))
            {
                renewedAt = startedAt;
            }
            else if (Holder.Length > 0 && Holder != options.Identity)
            {
                return;
            }
        }
    }

    /// <summary>Takes or renews the Lease when that is allowed.</summary>
    private async Task<bool> TryTakeAsync(CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(options.RenewDeadline);
        try
        {
            var lease = await client.ReadAsync(Resources.Leases, options.Namespace, options.Name, limit.Token).ConfigureAwait(false);
            if (lease is null)
            {
                See(await client.CreateAsync(Resources.Leases, options.Namespace, Ours(null), limit.Token).ConfigureAwait(false));
                return true;
            }

            if (lease.Metadata.ResourceVersion != _seen?.Metadata.ResourceVersion)
            {
                See(lease);
            }

            var holder = lease.Spec?.HolderIdentity ?? "";
            if (holder.Length > 0 && holder != options.Identity && time.GetElapsedTime(_seenAt) < DurationOf(lease))
            {
                return false;
            }

            See(await client.ReplaceAsync(Resources.Leases, options.Namespace, Ours(lease), limit.Token).ConfigureAwait(false));
            return true;
        }
        catch (KubernetesException e) when (e.StatusCode == HttpStatusCode.Conflict)
        {
            // Another candidate was quicker.
            return false;
        }
        catch (KubernetesException e)
        {
            onFailure?.Invoke(e);
            return false;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    /// <summary>The retry period, or less when the Lease of a silent leader ends before.</summary>
    private TimeSpan UntilNextTry()
    {
        var rest = DurationOf(_seen) - time.GetElapsedTime(_seenAt);
        return _seen is not null && Holder.Length > 0 && rest > TimeSpan.Zero && rest < options.RetryPeriod ? rest + TimeSpan.FromMilliseconds(1) : options.RetryPeriod;
    }

    private TimeSpan DurationOf(V1Lease? lease) => TimeSpan.FromSeconds(lease?.Spec?.LeaseDurationSeconds ?? options.LeaseDuration.TotalSeconds);

    private void See(V1Lease lease) => (_seen, _seenAt) = (lease, time.GetTimestamp());

    private V1Lease Ours(V1Lease? old)
    {
        var now = time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);
        var isRenewal = old?.Spec?.HolderIdentity == options.Identity;
        return new V1Lease
        {
            Metadata = new V1ObjectMeta { Name = options.Name, NamespaceProperty = options.Namespace, ResourceVersion = old?.Metadata.ResourceVersion },
            Spec = new V1LeaseSpec
            {
                HolderIdentity = options.Identity,
                LeaseDurationSeconds = (int)Math.Ceiling(options.LeaseDuration.TotalSeconds),
                AcquireTime = isRenewal ? old!.Spec!.AcquireTime : now,
                RenewTime = now,
                LeaseTransitions = isRenewal ? old!.Spec!.LeaseTransitions : (old?.Spec?.LeaseTransitions ?? 0) + 1,
            },
        };
    }

    /// <summary>Empties the Lease, so that nobody has to wait for its end.</summary>
    private async Task ReleaseAsync()
    {
        if (_seen is not { } lease || Holder != options.Identity)
        {
            return;
        }

        try
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(1), time);
            lease.Spec!.HolderIdentity = "";
            await client.ReplaceAsync(Resources.Leases, options.Namespace, lease, limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is KubernetesException or OperationCanceledException)
        {
            // The others wait for the end of the Lease instead.
            onFailure?.Invoke(e as KubernetesException ?? new KubernetesException("the lease was not given up in time", e));
        }
    }
}
