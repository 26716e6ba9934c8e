namespace Weft.OpenFlow.Switch;

/// <summary>When to try again after a connection failed or ended: doubling waits with jitter. Pure: no clock, no socket.</summary>
/// <param name="First">The first wait; 100 ms.</param>
/// <param name="Max">The longest wait; 8 s.</param>
/// <param name="Jitter">The part of a wait that is random, 0 to 1; 0.2.</param>
public sealed record ReconnectPolicy(TimeSpan First, TimeSpan Max, double Jitter = 0.2)
{
    /// <summary>100 ms, doubling up to 8 s.</summary>
    public ReconnectPolicy()
        : this(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(8))
    {
    }

    /// <summary>The wait before the next try.</summary>
    /// <param name="failures">Failures in a row, from 1. A connection that was live for longer than <see cref="Max"/> starts from 1 again.</param>
    /// <param name="random">0 to 1.</param>
    public TimeSpan Wait(int failures, double random)
    {
        var doubled = First * Math.Pow(2, Math.Clamp(failures - 1, 0, 30));
        var wait = doubled < Max ? doubled : Max;
        return wait * (1 - (Jitter * Math.Clamp(random, 0, 1)));
    }
}
