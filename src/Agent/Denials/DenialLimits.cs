namespace Weft.Agent.Denials;

/// <summary>How often the agent answers and logs: denied traffic is somebody else's to produce, and must not become work without end.</summary>
/// <remarks>Not thread-safe.</remarks>
internal sealed class DenialLimits(TimeProvider time)
{
    /// <summary>Answers a second, over all senders.</summary>
    public const int AnswersPerSecond = 500;

    /// <summary>Lines a second, over all policies.</summary>
    public const int LinesPerSecond = 50;

    private const int MostFlows = 10_000;
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(1);

    private readonly Dictionary<string, (long Since, int More)> _told = new(StringComparer.Ordinal);
    private (long Since, int Count) _answers;
    private (long Since, int Count) _lines;

    /// <summary>Whether one more answer may be sent.</summary>
    public bool MayAnswer() => Take(ref _answers, AnswersPerSecond);

    /// <summary>Whether a line may be written about this connection, which is at most one a second.</summary>
    /// <param name="connection">Its policy, addresses and port.</param>
    /// <param name="more">How many like it were passed over since the last line.</param>
    public bool MayLog(string connection, out int more)
    {
        var known = _told.TryGetValue(connection, out var last);
        more = known ? last.More : 0;
        if ((known && time.GetElapsedTime(last.Since) < Window) || !Take(ref _lines, LinesPerSecond))
        {
            _told[connection] = (known ? last.Since : time.GetTimestamp(), more + 1);
            return false;
        }

        if (_told.Count >= MostFlows)
        {
            _told.Clear();
        }

        _told[connection] = (time.GetTimestamp(), 0);
        return true;
    }

    private bool Take(ref (long Since, int Count) used, int most)
    {
        if (used.Count == 0 || time.GetElapsedTime(used.Since) >= Window)
        {
            used = (time.GetTimestamp(), 0);
        }

        return ++used.Count <= most;
    }
}
