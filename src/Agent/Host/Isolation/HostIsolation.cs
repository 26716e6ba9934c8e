using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.Logging;
using Weft.Agent.Host.Netlink;

namespace Weft.Agent.Host.Isolation;

/// <summary>Keeps processes of the node's host network, other than the kubelet, from the node's tenant pods (docs/design/tenants.md).</summary>
/// <remarks>
/// Nothing is done before the first tenant pod. When the kubelet cannot be told from others, everything passes, and <see cref="Problem"/>
/// says so: a kubelet that is shut out would restart pods that are well. Safe for concurrent calls. Disposing leaves the rules: they hold while no agent runs.
/// </remarks>
public sealed partial class HostIsolation : IAsyncDisposable
{
    /// <summary>One change of rules makes several events.</summary>
    private static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(20);
    private readonly HostIsolationSettings _settings;
    private readonly ILogger _logger;
    private readonly string? _netns;
    private readonly CgroupTree _tree;
    private readonly KubeletCgroup _kubelet;
    private readonly SemaphoreSlim _applying = new(1);
    private readonly CancellationTokenSource _stop = new();
    private readonly SettledEvents _events;

    // What was told by Add and Remove; under its own lock, because those do not wait.
    private readonly Lock _wanted = new();
    private readonly HashSet<IPAddress> _aliases = [];
    private readonly List<IPAddress> _coming = [];
    private readonly List<IPAddress> _going = [];

    // The rest is used by one at a time (_applying).
    private SetElements? _elements;
    private NetlinkWatcher? _watcher;
    private CgroupWatcher? _cgroups;
    private Task _following = Task.CompletedTask;
    private bool _begun;
    private bool _closed;
    private (string Path, ulong? Id)? _inForce;

    // Pods that come and go make events of nftables, which say nothing of the kubelet.
    private volatile bool _kubeletMayHaveMoved;

    /// <summary>Nothing is touched before <see cref="ApplyAsync"/>.</summary>
    /// <param name="settings">What is wanted.</param>
    /// <param name="time">The clock of looks.</param>
    /// <param name="logger">The log.</param>
    /// <param name="netns">Path of the node's network namespace; null: the process's own.</param>
    public HostIsolation(HostIsolationSettings settings, TimeProvider time, ILogger<HostIsolation> logger, string? netns = null)
    {
        ArgumentNullException.ThrowIfNull(settings);
        (_settings, _logger, _netns, _events) = (settings, logger, netns, new SettledEvents(Settle, time));
        _tree = new CgroupTree(settings.Proc, settings.CgroupFolder);
        _kubelet = new KubeletCgroup(_tree, settings.KubeletCgroup, Path.Combine(settings.StateDir, "kubelet-cgroup"));
    }

    /// <summary>Why every process of the host network reaches tenant pods although that is not wanted, with the remedy; null when it does not, or when there is no such pod.</summary>
    public string? Problem { get; private set; }

    /// <summary>A tenant pod comes; <see cref="ApplyAsync"/> closes its aliases.</summary>
    public void Add(IEnumerable<string> aliases)
    {
        ArgumentNullException.ThrowIfNull(aliases);
        lock (_wanted)
        {
            _coming.AddRange(aliases.Select(IPAddress.Parse).Where(_aliases.Add));
        }
    }

    /// <summary>A tenant pod goes; <see cref="ForgetAsync"/> frees its aliases for others.</summary>
    public void Remove(IEnumerable<string> aliases)
    {
        ArgumentNullException.ThrowIfNull(aliases);
        lock (_wanted)
        {
            _going.AddRange(aliases.Select(IPAddress.Parse).Where(_aliases.Remove));
        }
    }

