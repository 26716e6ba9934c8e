using System.Collections.Concurrent;
using System.Net;
using Weft.Lab.Probes;

namespace Weft.Lab.Tests.EndToEnd;

/// <summary>Pings every 10 ms on several paths until stopped, and tells which got no answer.</summary>
public sealed class SteadyPing : IAsyncDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(10);

    private readonly CancellationTokenSource _stop = new();
    private readonly List<Path> _paths = [];

    private SteadyPing()
    {
    }

    /// <summary>Returns after the first answer on every path.</summary>
    public static async Task<SteadyPing> StartAsync(params (TestPod From, IPAddress To)[] paths)
    {
        var steady = new SteadyPing();
        foreach (var (from, to) in paths)
        {
            var first = await from.Probe.PingAsync(to);
            Assert.That(first.Outcome, Is.EqualTo(ProbeOutcome.Connected), $"{from} -> {to} before anything happened");
            var path = new Path($"{from} -> {to}", await Pinger.OpenAsync(from.Netns, to));
            steady._paths.Add(path);
            path.Sending = steady.SendAsync(path);
            path.Receiving = steady.ReceiveAsync(path);
        }

        return steady;
    }

    /// <summary>Stops, waits for the last answers, and names the pings that were lost.</summary>
    public async Task<IReadOnlyList<string>> StopAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_paths.Select(p => p.Sending));
        foreach (var path in _paths)
        {
            using var last = new CancellationTokenSource(TimeSpan.FromSeconds(1));
            while (!path.Open.IsEmpty && !last.IsCancellationRequested)
            {
                await Task.Delay(10);
            }
        }

        return [.. _paths.Select(p => (Path: p, Lost: p.Open.OrderBy(l => l.Key).ToList())).Where(p => p.Lost.Count > 0).Select(p =>
            $"{p.Path.Name}: {p.Lost.Count} of {p.Path.Sent} lost, sent from {p.Lost[0].Value:HH:mm:ss.fff} to {p.Lost[^1].Value:HH:mm:ss.fff} UTC, "
            + $"numbers {string.Join(", ", p.Lost.Take(20).Select(l => l.Key))}")];
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        foreach (var path in _paths)
        {
            await path.Sending;
            path.Pinger.Dispose();
            await path.Receiving;
        }

        _stop.Dispose();
    }

    private async Task SendAsync(Path path)
    {
        using var timer = new PeriodicTimer(Period);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                var number = ++path.Sent;
                path.Open[number] = DateTime.UtcNow;
                await path.Pinger.SendAsync((ushort)number, 56, CancellationToken.None);
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }

    private async Task ReceiveAsync(Path path)
    {
        try
        {
            while (true)
            {
                path.Open.TryRemove(await path.Pinger.ReceiveAsync(CancellationToken.None), out _);
            }
        }
        catch (Exception e) when (e is ObjectDisposedException or System.Net.Sockets.SocketException)
        {
            // Disposed.
        }
    }

    private sealed class Path(string name, Pinger pinger)
    {
        public string Name { get; } = name;

        public Pinger Pinger { get; } = pinger;

        /// <summary>Pings without an answer, and when they were sent.</summary>
        public ConcurrentDictionary<int, DateTime> Open { get; } = new();

        public int Sent { get; set; }

        public Task Sending { get; set; } = Task.CompletedTask;

        public Task Receiving { get; set; } = Task.CompletedTask;
    }
}
