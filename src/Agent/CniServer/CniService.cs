using Weft.Agent.CniServer.Leases;
using Weft.Agent.Host.Netlink;

namespace Weft.Agent.CniServer;

/// <summary>The agent's CNI side: leases, commands and the socket.</summary>
/// <remarks>Start it only when <see cref="IPodNetwork.Attachments"/> is complete (OVSDB read): leases that no attachment, interface or command uses end then.</remarks>
public sealed partial class CniService : IAsyncDisposable
{
    private readonly IPodNetwork _network;
    private readonly LeaseStore _leases;
    private readonly PodLinks _links;
    private readonly SparePorts? _spares;
    private readonly CniCommands _commands;
    private readonly CniListener _listener;
    private readonly CniLimits _limits;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private Task _reconciling = Task.CompletedTask;
    private int _disposed;

    /// <summary>Opens the leases; takes no calls yet.</summary>
    /// <param name="socket">Path of the unix socket (<see cref="AgentOptions.CniSocket"/>).</param>
    /// <param name="stateDir">Folder of the leases (<see cref="AgentOptions.StateDir"/>).</param>
    /// <param name="network">The rest of the agent.</param>
    /// <param name="limits">Times.</param>
    /// <param name="time">The clock of the leases.</param>
    /// <param name="logger">The log.</param>
    /// <param name="netns">Path of the node's network namespace; null: the process's own.</param>
    /// <param name="spares">Ports to make in advance; null: nothing is known of such.</param>
    /// <exception cref="IOException">The leases cannot be read, or another agent uses them.</exception>
    public CniService(string socket, string stateDir, IPodNetwork network, CniLimits limits, TimeProvider time, ILogger<CniService> logger, string? netns = null, SpareSettings? spares = null)
    {
        ArgumentNullException.ThrowIfNull(limits);
        _network = network;
        _limits = limits;
        _time = time;
        _logger = logger;
        _leases = LeaseStore.Open(Path.Combine(stateDir, "leases.journal"), limits.AddressRest, time, logger);
        var pairs = spares is null ? null : new SpareLinks(netns, spares.Namespace);
        _links = new PodLinks(netns, pairs);
        _spares = pairs is null ? null : new SparePorts(spares!.Count, spares.Ports, pairs, time, logger);
        _commands = new CniCommands(network, _leases, _links, _spares, limits, logger);
        _listener = new CniListener(socket, _commands.ExecuteAsync, limits, logger);
    }

    /// <summary>The leases now, for status pages.</summary>
    public IReadOnlyList<Lease> Leases => _leases.Leases;

    /// <summary>Why leases cannot be written at the moment, with the remedy, or null.</summary>
    public string? Problem => _leases.Problem;

    /// <summary>Why no ports are made in advance though they are asked for, or null.</summary>
    public string? SpareProblem => _spares?.Problem;

    /// <summary>How many ports are ready for pods that are yet to come.</summary>
    public int SpareCount => _spares?.Count ?? 0;

    /// <summary>Reconciles the leases with reality and takes calls.</summary>
    /// <exception cref="IOException">The socket cannot be made.</exception>
    public async Task StartAsync(CancellationToken ct)
    {
        await ReconcileAsync(ct).ConfigureAwait(false);
        _spares?.Start(_leases.Leases);
        _listener.Start();
        _reconciling = ReconcileRegularlyAsync();
    }

    /// <summary>Makes leases and reality agree; safe at any time while the attachments are complete.</summary>
    public async Task ReconcileAsync(CancellationToken ct)
    {
        var (adopted, released) = await _leases.ReconcileAsync(_network.Attachments, IsLive, ct).ConfigureAwait(false);
        Log.Reconciled(_logger, adopted, released);
    }

    /// <summary>Stops taking calls, waits for those under way, closes the leases. A second call does nothing.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        await _stop.CancelAsync().ConfigureAwait(false);
        await _listener.DisposeAsync().ConfigureAwait(false);
        await _reconciling.ConfigureAwait(false);
        if (_spares is not null)
        {
            await _spares.DisposeAsync().ConfigureAwait(false);
        }

        _stop.Dispose();
        _leases.Dispose();
        _links.Dispose();
    }

    private async Task ReconcileRegularlyAsync()
    {
        using var timer = new PeriodicTimer(_limits.Reconcile, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token).ConfigureAwait(false))
            {
                await TryReconcileAsync().ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }
    }

    private async Task TryReconcileAsync()
    {
        try
        {
            if (_network.NotReadyReason is null)
            {
                await ReconcileAsync(_stop.Token).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is IOException or NetlinkException)
        {
            Log.NotReconciled(_logger, e);
        }
    }

    private bool IsLive(Lease lease) => _commands.IsBusy(lease) || _links.Exists(lease.HostInterface);

    private static partial class Log
    {
        [LoggerMessage(3140, LogLevel.Information, "Leases reconciled: {Adopted} noted again, {Released} ended")]
        public static partial void Reconciled(ILogger logger, int adopted, int released);

        [LoggerMessage(3141, LogLevel.Warning, "Leases could not be reconciled; it is tried again")]
        public static partial void NotReconciled(ILogger logger, Exception e);
    }
}
