using Microsoft.Extensions.Hosting;

namespace Weft.Agent;

/// <summary>Gives memory back to the node once a burst of work is over: a heap keeps what its largest moment needed, and a node's first snapshot is such a moment.</summary>
/// <remarks>A trim stops the process for about a millisecond per megabyte that lives, so it waits for a quiet moment and for enough garbage to be worth it.</remarks>
internal sealed class HeapTrimmer(TimeProvider time) : BackgroundService
{
    /// <summary>How often it looks, and how long a quiet moment is.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>Less than this allocated in one interval is quiet: probes, metrics and lone changes go on all the time.</summary>
    private const long Quiet = 2 << 20;

    /// <summary>This much must have been allocated since the last trim.</summary>
    private const long Worthwhile = 48 << 20;

    private long _trimmedAt;
    private long _seen;
    private bool _again;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
        {
            Look(GC.GetTotalAllocatedBytes());
        }
    }

    /// <summary>Trims when it is quiet and worthwhile, and in the next quiet moment once more: a collection makes finalizers and array pools let go of what only another one takes.</summary>
    /// <param name="allocated">Bytes allocated since the process began.</param>
    /// <returns>Whether it trimmed.</returns>
    internal bool Look(long allocated)
    {
        var quiet = allocated - _seen < Quiet;
        _seen = allocated;
        if (!quiet || (!_again && allocated - _trimmedAt < Worthwhile))
        {
            return false;
        }

        _again = !_again;
        _trimmedAt = allocated;
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        return true;
    }
}
