using System.Collections.Immutable;
using Weft.OpenFlow.Messages;
using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Switch;

/// <summary>One connection, from its stream to its end: frames, transaction ids, echo. It does not reconnect; <see cref="OpenFlowSwitch"/> does.</summary>
/// <remarks>Safe for concurrent use. The first failure ends the connection and is what every waiter gets.</remarks>
public sealed partial class OpenFlowConnection : IAsyncDisposable
{
    private const int ChunkBytes = 128 * 1024;
    private readonly Stream _stream;
    private readonly OpenFlowOptions _options;
    private readonly PendingRequests _pending = new();
    private readonly SemaphoreSlim _writing = new(1, 1);
    private readonly WireWriter _writer = new(ChunkBytes);
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource<Exception> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<Hello> _hello = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _reading = Task.CompletedTask;
    private Task _probing = Task.CompletedTask;
    private long _lastReceived;

    private OpenFlowConnection(Stream stream, OpenFlowOptions options) => (_stream, _options) = (stream, options);

    /// <summary>What the switch said about itself.</summary>
    public FeaturesReply Features { get; private set; } = new(0, 0, 0, 0, 0);

    /// <summary>Ends with the reason when the connection does. Never faults.</summary>
    public Task<Exception> Ended => _ended.Task;

    /// <summary>Messages that answer no request: packet-in, port-status, flow-removed, flow monitor updates, late errors.</summary>
    /// <remarks>Called one after another on the reading task: a slow handler slows the switch down (back-pressure), a handler that waits for an answer of the switch waits for ever.</remarks>
    internal Action<OpenFlowMessage, uint> Unsolicited { get; set; } = static (_, _) => { };

    /// <summary>Shakes hands over <paramref name="stream"/>, which the connection owns from here on.</summary>
    /// <exception cref="OpenFlowVersionException">OpenFlow 1.3 is not on offer.</exception>
    /// <exception cref="OpenFlowConnectionException">The stream ended, or the time is over.</exception>
    public static async Task<OpenFlowConnection> OpenAsync(Stream stream, OpenFlowOptions? options = null, CancellationToken cancel = default) =>
        await OpenAsync(stream, options ?? new(), static (_, _) => { }, cancel).ConfigureAwait(false);

