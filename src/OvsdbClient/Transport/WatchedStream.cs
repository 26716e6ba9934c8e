namespace Weft.Ovsdb;

/// <summary>Counts what arrives: for probes (when did we last hear something?) and for the limit of a message's size.</summary>
internal sealed class WatchedStream(Stream inner, TimeProvider time, long maxMessageBytes) : Stream
{
    private long _lastReceived = time.GetTimestamp();
    private long _sinceMessageStart;
    private long _received;

    /// <summary>When something last arrived.</summary>
    public TimeSpan Idle => time.GetElapsedTime(Interlocked.Read(ref _lastReceived));

    /// <summary>All bytes so far.</summary>
    public long Received => Interlocked.Read(ref _received);

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>A new message starts at about here; what the reader has buffered counts for the old one.</summary>
    public void StartMessage() => _sinceMessageStart = 0;

    public override int Read(byte[] buffer, int offset, int count) => Count(inner.Read(buffer, offset, count));

    public override int Read(Span<byte> buffer) => Count(inner.Read(buffer));

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        inner.WriteAsync(buffer, cancellationToken);

    public override void Write(byte[] buffer, int offset, int count) => inner.Write(buffer, offset, count);

    public override void Flush() => inner.Flush();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }

    private int Count(int read)
    {
        Interlocked.Exchange(ref _lastReceived, time.GetTimestamp());
        Interlocked.Add(ref _received, read);
        _sinceMessageStart += read;
        return _sinceMessageStart <= maxMessageBytes ? read : throw new OvsdbProtocolException(
            $"a message is longer than {maxMessageBytes} bytes: raise OvsdbConnectionOptions.MaxMessageBytes if that is right");
    }
}
