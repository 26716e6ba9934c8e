using System.Collections.Immutable;
using System.Diagnostics;

namespace Weft.Ovsdb;

/// <summary>A supervised client of one OVSDB database: it stays connected, keeps a replica of the followed tables and commits transactions.</summary>
/// <remarks>Safe to use from any thread. It reconnects for as long as it lives; what went wrong last is in <see cref="LastFailure"/>.</remarks>
public sealed partial class OvsdbClient : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly OvsdbClientOptions _options;
    private readonly CancellationTokenSource _stopping = new();
    private readonly SemaphoreSlim _changing = new(1, 1);
    private readonly ReplicaMonitor _monitor;
    private readonly ServerWatch _server;
    private readonly SessionNotifications _notifications;
    private readonly Task _running;
    private ImmutableDictionary<string, OvsdbLock> _locks = ImmutableDictionary.Create<string, OvsdbLock>(StringComparer.Ordinal);
    private MonitorSelection _selection;
    private LiveSession? _live;
    private TaskCompletionSource _stateChanged = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private OvsdbClient(OvsdbClientOptions options)
    {
        _options = options;
        _selection = options.Monitor;
        Replica = new DatabaseReplica(options.Indexes);
        _monitor = new ReplicaMonitor("main", options.Database, Replica);
        _server = new ServerWatch(options.Database, options.LeaderOnly, options.MonitorMethod);
        _notifications = new SessionNotifications([_monitor, _server.Monitor], name => _locks.GetValueOrDefault(name));
        _running = RunAsync();
    }

    /// <summary>The copy of the followed tables.</summary>
    public DatabaseReplica Replica { get; }

    /// <summary>Where the connection stands.</summary>
    public SessionState State { get; private set; } = SessionState.Backoff;

    /// <summary>Why the last connection ended or could not be made; null while none did.</summary>
    public Exception? LastFailure { get; private set; }

    /// <summary>How many connections became live.</summary>
    public int SessionCount { get; private set; }

    /// <summary>True when the present or last session continued the replica instead of replacing it.</summary>
    public bool WasResumed { get; private set; }

    /// <summary>Bytes received on the live connection; 0 when there is none.</summary>
    public long BytesReceived => Volatile.Read(ref _live)?.Connection.BytesReceived ?? 0;

    /// <summary>The endpoint of the live connection, or null.</summary>
    public OvsdbEndpoint? LiveEndpoint => Volatile.Read(ref _live)?.Endpoint;

    /// <summary>Starts a client. It returns at once; <see cref="WaitUntilLiveAsync"/> waits for the first snapshot.</summary>
    /// <exception cref="ArgumentException">The options contradict themselves.</exception>
    public static OvsdbClient Start(OvsdbClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Endpoints.IsDefaultOrEmpty)
        {
            throw new ArgumentException("Endpoints is empty: name at least one server, such as unix:/run/openvswitch/db.sock");
        }

        if (options.Endpoints.FirstOrDefault(e => e.Kind == EndpointKind.Tls) is { } secure && options.Connection.Tls is null)
        {
            throw new ArgumentException($"the endpoint {secure} needs Connection.Tls");
        }

        return new OvsdbClient(options);
    }

    /// <summary>Waits until the connection is live and the replica is up to date with it.</summary>
    /// <exception cref="OperationCanceledException">Cancelled first; the message names the state and the last failure.</exception>
    public async Task<DatabaseSnapshot> WaitUntilLiveAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                ObjectDisposedException.ThrowIf(State == SessionState.Stopped, this);
                if (_live is not null)
                {
                    return Replica.Current!;
                }

                changed = _stateChanged.Task;
            }

            try
            {
                await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                throw new OperationCanceledException(
                    $"not connected to {string.Join(", ", _options.Endpoints)}: {State}{(LastFailure is null ? "" : ", " + LastFailure.Message)}", cancellationToken);
            }
        }
    }

    /// <summary>Sends a transaction once and returns its outcome. The replica already shows what it changed.</summary>
    /// <remarks>All or nothing. It is never repeated by itself: see <see cref="CommitOnceAsync"/> and <see cref="CommitRetryingAsync"/>.
    /// Calls may overlap; they are carried out in the order of the calls. Cancelling before it is queued sends nothing; afterwards the outcome is unknown.</remarks>
    /// <exception cref="OvsdbConnectionException">There is no live connection, or it broke: then
    /// <see cref="OvsdbConnectionException.MayHaveBeenApplied"/> says whether the server may have carried it out.</exception>
    /// <exception cref="ArgumentException">A table, column or value cannot be right by the server's schema; nothing was sent.</exception>
    public async Task<TransactionOutcome> CommitAsync(Transaction transaction, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        var live = Volatile.Read(ref _live) ?? throw new OvsdbConnectionException(
            $"not connected to {string.Join(", ", _options.Endpoints)}: {State}{(LastFailure is null ? "" : ", " + LastFailure.Message)}", LastFailure);
        if (_options.ChecksTransactions)
        {
            transaction.Check(live.Schema);
        }

        var start = Stopwatch.GetTimestamp();
        var outcome = await live.Connection.TransactAsync(live.Schema, transaction, cancellationToken).ConfigureAwait(false);
        OvsdbMetrics.TransactionDuration.Record(Stopwatch.GetElapsedTime(start).TotalSeconds);
        return outcome;
    }

    /// <summary>Changes what is followed. When this completes, the replica is right for the new selection.</summary>
    /// <remarks>Where only conditions differ, the server sends only the difference (monitor_cond_change); with other tables or columns the old
    /// monitor is cancelled and a new one replaces the copy in one step. While disconnected it takes effect with the next connection.
    /// Calls wait for each other.</remarks>
    /// <exception cref="OvsdbConnectionException">The connection broke; the next one uses the new selection.</exception>
    public async Task ChangeSelectionAsync(MonitorSelection selection, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(selection);
        await _changing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            LiveSession? live;
            lock (_lock)
            {
                _selection = selection;
                live = _live;
            }

            if (live is not null)
            {
                await ApplySelectionAsync(live.Connection, live.Schema, selection, cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>Asks for a lock and keeps asking over reconnects, until the returned object is disposed.</summary>
    /// <exception cref="InvalidOperationException">This client already asks for a lock with this name.</exception>
    public async Task<OvsdbLock> LockAsync(string name, CancellationToken cancellationToken = default)
    {
        var wish = new OvsdbLock(this, name);
        LiveSession? live;
        lock (_lock)
        {
            if (_locks.ContainsKey(name))
            {
                throw new InvalidOperationException($"this client already asks for the lock \"{name}\"");
            }

            _locks = _locks.Add(name, wish);
            live = _live;
        }

        if (live is not null)
        {
            await RequestLockAsync(live.Connection, wish, "lock", cancellationToken).ConfigureAwait(false);
        }

        return wish;
    }

    /// <summary>Asks the live server for its process's identity.</summary>
    /// <exception cref="OvsdbConnectionException">There is no live connection.</exception>
    public Task<Guid> GetServerIdAsync(CancellationToken cancellationToken = default) =>
        (Volatile.Read(ref _live) ?? throw new OvsdbConnectionException($"not connected: {State}", LastFailure)).Connection.GetServerIdAsync(cancellationToken);

    /// <summary>Disconnects and ends every wait. Snapshots stay readable.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
    }

    internal async Task StealAsync(OvsdbLock wish, CancellationToken cancellationToken)
    {
        var live = Volatile.Read(ref _live) ?? throw new OvsdbConnectionException($"not connected: {State}", LastFailure);
        // A wish that waits in the queue must leave it first; ovsdb-server refuses otherwise.
        await live.Connection.UnlockAsync(wish.Name, cancellationToken).ConfigureAwait(false);
        await RequestLockAsync(live.Connection, wish, "steal", cancellationToken).ConfigureAwait(false);
    }

    internal async ValueTask ReleaseAsync(OvsdbLock wish)
    {
        LiveSession? live;
        lock (_lock)
        {
            _locks = _locks.Remove(wish.Name);
            live = _live;
        }

        wish.Set(false);
        if (live is null)
        {
            return;
        }

        try
        {
            await live.Connection.UnlockAsync(wish.Name).ConfigureAwait(false);
        }
        catch (OvsdbException)
        {
            // The lock went with the connection, which is all that was wanted.
        }
    }

    private async Task ApplySelectionAsync(
        OvsdbConnection connection, DatabaseSchema schema, MonitorSelection selection, CancellationToken cancellationToken)
    {
        if (selection.HasSameColumns(_monitor.Selection))
        {
            await _monitor.ChangeConditionsAsync(connection, selection, cancellationToken).ConfigureAwait(false);
            return;
        }

        try
        {
            if (_monitor.IsActive)
            {
                // After the reply no update of the old monitor can come any more.
                await connection.CancelMonitorAsync(_monitor.Id, cancellationToken).ConfigureAwait(false);
            }

            WasResumed = await _monitor.StartAsync(connection, schema, selection, _options.MonitorMethod, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // Without a monitor the copy would silently stand still: only a new connection is right now.
            connection.Break(new OvsdbConnectionException($"{connection.Name}: the change of what is followed failed: {e.Message}", e));
            throw;
        }
    }

    private static Task RequestLockAsync(OvsdbConnection connection, OvsdbLock wish, string method, CancellationToken cancellationToken) =>
        connection.LockAsync(method, wish.Name, wish.Set, cancellationToken);

    private sealed record LiveSession(OvsdbConnection Connection, DatabaseSchema Schema, OvsdbEndpoint Endpoint);
}
