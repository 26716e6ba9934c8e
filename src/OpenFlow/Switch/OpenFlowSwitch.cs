using System.Collections.Immutable;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Messages;
using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Switch;

/// <summary>A switch that we keep a connection to: connects, shakes hands, reconnects, says what state it is in.</summary>
/// <remarks>
/// Safe for concurrent use. A request that is under way when the connection ends fails with <see cref="OpenFlowConnectionException"/>;
/// nothing is sent again by itself, because only the caller knows what is still wanted.
/// Events are raised one after another on the reading task: return soon, and never wait for an answer of the switch in them.
/// </remarks>
public sealed partial class OpenFlowSwitch : IAsyncDisposable
{
    private readonly Func<CancellationToken, Task<Stream>> _connect;
    private readonly OpenFlowOptions _options;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private TaskCompletionSource _live = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private OpenFlowConnection? _connection;
    private Task _supervisor = Task.CompletedTask;
    private SwitchStateChange _state = new(SwitchState.Stopped, null);

    /// <summary>Makes a switch at an endpoint; <see cref="Start"/> begins to connect.</summary>
    public OpenFlowSwitch(OpenFlowEndpoint endpoint, OpenFlowOptions? options = null)
        : this(endpoint.ToString(), options, null)
    {
        _connect = cancel => endpoint.ConnectAsync(_options!.Tls, cancel);
    }

    private OpenFlowSwitch(string name, OpenFlowOptions? options, Func<CancellationToken, Task<Stream>>? connect)
    {
        Name = name;
        _options = options ?? new OpenFlowOptions();
        _connect = connect ?? (_ => throw new InvalidOperationException("no endpoint"));
    }

    /// <summary>Makes a switch over streams of the caller's: a test's pipe, an accepted socket.</summary>
    /// <param name="name">For messages.</param>
    /// <param name="connect">Opens a stream; called again after each end.</param>
    /// <param name="options">How it behaves.</param>
    public static OpenFlowSwitch Over(string name, Func<CancellationToken, Task<Stream>> connect, OpenFlowOptions? options = null) => new(name, options, connect);

    /// <summary>Where the switch is, for messages.</summary>
    public string Name { get; }

    /// <summary>The state now, and why.</summary>
    public SwitchStateChange State
    {
        get
        {
            lock (_lock)
            {
                return _state;
            }
        }
    }

    /// <summary>What the switch said about itself on the latest connection; null before the first.</summary>
    public FeaturesReply? Features { get; private set; }

    /// <summary>How often a connection became live.</summary>
    public int Connections { get; private set; }

    /// <summary>Each change of state, in order. After Live nothing that the switch was told before is certain: read back and compare.</summary>
    public event Action<SwitchStateChange>? StateChanged;

    /// <summary>A packet for us.</summary>
    public event Action<PacketIn>? PacketIn;

    /// <summary>A port came, went or changed.</summary>
    public event Action<PortStatus>? PortStatus;

    /// <summary>A flow ended.</summary>
    public event Action<FlowRemoved>? FlowRemoved;

    /// <summary>Updates of flow monitors.</summary>
    public event Action<IReadOnlyList<FlowUpdate>>? FlowsChanged;

    /// <summary>A group or meter mod that another controller sent and the switch carried out; asked for with <see cref="OpenFlowOptions.ForwardRequests"/>.</summary>
    /// <remarks>Own ones are not told, nor is what the switch does by itself (a group that is emptied when its bridge goes).</remarks>
    public event Action<RequestForward>? RequestForwarded;

    /// <summary>An error that answers nothing we wait for.</summary>
    public event Action<ErrorMessage>? LateError;

    /// <summary>Begins to connect, and never stops until disposed or refused for good. Returns at once.</summary>
    public void Start()
    {
        lock (_lock)
        {
            if (_supervisor != Task.CompletedTask)
            {
                throw new InvalidOperationException($"{Name} is started already");
            }

            _supervisor = SuperviseAsync();
        }
    }

    /// <summary>Waits until the switch is live.</summary>
    /// <exception cref="OpenFlowVersionException">It refused for good.</exception>
    public Task WaitForLiveAsync(CancellationToken cancel = default)
    {
        lock (_lock)
        {
            return _live.Task.WaitAsync(cancel);
        }
    }

