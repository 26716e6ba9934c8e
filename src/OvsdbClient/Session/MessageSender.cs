using System.Text;

namespace Weft.Ovsdb;

/// <summary>Sends messages in the order in which they were queued; what queues up while a write is under way goes out in the next one.</summary>
internal sealed class MessageSender
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    private readonly Lock _lock = new();
    private readonly Stream _stream;
    private readonly long _maxPendingBytes;
    private readonly SemaphoreSlim _work = new(0);
    private Buffer _filling = new();
    private Buffer _sending = new();
    private TaskCompletionSource _drained = Completed();
    private Exception? _closed;
    private bool _signalled;

    public MessageSender(Stream stream, long maxPendingBytes)
    {
        _stream = stream;
        _maxPendingBytes = maxPendingBytes;
    }

    /// <summary>Waits until there is room. Cancelling while waiting queues nothing.</summary>
    public async ValueTask WaitForRoomAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task drained;
            lock (_lock)
            {
                if (_closed is not null || _filling.Bytes.Length < _maxPendingBytes)
                {
                    return;
                }

                drained = _drained.Task;
            }

            await drained.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Queues one message.</summary>
    /// <param name="write">Writes it; when it throws, nothing is queued and the exception goes on to the caller.</param>
    public void Queue(Action<OvsdbJsonWriter> write)
    {
        lock (_lock)
        {
            if (_closed is not null)
            {
                throw new OvsdbConnectionException(_closed.Message, _closed);
            }

            _filling.Append(write);
            if (_drained.Task.IsCompleted)
            {
                _drained = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            if (!_signalled)
            {
                _signalled = true;
                _work.Release();
            }
        }
    }

    /// <summary>Ends <see cref="RunAsync"/>; later messages fail with <paramref name="reason"/>.</summary>
    public void Close(Exception reason)
    {
        lock (_lock)
        {
            _closed ??= reason;
            _drained.TrySetResult();
            if (!_signalled)
            {
                _signalled = true;
                _work.Release();
            }
        }
    }

    /// <summary>Writes until closed. Ends with the stream's exception when it breaks.</summary>
    public async Task RunAsync()
    {
        while (true)
        {
            await _work.WaitAsync().ConfigureAwait(false);
            lock (_lock)
            {
                _signalled = false;
                if (_closed is not null)
                {
                    return;
                }

                (_filling, _sending) = (_sending, _filling);
                _drained.TrySetResult();
            }

            await _stream.WriteAsync(_sending.Bytes.GetBuffer().AsMemory(0, (int)_sending.Bytes.Length)).ConfigureAwait(false);
            _sending.Bytes.SetLength(0);
        }
    }

    private static TaskCompletionSource Completed()
    {
        var source = new TaskCompletionSource();
        source.SetResult();
        return source;
    }

    /// <summary>Messages as bytes, one after the other.</summary>
    private sealed class Buffer
    {
        private StreamWriter _text;

        public Buffer() => _text = Text();

        public MemoryStream Bytes { get; } = new();

        public void Append(Action<OvsdbJsonWriter> write)
        {
            var start = Bytes.Length;
            try
            {
                var json = new OvsdbJsonWriter(_text);
                write(json);
                json.Flush();
            }
            catch
            {
                // Part of the message is in the stream, part in the writer: both go.
                _text = Text();
                Bytes.SetLength(start);
                throw;
            }
        }

        private StreamWriter Text() => new(Bytes, Utf8, 1024, leaveOpen: true);
    }
}
