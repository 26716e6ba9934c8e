using System.Collections.Concurrent;
using System.Net;
using Weft.Lab.Probes;

namespace Weft.Lab.Tests.EndToEnd;

/// <summary>Tries without end to get through where nobody may: pings and new connections. Whatever answers is kept.</summary>
public sealed class ForbiddenTraffic : IAsyncDisposable
{
    private static readonly TimeSpan Wait = TimeSpan.FromMilliseconds(300);

    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<string> _answers = new();
    private readonly List<Task> _attempts = [];
    private int _count;

    private ForbiddenTraffic()
    {
    }

    /// <summary>What got through; must stay empty.</summary>
    public IReadOnlyCollection<string> Answers => _answers;

    /// <summary>How often it was tried.</summary>
    public int Attempts => _count;

    /// <summary>Begins, from each to each.</summary>
    public static ForbiddenTraffic Start(IReadOnlyList<TestPod> from, IReadOnlyList<TestPod> to)
    {
        var traffic = new ForbiddenTraffic();
        foreach (var (source, target) in from.SelectMany(f => to, (f, t) => (f, t)))
        {
            traffic._attempts.Add(traffic.TryAsync($"ping {source} -> {target}", () => source.Probe.PingAsync(target.V4, timeout: Wait)));
            traffic._attempts.Add(traffic.TryAsync($"TCP {source} -> {target}", () => source.Probe.TcpAsync(new IPEndPoint(target.V4, 80), Wait)));
        }

        return traffic;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_attempts);
        _stop.Dispose();
    }

    private async Task TryAsync(string name, Func<Task<ProbeResult>> attempt)
    {
        while (!_stop.IsCancellationRequested)
        {
            var result = await attempt();
            Interlocked.Increment(ref _count);
            if (result.Outcome is ProbeOutcome.Connected or ProbeOutcome.Refused)
            {
                _answers.Enqueue($"{name} at {DateTime.UtcNow:HH:mm:ss.fff}: {result}");
            }

            await Task.Delay(20);
        }
    }
}
