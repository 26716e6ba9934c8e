using System.IO.Pipelines;

namespace Weft.Lab.Kubelet;

/// <summary>A stream that the other end of a SPDY connection opened.</summary>
internal sealed class SpdyStream(SpdyConnection connection, int id, IReadOnlyDictionary<string, string> headers)
{
    // SPDY's windows are not used by kubectl: the bound is that the connection is not read for more while this much waits.
    private readonly Pipe _input = new(new PipeOptions(pauseWriterThreshold: 4 << 20, resumeWriterThreshold: 2 << 20));

    /// <summary>Its number on the connection.</summary>
    public int Id { get; } = id;

    /// <summary>Names are in lower case.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; } = headers;

    /// <summary>What comes; ends when the other end has said all, with an error when it gave the stream up.</summary>
    public PipeReader Input => _input.Reader;

    public Task SendAsync(ReadOnlyMemory<byte> data, CancellationToken ct) => connection.SendDataAsync(Id, data, isLast: false, ct);

    /// <summary>Says that nothing more comes from here.</summary>
    public Task FinishAsync(CancellationToken ct) => connection.SendDataAsync(Id, default, isLast: true, ct);

    internal async Task TakeAsync(ReadOnlyMemory<byte> data, bool isLast, CancellationToken ct)
    {
        if (data.Length > 0)
        {
            await _input.Writer.WriteAsync(data, ct);
        }

        if (isLast)
        {
            await _input.Writer.CompleteAsync();
        }
    }

    internal void GiveUp() => _input.Writer.Complete(new IOException("the other end gave the stream up"));
}
