using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using Weft.Lab.Probes;

namespace Weft.Lab.Tests.EndToEnd;

/// <summary>New TCP connections at a steady rate, each asking the server who it is. Slow answers do not slow the next question.</summary>
public sealed class SteadyConnections : IAsyncDisposable
{
    // Every connection from a port of its own: the server ends them, so the client's system would give ports again at once, while conntrack
    // and the server still know the connection before.
    private const int FirstPort = 4000;
    private const int Ports = 28_000;

    // Across tests too: a port that reached an endpoint a test before leads conntrack back to it, and it may be gone.
    private static int _asked;

    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentBag<(TimeSpan At, ProbeResult Result)> _results = [];
    private readonly ConcurrentDictionary<Task, bool> _open = new();
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly Task _loop;

    private SteadyConnections(NetnsProbe from, IPEndPoint to, int perSecond, TimeSpan patience) => _loop = RunAsync(from, to, perSecond, patience);

    /// <summary>Since the start.</summary>
    public TimeSpan Now => _clock.Elapsed;

    /// <summary>Begins to ask.</summary>
    /// <param name="patience">How long one question may take before it counts as failed.</param>
    public static SteadyConnections Start(NetnsProbe from, IPEndPoint to, int perSecond, TimeSpan patience) => new(from, to, perSecond, patience);

    /// <summary>Ends and returns every question with the time at which it was asked.</summary>
    public async Task<IReadOnlyList<(TimeSpan At, ProbeResult Result)>> StopAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        await Task.WhenAll(_open.Keys);
        return [.. _results.OrderBy(r => r.At)];
    }

    /// <summary>The failures among results, readable.</summary>
    public static IReadOnlyList<string> Failures(IEnumerable<(TimeSpan At, ProbeResult Result)> results) =>
        [.. results.Where(r => r.Result.Outcome != ProbeOutcome.Connected).Select(r => $"at {r.At.TotalSeconds:0.000} s: {r.Result}")];

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _loop;
        await Task.WhenAll(_open.Keys);
        _stop.Dispose();
    }

    private async Task RunAsync(NetnsProbe from, IPEndPoint to, int perSecond, TimeSpan patience)
    {
        for (var asked = 0L; !_stop.IsCancellationRequested;)
        {
            for (; asked < _clock.Elapsed.TotalSeconds * perSecond; asked++)
            {
                var question = AskAsync(from, to, patience, FirstPort + (Interlocked.Increment(ref _asked) % Ports));
                _open[question] = true;
                _ = question.ContinueWith(t => _open.TryRemove(t, out _), TaskScheduler.Default);
            }

            await Task.Delay(2).ConfigureAwait(ConfigureAwaitOptions.None);
        }
    }

    private async Task AskAsync(NetnsProbe from, IPEndPoint to, TimeSpan patience, int localPort)
    {
        var at = _clock.Elapsed;
        _results.Add((at, await from.TcpAsync(to, patience, localPort: localPort)));
    }
}
