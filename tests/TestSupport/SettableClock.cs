namespace Weft.TestSupport;

/// <summary>A clock that stands until it is told to go on. Timers of it are not supported: it only says what time it is.</summary>
public sealed class SettableClock(DateTimeOffset start) : TimeProvider
{
    private DateTimeOffset _now = start;

    /// <summary>Lets time pass.</summary>
    public void Advance(TimeSpan time) => _now += time;

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => _now;
}