    /// <summary>Ends the connection, whose requests fail with this reason; the next one is made as after any other end. Without a connection it does nothing.</summary>
    public void Reconnect(string reason)
    {
        lock (_lock)
        {
            _connection?.End(new OpenFlowConnectionException($"{Name}: {reason}"));
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _supervisor.ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task SuperviseAsync()
    {
        await Task.Yield();
        var failures = 0;
        while (!_stop.IsCancellationRequested)
        {
            var (reason, livedLong) = await RunOnceAsync().ConfigureAwait(false);
            if (_stop.IsCancellationRequested || reason is OpenFlowVersionException)
            {
                Enter(SwitchState.Stopped, reason);
                return;
            }

            failures = livedLong ? 1 : failures + 1;
            Enter(SwitchState.Backoff, reason);
            try
            {
                await Task.Delay(_options.Reconnect.Wait(failures, Random.Shared.NextDouble()), _options.Time, _stop.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                break;
            }
        }

        Enter(SwitchState.Stopped, new OpenFlowConnectionException($"{Name}: disposed"));
    }

    /// <summary>One connection from opening to end.</summary>
    private async Task<(Exception Reason, bool LivedLong)> RunOnceAsync()
    {
        try
        {
            Enter(SwitchState.Connecting, null);
            Stream stream;
            using (var timeout = new CancellationTokenSource(_options.ConnectTimeout, _options.Time))
            using (var both = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token, timeout.Token))
            {
                stream = await _connect(both.Token).ConfigureAwait(false);
            }

            Enter(SwitchState.Handshaking, null);
            await using var connection = await OpenFlowConnection.OpenAsync(stream, _options, Raise, _stop.Token).ConfigureAwait(false);
            Features = connection.Features;
            Connections++;
            var began = _options.Time.GetTimestamp();
            lock (_lock)
            {
                _connection = connection;
            }

            Enter(SwitchState.Live, null);
            await using (_stop.Token.UnsafeRegister(static c => _ = ((OpenFlowConnection)c!).DisposeAsync().AsTask(), connection).ConfigureAwait(false))
            {
                return (await connection.Ended.ConfigureAwait(false), _options.Time.GetElapsedTime(began) > _options.Reconnect.Max);
            }
        }
        catch (OpenFlowException e)
        {
            return (e, false);
        }
        catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException or OperationCanceledException or System.Security.Authentication.AuthenticationException)
        {
            return (new OpenFlowConnectionException($"{Name}: {e.Message}", e), false);
        }
        finally
        {
            lock (_lock)
            {
                _connection = null;
            }
        }
    }

    private void Enter(SwitchState state, Exception? reason)
    {
        var change = new SwitchStateChange(state, reason);
        lock (_lock)
        {
            _state = change;
            if (state == SwitchState.Live)
            {
                _live.TrySetResult();
            }
            else if (state == SwitchState.Stopped)
            {
                _live.TrySetException(reason ?? new OpenFlowConnectionException($"{Name}: stopped"));
                _ = _live.Task.Exception;
            }
            else if (_live.Task.IsCompleted)
            {
                _live = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }

        StateChanged?.Invoke(change);
    }

    private void Raise(OpenFlowMessage message, uint xid)
    {
        switch (message)
        {
            case PacketIn packet: PacketIn?.Invoke(packet); break;
            case PortStatus status: PortStatus?.Invoke(status); break;
            case FlowRemoved removed: FlowRemoved?.Invoke(removed); break;
            case RequestForward forward: RequestForwarded?.Invoke(forward); break;
            case ErrorMessage error: LateError?.Invoke(error); break;
            case Multipart { IsReply: true, Kind: MultipartType.Experimenter } part when IsFlowMonitor(part.Body.Span):
                FlowsChanged?.Invoke(FlowMonitorCodec.ReadUpdates(part.Body.Span[8..]));
                break;
            case ExperimenterMessage { Experimenter: Vendors.Onf, Subtype: 1871 or 1872 } pause:
                FlowsChanged?.Invoke([new FlowUpdate(pause.Subtype == 1871 ? FlowUpdateEvent.Paused : FlowUpdateEvent.Resumed, null, 0, xid)]);
                break;
        }
    }

    private static bool IsFlowMonitor(ReadOnlySpan<byte> body)
    {
        if (body.Length < 8)
        {
            return false;
        }

        var r = new WireReader(body);
        return r.U32() == Vendors.Onf && r.U32() == FlowMonitorCodec.Subtype;
    }

    private OpenFlowConnection Connection
    {
        get
        {
            lock (_lock)
            {
                return _connection ?? throw new OpenFlowConnectionException($"{Name} is not connected ({_state.State})", _state.Reason);
            }
        }
    }
}