    /// <summary>Closes what was added; an unlucky try is made again later by itself. The first call must know all pods.</summary>
    public async Task ApplyAsync(CancellationToken ct)
    {
        if (_begun && !IsPending(_coming))
        {
            return;
        }

        await _applying.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            var (coming, any) = TakeComing();
            if (!_begun && (_settings.Access == HostAccess.Any || !any))
            {
                // Of an agent before, which had tenant pods, or wanted it otherwise.
                await OpenAsync(ct).ConfigureAwait(false);
            }
            else if (_settings.Access != HostAccess.Any && any && _following.IsCompleted && !_stop.IsCancellationRequested)
            {
                await BringInLineAsync(ct).ConfigureAwait(false);
                _following = FollowAsync();
            }
            else if (_closed && !Change(elements => coming.ForEach(elements.Add)))
            {
                await BringInLineAsync(ct).ConfigureAwait(false);
            }

            _begun = true;
        }
        finally
        {
            _applying.Release();
        }
    }

    /// <summary>Frees what was removed. To be called when nothing is behind these aliases any more.</summary>
    public async Task ForgetAsync(CancellationToken ct)
    {
        if (!IsPending(_going))
        {
            return;
        }

        await _applying.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            var going = TakeGoing();
            if (_closed && !Change(elements => going.ForEach(elements.Remove)))
            {
                await BringInLineAsync(ct).ConfigureAwait(false);
            }
        }
        finally
        {
            _applying.Release();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested)
        {
            return;
        }

        await _stop.CancelAsync().ConfigureAwait(false);
        await _following.ConfigureAwait(false);
        _watcher?.Dispose();
        _cgroups?.Dispose();
        _elements?.Dispose();
        _applying.Dispose();
        _stop.Dispose();
    }

    /// <summary>Removes all rules from the node.</summary>
    /// <exception cref="NftException">They could not be removed.</exception>
    public static async Task RemoveAsync(CancellationToken ct) => await RunAsync(StartNft, IsolationText.Remove(), ct).ConfigureAwait(false);

    private bool IsPending(List<IPAddress> list)
    {
        lock (_wanted)
        {
            return list.Count > 0;
        }
    }

    private (List<IPAddress> Coming, bool Any) TakeComing()
    {
        lock (_wanted)
        {
            var coming = _coming.Where(_aliases.Contains).ToList();
            _coming.Clear();
            return (coming, _aliases.Count > 0);
        }
    }

    private List<IPAddress> TakeGoing()
    {
        lock (_wanted)
        {
            // One that came again stays.
            var going = _going.Where(a => !_aliases.Contains(a)).ToList();
            _going.Clear();
            return going;
        }
    }

    private List<IPAddress> Wanted()
    {
        lock (_wanted)
        {
            return [.. _aliases];
        }
    }

    /// <returns>False when the rules are not there any more.</returns>
    private bool Change(Action<SetElements> change)
    {
        try
        {
            _elements ??= SetElements.Open(_netns);
            change(_elements);
            return true;
        }
        catch (NetlinkException e)
        {
            LogElements(_logger, e.Message);
            return false;
        }
    }

    /// <summary>Closes everything; what cannot be closed to all but the kubelet is opened, and said.</summary>
    private async Task BringInLineAsync(CancellationToken ct)
    {
        try
        {
            await CloseAsync(ct).ConfigureAwait(false);
            if (Problem is not null || !_closed)
            {
                LogClosed(_logger, _inForce?.Path ?? "nobody");
            }

            (_closed, Problem) = (true, null);
        }
        catch (Exception e) when (e is IsolationException or NftException or NetlinkException or IOException or UnauthorizedAccessException)
        {
            (_closed, _inForce) = (false, null);
            await OpenAsync(ct).ConfigureAwait(false);
            var problem = $"processes of the host network reach this node's tenant pods: {e.Message}";
            if (problem != Problem)
            {
                LogOpen(_logger, problem);
            }

            Problem = problem;
        }
    }

    private async Task CloseAsync(CancellationToken ct)
    {
        (string Path, ulong? Id)? kubelet = _settings.Access == HostAccess.Kubelet ? _kubelet.Find() : null;
        if (kubelet is { } found)
        {
            var own = _tree.Own();
            await LoadAsync(IsolationText.Prepare(CgroupTree.LevelOf(own)), ct).ConfigureAwait(false);
            Replace(IsolationText.SelfSet, _tree.IdOf(own));
            if (found.Id is not null)
            {
                // A kubelet that is down keeps the cgroup that it had; nobody else can get its id.
                Replace(IsolationText.KubeletSet, found.Id);
            }

            if (!IsolationCheck.Refuses(_netns, IsolationText.CgroupCheck))
            {
                throw new IsolationException($"the kernel does not find this process in its own cgroup {own} at {_tree.Root()}; mount the node's own hierarchy there, and start the agent in the node's cgroup namespace (chart: hostPath volumes of agent.yaml)");
            }
        }
        else
        {
            await LoadAsync(IsolationText.Prepare(0), ct).ConfigureAwait(false);
        }

        await LoadAsync(IsolationText.Close(kubelet is { } k ? CgroupTree.LevelOf(k.Path) : null, Wanted()), ct).ConfigureAwait(false);
        if (!IsolationCheck.Refuses(_netns, IsolationText.ClosedCheck))
        {
            throw new IsolationException($"the rules are loaded and refuse nothing; look whether something else accepts all packets: nft list table inet {IsolationText.Table}");
        }

        _inForce = kubelet;
        Watch(kubelet?.Path);
    }

    private void Replace(string set, ulong? cgroup)
    {
        _elements ??= SetElements.Open(_netns);
        _elements.Replace(set, cgroup);
    }

    private void Watch(string? kubelet)
    {
        _watcher ??= NetlinkWatcher.OfNftables(_netns, _ => _events.Notice());
        if (kubelet is not null && _cgroups?.Path != kubelet)
        {
            _cgroups?.Dispose();
            _cgroups = CgroupWatcher.TryOpen(kubelet, _tree.FolderOf(kubelet), () =>
            {
                _kubeletMayHaveMoved = true;
                _events.Notice();
            });
        }
    }

    private async Task OpenAsync(CancellationToken ct)
    {
        try
        {
            await RunAsync(() => NetworkNamespace.Run(_netns, StartNft), IsolationText.Remove(), ct).ConfigureAwait(false);
        }
        catch (NftException e)
        {
            // Without nft nothing was ever closed either.
            LogElements(_logger, e.Message);
        }
    }

    /// <summary>Loads rules as the host itself would.</summary>
    private Task LoadAsync(string text, CancellationToken ct) => RunAsync(() => _tree.Visit(_netns, StartNft), text, ct);

    private static Process StartNft() => NftProgram.Start(["-f", "-"]);

    private static async Task RunAsync(Func<Process> start, string text, CancellationToken ct)
    {
        var (exitCode, _, errors) = await NftProgram.CommunicateAsync(start(), text, ct).ConfigureAwait(false);
        if (exitCode != 0)
        {
            throw new NftException($"nft refused the table {IsolationText.Table}: {errors.Trim().Split('\n')[0]}; the kernel needs nft_socket with cgroup v2 (Linux 5.13), nft_ct and nft_reject_inet");
        }
    }

    private async Task FollowAsync()
    {
        try
        {
            while (true)
            {
                if (!await _events.WaitAsync(_settings.LookAfter, _stop.Token).ConfigureAwait(false))
                {
                    _kubeletMayHaveMoved = true;
                }

                await _applying.WaitAsync(_stop.Token).ConfigureAwait(false);
                try
                {
                    if (!_closed || HasChanged())
                    {
                        await BringInLineAsync(_stop.Token).ConfigureAwait(false);
                    }
                }
                finally
                {
                    _applying.Release();
                }
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Disposed.
        }
    }

    /// <summary>Whether the kubelet has another cgroup, or the rules do not hold any more. Takes a fraction of a millisecond.</summary>
    private bool HasChanged()
    {
        var askForKubelet = _kubeletMayHaveMoved && _settings.Access == HostAccess.Kubelet;
        _kubeletMayHaveMoved = false;
        try
        {
            return !IsolationCheck.Refuses(_netns, IsolationText.ClosedCheck) || (askForKubelet && _kubelet.Find() is { Id: not null } found && found != _inForce);
        }
        catch (Exception e) when (e is IsolationException or NetlinkException or IOException or UnauthorizedAccessException)
        {
            // The same is found again, and said, by the next try.
            LogElements(_logger, e.Message);
            return true;
        }
    }

    [LoggerMessage(3010, LogLevel.Information, "Tenant pods are closed to the host network; let through is {Kubelet}")]
    private static partial void LogClosed(ILogger logger, string kubelet);

    [LoggerMessage(3011, LogLevel.Warning, "{Problem}")]
    private static partial void LogOpen(ILogger logger, string problem);

    [LoggerMessage(3012, LogLevel.Debug, "Isolation of tenant pods from the host network: {Reason}")]
    private static partial void LogElements(ILogger logger, string reason);
}
