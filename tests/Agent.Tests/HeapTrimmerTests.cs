namespace Weft.Agent.Tests;

public sealed class HeapTrimmerTests
{
    private const long Megabyte = 1 << 20;

    [Test]
    public void Memory_goes_back_once_a_burst_is_over_and_again_when_pools_have_let_go()
    {
        using var trimmer = new HeapTrimmer(TimeProvider.System);
        (long Allocated, bool Trims)[] seconds =
        [
            (10 * Megabyte, false), // Starting.
            (11 * Megabyte, false), // Quiet, and not worth it.
            (80 * Megabyte, false), // The burst.
            (120 * Megabyte, false),
            (121 * Megabyte, true),
            (122 * Megabyte, true),
            (123 * Megabyte, false),
            (160 * Megabyte, false), // Busy, and little since the last time.
            (161 * Megabyte, false),
        ];

        Assert.That(seconds.Select(s => trimmer.Look(s.Allocated)), Is.EqualTo(seconds.Select(s => s.Trims)));
    }

    [Test]
    public void A_pool_of_garbage_is_really_given_back()
    {
        using var trimmer = new HeapTrimmer(TimeProvider.System);
        Fill();
        var before = GC.GetGCMemoryInfo().TotalCommittedBytes;

        trimmer.Look(GC.GetTotalAllocatedBytes());
        Assert.That(trimmer.Look(GC.GetTotalAllocatedBytes()), Is.True);

        Assert.That(GC.GetGCMemoryInfo().TotalCommittedBytes, Is.LessThan(before - (32 * Megabyte)));
    }

    // In a frame of its own, so that nothing on the stack keeps it.
    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static void Fill()
    {
        var arrays = Enumerable.Range(0, 64).Select(_ => new byte[Megabyte]).ToList();
        GC.Collect();
        GC.KeepAlive(arrays);
    }
}
