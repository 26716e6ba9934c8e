using System.Collections.Concurrent;
using Newtonsoft.Json.Linq;

namespace Weft.Ovsdb;

/// <summary>One JSON-RPC connection to an OVSDB server (RFC 7047 section 4): requests and their replies, until it breaks. It never reconnects.</summary>
/// <remarks>
/// Safe to use from any thread; requests may overlap and are sent in the order of the calls. Every request fails with the same
/// <see cref="OvsdbConnectionException"/> once the connection is gone. Cancelling a request before it is queued sends nothing; afterwards
/// it ends only the wait, and a late reply is ignored. A connection reads on a thread of its own: Newtonsoft's reader is twice as fast without awaiting every token.
/// </remarks>
public sealed partial class OvsdbConnection : IAsyncDisposable, MessageReader.ITarget
{
    private readonly WatchedStream _stream;
    private readonly MessageSender _sender;
    private readonly INotificationHandler? _handler;
    private readonly OvsdbConnectionOptions _options;
    private readonly ConcurrentDictionary<long, PendingCall> _pending = new();
    private readonly TaskCompletionSource<Exception> _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _readerEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ITimer? _probe;
    private Exception? _reason;
    private long _lastId;
    private long _receivedAtProbe = -1;

    internal OvsdbConnection(Stream stream, OvsdbConnectionOptions options, INotificationHandler? handler, string name)
    {
        _stream = new WatchedStream(stream, options.Time, options.MaxMessageBytes);
        _options = options;
        _handler = handler;
        Name = name;
        _sender = new MessageSender(_stream, options.MaxPendingBytes);
        _ = SendAsync();
        new Thread(ReadLoop) { IsBackground = true, Name = $"ovsdb {name}" }.Start();
        if (options.ProbeInterval != Timeout.InfiniteTimeSpan)
        {
            _probe = options.Time.CreateTimer(_ => Probe(), null, options.ProbeInterval, options.ProbeInterval);
        }
    }

    /// <summary>The endpoint, for people.</summary>
    public string Name { get; }

    /// <summary>Completes with the first reason when the connection is gone. Never fails.</summary>
    public Task<Exception> Closed => _closed.Task;

    /// <summary>Bytes received so far.</summary>
    public long BytesReceived => _stream.Received;

