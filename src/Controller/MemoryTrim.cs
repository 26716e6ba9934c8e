namespace Weft.Controller;

/// <summary>Gives memory back after a burst: the start, or thousands of agents that connect at once leave a heap several times as large as what it holds.</summary>
/// <remarks>The runtime collects when it allocates; a controller in whose cluster nothing happens does not, and would keep the peak for ever. One
/// compacting collection is made once it is quiet, so that nobody waits for it.</remarks>
public sealed class MemoryTrim(TimeProvider time) : BackgroundService
{
    private const long Quiet = 8 << 20;
    private const long Burst = 64 << 20;
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var (before, collectedAt) = (0L, 0L);
        using var timer = new PeriodicTimer(Period, time);
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
        {
            var allocated = GC.GetTotalAllocatedBytes();
            if (allocated - before < Quiet && allocated - collectedAt > Burst)
            {
                GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
                collectedAt = allocated;
            }

            before = allocated;
        }
    }
}
