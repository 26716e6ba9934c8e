namespace Weft.Ovsdb;

/// <content>The one task that connects, follows and reconnects.</content>
public sealed partial class OvsdbClient
{
    private async Task RunAsync()
    {
        // Not on the caller's thread.
        await Task.Yield();
        var connectors = _options.Endpoints.Select(e => new Connector(e, _options.Connection.Tls)).ToArray();
        var failures = 0;
        var tried = 0;
        try
        {
            for (var next = 0; !_stopping.IsCancellationRequested; next = (next + 1) % connectors.Length)
            {
                var connector = connectors[next];
                var sessions = SessionCount;
                var reason = await ServeAsync(connector).ConfigureAwait(false);
                if (_stopping.IsCancellationRequested)
                {
                    break;
                }

                OvsdbMetrics.Failures.Add(1);
                if (SessionCount != sessions)
                {
                    (failures, tried) = (0, 0);
                }

                tried++;
                if (reason is ServerLeftException { SameServer: true })
                {
                    // The server is well and only its answers changed: ask it again, now.
                    next = (next + connectors.Length - 1) % connectors.Length;
                    Transition(SessionState.Backoff, connector.Endpoint, reason);
                    continue;
                }

                failures += tried % connectors.Length == 0 ? 1 : 0;
                Transition(SessionState.Backoff, connector.Endpoint, reason);
                if (tried % connectors.Length == 0)
                {
                    await DelayAsync(_options.Reconnect.Delay(failures, Random.Shared.NextDouble())).ConfigureAwait(false);
                }
            }
        }
        finally
        {
            foreach (var connector in connectors)
            {
                connector.Dispose();
            }

            Transition(SessionState.Stopped, _options.Endpoints[0], null);
            Replica.Complete();
        }
    }

    /// <summary>One connection from its start to its end; returns why it ended.</summary>
    private async Task<Exception> ServeAsync(Connector connector)
    {
        var endpoint = connector.Endpoint;
        OvsdbConnection? connection = null;
        try
        {
            Transition(SessionState.Connecting, endpoint, null);
            connection = await OvsdbConnection.ConnectAsync(connector, _options.Connection, _notifications, _stopping.Token).ConfigureAwait(false);
            Transition(SessionState.Handshaking, endpoint, null);
            await _server.StartAsync(connection, _stopping.Token).ConfigureAwait(false);
            var schema = await connection.GetSchemaAsync(_options.Database, _stopping.Token).ConfigureAwait(false);
            Transition(SessionState.Resyncing, endpoint, null);
            MonitorSelection selection;
            lock (_lock)
            {
                selection = _selection;
            }

            WasResumed = await _monitor.StartAsync(connection, schema, selection, _options.MonitorMethod, _stopping.Token).ConfigureAwait(false);
            await BecomeLiveAsync(connection, schema, endpoint).ConfigureAwait(false);
            return await EndOfAsync(connection).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // Whatever ends a connection, the supervisor lives on; the reason is kept and shown.
            return e;
        }
        finally
        {
            lock (_lock)
            {
                _live = null;
            }

            if (connection is not null)
            {
                await connection.DisposeAsync().ConfigureAwait(false);
            }

            foreach (var wish in _locks.Values)
            {
                wish.Set(false);
            }
        }
    }

    private async Task BecomeLiveAsync(OvsdbConnection connection, DatabaseSchema schema, OvsdbEndpoint endpoint)
    {
        OvsdbLock[] wishes;
        await _changing.WaitAsync(_stopping.Token).ConfigureAwait(false);
        try
        {
            MonitorSelection now;
            lock (_lock)
            {
                now = _selection;
                wishes = [.. _locks.Values];
                _live = new LiveSession(connection, schema, endpoint);
                SessionCount++;
            }

            if (!ReferenceEquals(now, _monitor.Selection))
            {
                // The selection changed between the request and this moment.
                await ApplySelectionAsync(connection, schema, now, _stopping.Token).ConfigureAwait(false);
            }
        }
        finally
        {
            _changing.Release();
        }

        OvsdbMetrics.Sessions.Add(1);
        foreach (var wish in wishes)
        {
            await RequestLockAsync(connection, wish, "lock", _stopping.Token).ConfigureAwait(false);
        }

        Transition(SessionState.Live, endpoint, null);
    }

    private async Task<Exception> EndOfAsync(OvsdbConnection connection)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token);
        var closed = connection.Closed.WaitAsync(over.Token);
        var ends = new List<Task> { closed, _notifications.MonitorCancelledAsync(over.Token) };
        var refused = _server.IsAvailable ? _server.RefusalAsync(over.Token) : null;
        if (refused is not null)
        {
            ends.Add(refused);
        }

        var first = await Task.WhenAny(ends).ConfigureAwait(false);
        await over.CancelAsync().ConfigureAwait(false);
        var reason = first == closed && closed.IsCompletedSuccessfully ? await closed.ConfigureAwait(false)
            : first == refused && refused!.IsCompletedSuccessfully ? Left(connection, await refused.ConfigureAwait(false))
            : first == ends[1] ? new ServerLeftException($"{connection.Name}: the server cancelled the monitor: its database was removed or converted", true)
            : new OvsdbConnectionException($"{connection.Name}: the client was disposed");
        connection.Break(reason);
        return reason;
    }

    private static ServerLeftException Left(OvsdbConnection connection, string reason) =>
        new($"{connection.Name}: {reason}", sameServer: reason.Contains("schema", StringComparison.Ordinal));

    private async Task DelayAsync(TimeSpan delay)
    {
        try
        {
            await Task.Delay(delay, _options.Connection.Time, _stopping.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Disposal ends the wait; the loop sees it.
        }
    }

    private void Transition(SessionState to, OvsdbEndpoint endpoint, Exception? reason)
    {
        SessionState from;
        lock (_lock)
        {
            from = State;
            State = to;
            LastFailure = reason ?? LastFailure;
            _stateChanged.TrySetResult();
            _stateChanged = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        try
        {
            _options.OnTransition?.Invoke(new SessionTransition(from, to, endpoint, reason?.Message));
        }
        catch (Exception)
        {
            // A log that fails must not end the connection; documented at the option.
        }
    }

    /// <summary>A healthy connection was left on purpose.</summary>
    private sealed class ServerLeftException(string message, bool sameServer) : OvsdbException(message)
    {
        public bool SameServer => sameServer;

        public override bool IsTransient => true;
    }
}
