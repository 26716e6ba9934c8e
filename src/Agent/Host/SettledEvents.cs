using System.Threading.Channels;

namespace Weft.Agent.Host;

/// <summary>Events that come in bursts and say only that it is time to look: one look for each burst.</summary>
/// <remarks><see cref="Notice"/> is safe for concurrent use; one at a time waits.</remarks>
/// <param name="settle">How long a burst may take.</param>
/// <param name="time">The clock.</param>
internal sealed class SettledEvents(TimeSpan settle, TimeProvider time)
{
    private readonly Channel<bool> _events = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>Something happened. Returns at once.</summary>
    public void Notice() => _events.Writer.TryWrite(true);

    /// <summary>Waits for a burst and its end.</summary>
    /// <returns>False when there was none for so long.</returns>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/> ended the wait.</exception>
    public async Task<bool> WaitAsync(TimeSpan patience, CancellationToken stop)
    {
        using var late = new CancellationTokenSource(patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, stop);
        try
        {
            await _events.Reader.ReadAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return false;
        }

        await Task.Delay(settle, time, stop).ConfigureAwait(false);
        _events.Reader.TryRead(out _);
        return true;
    }
}
