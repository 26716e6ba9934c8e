using System.Threading.Channels;
using Weft.Agent.CniServer.Leases;
using Weft.Agent.Host.Netlink;

namespace Weft.Agent.CniServer;

/// <summary>Keeps some ports ready for pods that are yet to come, so that ADD waits for nothing whose time grows with the number of ports.</summary>
/// <remarks>
/// Each is used once: DEL removes port and pair as of any pod. Who finds none ready makes a pair of its own, as without them. Safe for concurrent calls.
/// </remarks>
/// <param name="size">How many are kept ready; made again in one go when half of them are gone. 0: none, and those that wait from before are removed.</param>
/// <param name="ports">The switch's side.</param>
/// <param name="links">The kernel's side.</param>
/// <param name="time">The clock of pauses.</param>
/// <param name="logger">The log.</param>
internal sealed partial class SparePorts(int size, ISparePorts ports, SpareLinks links, TimeProvider time, ILogger logger) : IAsyncDisposable
{
    /// <summary>ovs-vswitchd takes longer for the pods that come at the same time: it is left alone for a moment after one came.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly Queue<string> _ready = [];
    private readonly Channel<bool> _taken = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly CancellationTokenSource _stop = new();
    private int _mtu;
    private Task _keeping = Task.CompletedTask;

    /// <summary>Why none can be made, with the remedy, or null.</summary>
    public string? Problem { get; private set; }

    /// <summary>How many are ready.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _ready.Count;
            }
        }
    }

    /// <summary>Starts to make ports.</summary>
    /// <param name="leases">The leases; what they name belongs to pods, whatever the rows say.</param>
    public void Start(IReadOnlyCollection<Lease> leases)
    {
        var used = leases.Select(l => l.HostInterface).ToHashSet(StringComparer.Ordinal);
        _keeping = KeepAsync(used);
    }

    /// <summary>Takes one, or null when none is ready for interfaces of this MTU.</summary>
    public string? TryTake(int mtu)
    {
        string? name;
        lock (_lock)
        {
            name = mtu <= _mtu && _ready.TryDequeue(out var ready) ? ready : null;
        }

        _taken.Writer.TryWrite(true);
        return name;
    }

    /// <summary>Puts one back that was taken and not used.</summary>
    public void GiveBack(string name)
    {
        lock (_lock)
        {
            _ready.Enqueue(name);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _keeping.ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task KeepAsync(HashSet<string> used)
    {
        await Task.Yield();
        try
        {
            while (ports.Mtu is null && size > 0)
            {
                await Task.Delay(Pause, time, _stop.Token).ConfigureAwait(false);
            }

            var tookOver = false;
            do
            {
                await TryAsync(async () =>
                {
                    if (!tookOver)
                    {
                        await TakeOverAsync(used).ConfigureAwait(false);
                        tookOver = true;
                    }

                    await FillAsync().ConfigureAwait(false);
                }).ConfigureAwait(false);
                await Task.Delay(Problem is null ? Pause : AfterFailure, time, _stop.Token).ConfigureAwait(false);
            }
            while (Problem is not null || await _taken.Reader.ReadAsync(_stop.Token).ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }
    }

    private async Task TryAsync(Func<Task> work)
    {
        try
        {
            await work().ConfigureAwait(false);
            Problem = null;
        }
        catch (Exception e) when (e is NetlinkException or SysctlException or PodNetworkException)
        {
            Problem = size > 0
                ? $"no ports are made in advance (sparePorts): {e.Message}; pods start all the same, and slower on a node with hundreds of them"
                : $"ports that were made in advance could not be removed: {e.Message}";
            Log.NotMade(logger, e);
        }
    }

    /// <summary>Ports of an earlier agent are as good as new when both sides are whole; the rest goes.</summary>
    private async Task TakeOverAsync(HashSet<string> used)
    {
        var whole = links.Find();
        var known = ports.Known;
        var mtu = ports.Mtu;
        var good = known.Where(p => size > 0 && p.IsOpen && !used.Contains(p.Name) && whole.TryGetValue(p.Name, out var has) && has == mtu).Select(p => p.Name).ToList();
        var bad = known.Select(p => p.Name).Concat(whole.Keys).Distinct(StringComparer.Ordinal).Where(n => !used.Contains(n) && !good.Contains(n)).ToList();
        links.Delete(bad);
        await ports.CloseAsync(bad, _stop.Token).ConfigureAwait(false);
        Offer(good, mtu ?? 0);
        if (size > 0 || bad.Count > 0)
        {
            Log.TakenOver(logger, good.Count, bad.Count);
        }
    }

    private async Task FillAsync()
    {
        var mtu = ports.Mtu ?? _mtu;
        if (mtu != _mtu)
        {
            await DiscardAsync().ConfigureAwait(false);
        }

        var missing = size - Count;
        if (missing * 2 < size || missing <= 0)
        {
            return;
        }

        var names = Enumerable.Range(0, missing).Select(_ => PodInterface.NewHostName()).ToList();
        await PodLinks.Threads.RunAsync(() =>
        {
            links.Make(names, mtu, ports.DisableTxOffload);
            return (true, Keep: true);
        }).ConfigureAwait(false);
        try
        {
            await ports.OpenAsync(names, _stop.Token).ConfigureAwait(false);
        }
        catch
        {
            // What is left when the agent stops meanwhile, the next one removes.
            links.Delete(names);
            await ports.CloseAsync(names, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }

        Offer(names, mtu);
    }

    private async Task DiscardAsync()
    {
        List<string> old;
        lock (_lock)
        {
            old = [.. _ready];
            _ready.Clear();
        }

        links.Delete(old);
        await ports.CloseAsync(old, _stop.Token).ConfigureAwait(false);
    }

    private void Offer(List<string> names, int mtu)
    {
        lock (_lock)
        {
            _mtu = mtu;
            names.ForEach(_ready.Enqueue);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(3150, LogLevel.Warning, "Ports could not be made in advance; it is tried again")]
        public static partial void NotMade(ILogger logger, Exception e);

        [LoggerMessage(3151, LogLevel.Information, "Ports made in advance: {Good} of an earlier agent are ready, {Bad} were removed")]
        public static partial void TakenOver(ILogger logger, int good, int bad);
    }
}