    /// <summary>Connects, or for a passive endpoint waits for one peer.</summary>
    /// <exception cref="OvsdbConnectionException">No connection was made in time.</exception>
    public static async Task<OvsdbConnection> ConnectAsync(
        OvsdbEndpoint endpoint, OvsdbConnectionOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new OvsdbConnectionOptions();
        using var connector = new Connector(endpoint, options.Tls);
        return await ConnectAsync(connector, options, null, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Ends the connection and waits until nothing of it runs.</summary>
    public async ValueTask DisposeAsync()
    {
        Break(new OvsdbConnectionException($"{Name}: the connection was closed by this side"));
        await _readerEnded.Task.ConfigureAwait(false);
    }

    internal static async Task<OvsdbConnection> ConnectAsync(
        Connector connector, OvsdbConnectionOptions options, INotificationHandler? handler, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (!connector.Endpoint.IsPassive)
        {
            limit.CancelAfter(options.ConnectTimeout);
        }

        try
        {
            var stream = await connector.ConnectAsync(limit.Token).ConfigureAwait(false);
            return new OvsdbConnection(stream, options, handler, connector.Endpoint.ToString());
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new OvsdbConnectionException($"{connector.Endpoint}: no connection within {options.ConnectTimeout.TotalSeconds:0.#} s");
        }
    }

    /// <summary>Sends a request and reads its reply.</summary>
    internal async Task<T> CallAsync<T>(
        string method, Action<OvsdbJsonWriter> parameters, Func<OvsdbJsonReader, T> read, CancellationToken cancellationToken,
        Action<long>? onCancel = null, Action<T>? apply = null)
    {
        await _sender.WaitForRoomAsync(cancellationToken).ConfigureAwait(false);
        cancellationToken.ThrowIfCancellationRequested();
        var id = Interlocked.Increment(ref _lastId);
        var call = new PendingCall<T>(method, read, apply);
        _pending[id] = call;
        try
        {
            _sender.Queue(w =>
            {
                w.BeginObject().Member("id").Number(id).Member("method").Text(method).Member("params").BeginArray();
                parameters(w);
                w.EndArray().EndObject();
            });
        }
        catch
        {
            _pending.TryRemove(id, out _);
            throw;
        }

        if (Volatile.Read(ref _reason) is { } gone && _pending.TryRemove(id, out _))
        {
            // It was queued while the connection broke, after the waiting calls were ended.
            throw Lost(gone);
        }

        try
        {
            return await call.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested && _pending.ContainsKey(id))
        {
            onCancel?.Invoke(id);
            throw;
        }
    }

    /// <summary>Sends a message that has no reply. Ignored when the connection is gone.</summary>
    internal void Notify(string method, Action<OvsdbJsonWriter> parameters)
    {
        if (Volatile.Read(ref _reason) is not null)
        {
            return;
        }

        try
        {
            _sender.Queue(w =>
            {
                w.BeginObject().Member("id").Null().Member("method").Text(method).Member("params").BeginArray();
                parameters(w);
                w.EndArray().EndObject();
            });
        }
        catch (OvsdbException) when (Volatile.Read(ref _reason) is not null)
        {
            // It broke in between: there is nobody left to tell.
        }
    }

    /// <summary>Ends the connection. The first reason wins and is what every waiting call ends with.</summary>
    internal void Break(Exception reason)
    {
        if (Interlocked.CompareExchange(ref _reason, reason, null) is not null)
        {
            return;
        }

        _probe?.Dispose();
        _sender.Close(reason);
        _stream.Dispose();
        foreach (var id in _pending.Keys)
        {
            if (_pending.TryRemove(id, out var call))
            {
                call.Fail(Lost(reason));
            }
        }

        _closed.TrySetResult(reason);
    }

    PendingCall? MessageReader.ITarget.Take(long id) => _pending.TryRemove(id, out var call) ? call : null;

    Action? INotificationHandler.Read(string method, OvsdbJsonReader reader)
    {
        if (_handler is not null)
        {
            return _handler.Read(method, reader);
        }

        reader.Skip();
        return null;
    }

    void MessageReader.ITarget.Answer(string method, JToken id, JToken parameters) => _sender.Queue(w =>
    {
        w.BeginObject().Member("id").Document(id);
        if (method == "echo")
        {
            w.Member("result").Document(parameters).Member("error").Null();
        }
        else
        {
            w.Member("result").Null().Member("error").Text("unknown method");
        }

        w.EndObject();
    });

    private static OvsdbConnectionException Lost(Exception reason) =>
        new(reason.Message, reason, isTransient: true, mayHaveBeenApplied: true);

    private void ReadLoop()
    {
        try
        {
            using var text = new Utf8StreamText(_stream);
            var messages = new MessageReader(new OvsdbJsonReader(text), this);
            do
            {
                _stream.StartMessage();
            }
            while (messages.ReadOne());

            Break(new OvsdbConnectionException($"{Name}: the server closed the connection"));
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or System.Net.Sockets.SocketException)
        {
            Break(new OvsdbConnectionException($"{Name}: {e.Message}", e));
        }
        catch (Exception e)
        {
            // Whatever a message did to us ends this connection only; the reason goes to everyone who waits.
            Break(e is OvsdbProtocolException ? e : new OvsdbProtocolException($"{Name}: cannot read a message: {e.Message}", e));
        }
        finally
        {
            _readerEnded.TrySetResult();
        }
    }

    private async Task SendAsync()
    {
        try
        {
            await _sender.RunAsync().ConfigureAwait(false);
        }
        catch (Exception e)
        {
            Break(new OvsdbConnectionException($"{Name}: {e.Message}", e));
        }
    }

    private void Probe()
    {
        var idle = _stream.Idle;
        if (idle < _options.ProbeInterval)
        {
            return;
        }

        if (_stream.Received == _receivedAtProbe)
        {
            Break(new OvsdbConnectionException($"{Name}: no answer for {idle.TotalSeconds:0.#} s"));
            return;
        }

        _receivedAtProbe = _stream.Received;
        _ = ProbeAsync();
    }

    private async Task ProbeAsync()
    {
        try
        {
            await EchoAsync().ConfigureAwait(false);
        }
        catch (OvsdbException)
        {
            // A connection that breaks while it is asked has its own reason already.
        }
    }
}
