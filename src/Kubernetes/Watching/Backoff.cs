namespace Weft.Kubernetes;

/// <summary>How long to wait before the next attempt: doubles from <see cref="First"/> to <see cref="Longest"/>, a quarter more or less at random.</summary>
/// <remarks>Pure: it holds a count, no clock. Not thread-safe.</remarks>
public sealed class Backoff(TimeSpan first, TimeSpan longest, Random? random = null)
{
    private readonly Random _random = random ?? Random.Shared;
    private int _failures;

    /// <summary>The wait after the first failure.</summary>
    public TimeSpan First { get; } = first;

    /// <summary>No wait is longer than this and a quarter.</summary>
    public TimeSpan Longest { get; } = longest;

    /// <summary>The number of failures since the last success.</summary>
    public int Failures => _failures;

    /// <summary>Counts a failure.</summary>
    /// <param name="atLeast">What the other side asked for (Retry-After), or null.</param>
    /// <returns>How long to wait.</returns>
    public TimeSpan Next(TimeSpan? atLeast = null)
    {
        var grown = Math.Min(Longest.TotalMilliseconds, First.TotalMilliseconds * Math.Pow(2, Math.Min(_failures, 30)));
        _failures++;
        var jittered = TimeSpan.FromMilliseconds(grown * (0.75 + (_random.NextDouble() / 2)));
        // Spread the ones who were all told the same number of seconds.
        return atLeast is { } asked && asked > jittered ? asked + TimeSpan.FromMilliseconds(_random.NextDouble() * First.TotalMilliseconds) : jittered;
    }

    /// <summary>A success: the next failure waits <see cref="First"/> again.</summary>
    public void Reset() => _failures = 0;
}