    internal static async Task<OpenFlowConnection> OpenAsync(Stream stream, OpenFlowOptions options, Action<OpenFlowMessage, uint> unsolicited, CancellationToken cancel)
    {
        var connection = new OpenFlowConnection(stream, options) { Unsolicited = unsolicited };
        try
        {
            using var timeout = new CancellationTokenSource(options.ConnectTimeout, options.Time);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(cancel, timeout.Token);
            await connection.HandshakeAsync(both.Token).ConfigureAwait(false);
            return connection;
        }
        catch (Exception e)
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            if (e is OperationCanceledException && !cancel.IsCancellationRequested)
            {
                throw new OpenFlowConnectionException($"no OpenFlow handshake within {options.ConnectTimeout.TotalSeconds:0.#} s", e);
            }

            throw;
        }
    }

    /// <summary>Sends a request and waits for its answer.</summary>
    /// <param name="request">A message that the switch answers.</param>
    /// <param name="onPart">Gets each part of a multipart answer.</param>
    /// <param name="cancel">Ends the wait; the request stays sent.</param>
    /// <returns>The answer; for multipart the last part.</returns>
    /// <exception cref="OpenFlowErrorException">The switch refused.</exception>
    /// <exception cref="OpenFlowConnectionException">The connection ended first.</exception>
    public async Task<OpenFlowMessage> RequestAsync(OpenFlowMessage request, Action<Multipart>? onPart = null, CancellationToken cancel = default)
    {
        var xid = _pending.Reserve(1);
        var answer = _pending.Add(xid, onPart);
        try
        {
            await WriteAsync(xid, [request], cancel).ConfigureAwait(false);
            return ThrowIfError(request, await answer.WaitAsync(cancel).ConfigureAwait(false));
        }
        finally
        {
            _pending.Remove(xid);
        }
    }

    private static OpenFlowMessage ThrowIfError(OpenFlowMessage request, OpenFlowMessage answer) =>
        answer is ErrorMessage error ? throw new OpenFlowErrorException(error, request.GetType().Name) : answer;

    /// <summary>Waits until the switch has done everything sent before.</summary>
    public Task BarrierAsync(CancellationToken cancel = default) => RequestAsync(new EmptyMessage(MessageType.BarrierRequest), null, cancel);

    /// <summary>Sends messages that have no answer, then a barrier.</summary>
    /// <returns>What the switch refused. The others are in effect: this is not atomic.</returns>
    public async Task<ImmutableArray<MessageFailure>> SendAsync(IReadOnlyList<OpenFlowMessage> messages, CancellationToken cancel = default)
    {
        var first = _pending.Reserve(messages.Count);
        var range = _pending.AddRange(first, messages.Count);
        try
        {
            await WriteAsync(first, messages, cancel).ConfigureAwait(false);
            await BarrierAsync(cancel).ConfigureAwait(false);
            return [.. range.Take().Select(e => new MessageFailure(e.Index, messages[e.Index], e.Error))];
        }
        finally
        {
            _pending.RemoveRange(range);
        }
    }

    /// <summary>Sends without a wait for an effect or error.</summary>
    public Task PostAsync(OpenFlowMessage message, CancellationToken cancel = default) => WriteAsync(_pending.Reserve(1), [message], cancel);

    /// <summary>Ends the connection for this reason, unless it ended before.</summary>
    public void End(OpenFlowConnectionException reason) => Break(reason);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Break(new OpenFlowConnectionException("the connection was closed by this side"));
        await _reading.ConfigureAwait(false);
        await _probing.ConfigureAwait(false);
        await _stream.DisposeAsync().ConfigureAwait(false);

        // The semaphore and token source own nothing that must be freed, and callers may still be on their way through them.
    }

    private async Task HandshakeAsync(CancellationToken cancel)
    {
        Touch();
        _reading = ReadAsync();
        await WriteAsync(_pending.Reserve(1), [new Hello(OpenFlowMessage.Version, 1u << OpenFlowMessage.Version)], cancel).ConfigureAwait(false);
        var hello = await _hello.Task.WaitAsync(cancel).ConfigureAwait(false);
        if (!hello.Speaks(OpenFlowMessage.Version))
        {
            throw new OpenFlowVersionException(
                $"the switch offers {Versions(hello)}, not OpenFlow 1.3: allow it (ovs-vsctl set bridge BRIDGE protocols=OpenFlow13)");
        }

        Features = (FeaturesReply)await RequestAsync(new EmptyMessage(MessageType.FeaturesRequest), null, cancel).ConfigureAwait(false);
        if (_options.ReceiveEvents)
        {
            // A bridge's management socket gets events only when a miss length is set (ofconn_receives_async_msg in OVS).
            await PostAsync(new SwitchConfig(MessageType.SetConfig, 0, 0xffff), cancel).ConfigureAwait(false);
        }

        if (_options.NiciraPacketIn)
        {
            await PostAsync(new SetPacketInFormat(2), cancel).ConfigureAwait(false);
        }

        if (_options.ForwardRequests)
        {
            await PostAsync(AsyncSettings.ForwardRequests, cancel).ConfigureAwait(false);
        }

        _probing = ProbeAsync();
    }

    private async Task WriteAsync(uint firstXid, IReadOnlyList<OpenFlowMessage> messages, CancellationToken cancel) =>
        await WriteAllAsync(messages.Count, i => messages[i].Encode(_writer, firstXid + (uint)i), cancel).ConfigureAwait(false);

    /// <summary>Encodes and writes in chunks: the socket's back-pressure reaches the caller, memory stays small.</summary>
    private async Task WriteAllAsync(int count, Action<int> encode, CancellationToken cancel)
    {
        await _writing.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            _writer.Clear();
            for (var i = 0; i < count; i++)
            {
                var start = _writer.Length;
                try
                {
                    encode(i);
                }
                catch
                {
                    // Whole messages only, whatever the caller gave us.
                    _writer.Truncate(start);
                    await FlushAsync().ConfigureAwait(false);
                    throw;
                }

                if (_writer.Length >= ChunkBytes - 65536 || i == count - 1)
                {
                    await FlushAsync().ConfigureAwait(false);
                    cancel.ThrowIfCancellationRequested();
                }
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or System.Net.Sockets.SocketException)
        {
            Break(new OpenFlowConnectionException($"sending to the switch failed: {e.Message}", e));
            throw await _ended.Task.ConfigureAwait(false);
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Not cancellable by callers: half a message would end the connection.</summary>
    private async Task FlushAsync()
    {
        if (_ended.Task.IsCompleted)
        {
            throw await _ended.Task.ConfigureAwait(false);
        }

        try
        {
            await _stream.WriteAsync(_writer.WrittenMemory, _stop.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            throw await _ended.Task.ConfigureAwait(false);
        }

        _writer.Clear();
    }

    private async Task ReadAsync()
    {
        var buffer = new byte[256 * 1024];
        var held = 0;
        try
        {
            while (true)
            {
                var got = await _stream.ReadAsync(buffer.AsMemory(held), _stop.Token).ConfigureAwait(false);
                if (got == 0)
                {
                    throw new OpenFlowConnectionException("the switch closed the connection");
                }

                Touch();
                held += got;
                var used = 0;
                for (int length; (length = FrameCutter.TryCut(buffer.AsSpan(used, held - used))) > 0; used += length)
                {
                    Handle(buffer.AsSpan(used, length));
                }

                buffer.AsSpan(used, held - used).CopyTo(buffer);
                held -= used;
            }
        }
        catch (Exception e) when (e is OpenFlowException or OperationCanceledException)
        {
            Break(e is OpenFlowException ? e : new OpenFlowConnectionException("the connection was closed by this side"));
        }
        catch (Exception e)
        {
            Break(new OpenFlowConnectionException($"reading from the switch failed: {e.Message}", e));
        }
    }

    private void Handle(ReadOnlySpan<byte> frame)
    {
        var message = MessageCodec.Decode(frame, out var xid);
        switch (message)
        {
            case Hello hello:
                _hello.TrySetResult(hello);
                break;
            case Echo { IsReply: false } echo:
                _ = AnswerEchoAsync(echo, xid);
                break;
            default:
                if (message is ErrorMessage error && !_hello.Task.IsCompletedSuccessfully)
                {
                    throw new OpenFlowVersionException($"the switch refused the handshake: {error.Name}");
                }

                if (!_pending.Complete(xid, message))
                {
                    Unsolicited(message, xid);
                }

                break;
        }
    }

    private async Task AnswerEchoAsync(Echo echo, uint xid)
    {
        try
        {
            await WriteAsync(xid, [echo with { IsReply = true }], CancellationToken.None).ConfigureAwait(false);
        }
        catch (OpenFlowException)
        {
            // The connection has ended; Ended says why.
        }
    }

    /// <summary>After a silence asks for life; after a second one ends the connection.</summary>
    private async Task ProbeAsync()
    {
        try
        {
            while (true)
            {
                await Task.Delay(_options.ProbeInterval / 2, _options.Time, _stop.Token).ConfigureAwait(false);
                var silence = _options.Time.GetElapsedTime(Volatile.Read(ref _lastReceived));
                if (silence > _options.ProbeInterval * 2)
                {
                    throw new OpenFlowConnectionException($"the switch has been silent for {silence.TotalSeconds:0.#} s and does not answer echo requests");
                }

                if (silence >= _options.ProbeInterval)
                {
                    _ = RequestAsync(new Echo(false, []), null, _stop.Token).ContinueWith(static t => _ = t.Exception, TaskScheduler.Default);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The connection has ended.
        }
        catch (OpenFlowException e)
        {
            Break(e);
        }
    }

    private void Touch() => Volatile.Write(ref _lastReceived, _options.Time.GetTimestamp());

    /// <summary>The first reason wins.</summary>
    private void Break(Exception reason)
    {
        if (_ended.TrySetResult(reason))
        {
            _hello.TrySetException(reason);
            _ = _hello.Task.Exception;
            _pending.Fail(reason);
            _stop.Cancel();
        }
    }

    private static string Versions(Hello hello) => hello.Bitmap is { } bits
        ? string.Join(", ", Enumerable.Range(1, 31).Where(v => (bits >> v & 1) != 0).Select(v => $"OpenFlow 1.{v - 1}"))
        : $"OpenFlow 1.{hello.HeaderVersion - 1} and below";
}
