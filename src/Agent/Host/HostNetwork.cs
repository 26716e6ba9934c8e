using Weft.Agent.CniServer;
using Weft.Agent.Host.Isolation;
using Weft.Agent.Host.Netlink;

namespace Weft.Agent.Host;

/// <summary>Keeps the host as planned: gateway interface, routes, forwarding, the nftables table. Sends only what differs, and repairs what others change within a second.</summary>
/// <remarks>Safe for concurrent calls. Disposing leaves everything as it is: traffic goes on.</remarks>
public sealed partial class HostNetwork : IAsyncDisposable
{
    /// <summary>Changes come in bursts (one command makes several events): look once, a little later.</summary>
    private static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(10);

    /// <summary>Everything is compared this often even when no event came.</summary>
    private static readonly TimeSpan CompareAfter = TimeSpan.FromMinutes(5);
    private readonly string? _netns;
    private readonly ILogger _logger;
    private readonly Nftables _nftables;
    private readonly SemaphoreSlim _applying = new(1);
    private readonly CancellationTokenSource _stop = new();
    private readonly SettledEvents _events;
    private readonly List<NetlinkWatcher> _watchers = [];
    private readonly Task _repairing;
    private HostPlan? _plan;
    private HashSet<string> _reported = [];

    // Reading nftables starts a process; pods that come and go change links only.
    private volatile bool _rulesChanged = true;

    /// <summary>Opens the host's sockets and starts to watch.</summary>
    /// <param name="time">The clock of retries.</param>
    /// <param name="logger">The log.</param>
    /// <param name="netns">Path of the node's network namespace; null: the process's own.</param>
    /// <exception cref="NetlinkException">The kernel refused; the message has the remedy.</exception>
    public HostNetwork(TimeProvider time, ILogger<HostNetwork> logger, string? netns = null)
    {
        _netns = netns;
        _logger = logger;
        _nftables = new Nftables(netns);
        _events = new SettledEvents(Settle, time);
        _watchers.Add(NetlinkWatcher.OfRoutes(netns, changes =>
        {
            if (!TellsOfPodsOnly(changes))
            {
                _events.Notice();
            }
        }));
        _watchers.Add(NetlinkWatcher.OfNftables(netns, changes =>
        {
            if (!IsolationText.TellsOfItOnly(changes))
            {
                _rulesChanged = true;
                _events.Notice();
            }
        }));
        _repairing = RepairAsync();
    }

    /// <summary>Something that others changed was repaired, or newly cannot be. Called in order, never twice at once; it must not block.</summary>
    public event Action<HostChanges>? Repaired;

    /// <summary>Makes the host as planned, and keeps it so.</summary>
    /// <returns>What was changed, and what could not be.</returns>
    /// <exception cref="OperationCanceledException">The plan may be half applied; it is kept, and completed at the next event or call.</exception>
    public async Task<HostChanges> ApplyAsync(HostPlan desired, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(desired);
        var changes = await ApplyExclusiveAsync(desired, ct).ConfigureAwait(false);
        Report(changes);
        return changes;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        _watchers.ForEach(w => w.Dispose());
        await _repairing.ConfigureAwait(false);
        _applying.Dispose();
        _stop.Dispose();
    }

    /// <summary>Pods' interfaces come and go with every pod; nothing of the host's plan is about them.</summary>
    private static bool TellsOfPodsOnly(ReadOnlySpan<byte> changes)
    {
        var any = false;
        while (NetlinkMessage.TryRead(ref changes, out var message))
        {
            any = true;
            if (RouteNetlink.ChangedLink(message) is not { } name || !PodInterface.IsHostName(name))
            {
                return false;
            }
        }

        return any;
    }

    private async Task<HostChanges> ApplyExclusiveAsync(HostPlan? desired, CancellationToken ct)
    {
        await _applying.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            _rulesChanged |= desired is not null;
            _plan = desired ?? _plan;
            return _plan is null ? new HostChanges([], []) : await ApplyPlanAsync(_plan, ct).ConfigureAwait(false);
        }
        finally
        {
            _applying.Release();
        }
    }

    private async Task<HostChanges> ApplyPlanAsync(HostPlan plan, CancellationToken ct)
    {
        var targets = new HostTargets(plan);
        var changes = await Task.Run(() => ApplyInterfaces(targets), ct).ConfigureAwait(false);
        changes = changes with { Problems = [.. targets.Problems, .. changes.Problems] };
        if (!_rulesChanged)
        {
            return changes;
        }

        _rulesChanged = false;
        try
        {
            return await _nftables.ApplyAsync(NftText.Of(targets), ct).ConfigureAwait(false)
                ? changes with { Applied = [.. changes.Applied, $"nftables table inet {NftText.Table} set"] }
                : changes;
        }
        catch (NftException e)
        {
            _rulesChanged = true;
            return changes with { Problems = [.. changes.Problems, e.Message] };
        }
    }

    private HostChanges ApplyInterfaces(HostTargets targets)
    {
        HostChanges Apply()
        {
            // A fresh socket has no answers of an earlier failure in it.
            using var netlink = RouteNetlink.Open();
            return new HostInterfaces(netlink).Apply(targets);
        }

        try
        {
            return NetworkNamespace.Run(_netns, Apply);
        }
        catch (NetlinkException e)
        {
            return new HostChanges([], [e.Message]);
        }
    }

    /// <summary>Looks again after every event, every ten seconds while there are problems, and now and then anyway.</summary>
    private async Task RepairAsync()
    {
        var hasProblems = false;
        try
        {
            while (true)
            {
                if (!await _events.WaitAsync(hasProblems ? RetryAfter : CompareAfter, _stop.Token).ConfigureAwait(false))
                {
                    _rulesChanged = true;
                }

                var changes = await ApplyExclusiveAsync(null, _stop.Token).ConfigureAwait(false);
                hasProblems = !changes.Problems.IsEmpty;
                if (Report(changes))
                {
                    Repaired?.Invoke(changes);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }
    }

    /// <summary>Logs what is new; a problem that stays is said once.</summary>
    /// <returns>Whether anything was new.</returns>
    private bool Report(HostChanges changes)
    {
        foreach (var change in changes.Applied)
        {
            Log.Changed(_logger, change);
        }

        var known = Interlocked.Exchange(ref _reported, changes.Problems.ToHashSet(StringComparer.Ordinal));
        var news = changes.Problems.Where(p => !known.Contains(p)).ToList();
        news.ForEach(p => Log.Problem(_logger, p));
        return news.Count > 0 || !changes.Applied.IsEmpty;
    }

    private static partial class Log
    {
        [LoggerMessage(3000, LogLevel.Information, "Host: {Change}")]
        public static partial void Changed(ILogger logger, string change);

        [LoggerMessage(3001, LogLevel.Warning, "Host: {Problem}")]
        public static partial void Problem(ILogger logger, string problem);
    }
}
