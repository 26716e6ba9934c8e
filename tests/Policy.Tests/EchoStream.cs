using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Weft.Lab.Net;
using Weft.TestSupport;

namespace Weft.Policy.Tests;

/// <summary>One established TCP connection: a byte every few milliseconds, and back.</summary>
internal sealed class EchoStream : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    private readonly CancellationTokenSource _stop = new();
    private readonly Socket _client;
    private readonly Socket _server;
    private readonly Task[] _running;
    private long _lastEcho;
    private long _echoes;

    private EchoStream(string name, Socket client, Socket server)
    {
        (Name, _client, _server) = (name, client, server);
        _running = [Task.Run(SendAsync), Task.Run(EchoAsync), Task.Run(ReceiveAsync)];
    }

    public string Name { get; }

    /// <summary>When the last byte came back (<see cref="Stopwatch.GetTimestamp"/>).</summary>
    public long LastEcho => Volatile.Read(ref _lastEcho);

    /// <summary>How many came back.</summary>
    public long Echoes => Volatile.Read(ref _echoes);

    /// <summary>Connects and waits for the first byte to come back.</summary>
    public static async Task<EchoStream> StartAsync(string name, Netns from, Netns to, IPEndPoint server)
    {
        using var listener = await to.RunInsideAsync(() => new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp));
        listener.Bind(server);
        listener.Listen();
        var client = await from.RunInsideAsync(() => new Socket(server.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true });
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        var accepted = listener.AcceptAsync(patience.Token).AsTask();
        await client.ConnectAsync(server, patience.Token);
        var peer = await accepted;
        peer.NoDelay = true;
        var stream = new EchoStream(name, client, peer);
        await Eventually.True($"the first echo of {name}", () => stream.Echoes > 0);
        return stream;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _client.Dispose();
        _server.Dispose();
        await Task.WhenAll(_running);
        _stop.Dispose();
    }

    private Task SendAsync() => UntilStoppedAsync(async () =>
    {
        await _client.SendAsync("."u8.ToArray(), _stop.Token);
        await Task.Delay(Pause, _stop.Token);
    });

    private Task EchoAsync()
    {
        var buffer = new byte[4096];
        return UntilStoppedAsync(async () => await _server.SendAsync(buffer.AsMemory(0, await _server.ReceiveAsync(buffer, _stop.Token)), _stop.Token));
    }

    private Task ReceiveAsync()
    {
        var buffer = new byte[4096];
        return UntilStoppedAsync(async () =>
        {
            var length = await _client.ReceiveAsync(buffer, _stop.Token);
            Volatile.Write(ref _lastEcho, Stopwatch.GetTimestamp());
            Interlocked.Add(ref _echoes, length);
        });
    }

    private async Task UntilStoppedAsync(Func<Task> step)
    {
        try
        {
            while (!_stop.IsCancellationRequested)
            {
                await step();
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The end, or a connection that was cut: then no echo comes back any more, which is what is looked at.
        }
    }
}
