namespace Weft.Ovsdb;

/// <summary>How long to wait before the next attempt. Pure: no clock, no socket.</summary>
public sealed record ReconnectPolicy
{
    /// <summary>The wait after the first failure. 100 ms.</summary>
    public TimeSpan Minimum { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The longest wait. 8 s.</summary>
    public TimeSpan Maximum { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>How far a wait may be shortened by chance, from 0 to 1, so that many clients do not come back together. 0.3.</summary>
    public double Jitter { get; init; } = 0.3;

    /// <summary>The wait before the next attempt: twice the one before, up to the maximum, less the jitter.</summary>
    /// <param name="failures">Failed attempts since the connection was last good, from 1.</param>
    /// <param name="chance">A random number from 0 to 1.</param>
    public TimeSpan Delay(int failures, double chance)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(failures, 1);
        var doubled = Minimum.TotalMilliseconds * Math.Pow(2, Math.Min(failures - 1, 30));
        return TimeSpan.FromMilliseconds(Math.Min(doubled, Maximum.TotalMilliseconds) * (1 - (Jitter * chance)));
    }
}
