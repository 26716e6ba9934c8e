using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Weft.Lab.Net;

namespace Weft.Bench.NodeBench;

/// <summary>TCP traffic from one namespace to another, with a server thread and a client thread of this process.</summary>
/// <param name="From">The client's namespace.</param>
/// <param name="To">The server's namespace.</param>
/// <param name="Address">The server's address.</param>
internal sealed record Traffic(Netns From, Netns To, IPAddress Address)
{
    private static readonly TimeSpan Measured = TimeSpan.FromSeconds(1.5);

    /// <summary>Megabits that arrive per second on one connection.</summary>
    public async Task<double> ThroughputAsync()
    {
        using var pair = await ConnectAsync();
        var received = 0L;
        using var stop = new CancellationTokenSource();
        var sending = OnThread(() =>
        {
            var buffer = new byte[128 * 1024];
            while (!stop.IsCancellationRequested)
            {
                pair.Client.Send(buffer);
            }

            pair.Client.Shutdown(SocketShutdown.Send);
        });
        var receiving = OnThread(() =>
        {
            var buffer = new byte[256 * 1024];
            for (int read; (read = pair.Server.Receive(buffer)) > 0;)
            {
                Interlocked.Add(ref received, read);
            }
        });

        // The window opens first.
        await Task.Delay(TimeSpan.FromSeconds(0.3));
        var (from, clock) = (Interlocked.Read(ref received), Stopwatch.GetTimestamp());
        await Task.Delay(Measured);
        var rate = (Interlocked.Read(ref received) - from) * 8 / 1e6 / Stopwatch.GetElapsedTime(clock).TotalSeconds;
        await stop.CancelAsync();
        await Task.WhenAll(sending, receiving);
        return rate;
    }

    /// <summary>One-byte questions answered per second on one connection.</summary>
    public async Task<double> RoundTripsAsync()
    {
        using var pair = await ConnectAsync();
        var echo = OnThread(() =>
        {
            var buffer = new byte[1];
            while (pair.Server.Receive(buffer) > 0)
            {
                pair.Server.Send(buffer);
            }
        });
        var count = 0;
        var seconds = 0.0;
        await OnThread(() =>
        {
            var buffer = new byte[1];
            var clock = Stopwatch.GetTimestamp();
            for (; Stopwatch.GetElapsedTime(clock) < Measured; count++)
            {
                pair.Client.Send(buffer);
                pair.Client.Receive(buffer);
            }

            seconds = Stopwatch.GetElapsedTime(clock).TotalSeconds;
            pair.Client.Shutdown(SocketShutdown.Send);
        });
        await echo;
        return count / seconds;
    }

    /// <summary>Connections per second that are opened, used for one byte and closed, one after the other.</summary>
    public async Task<double> ConnectionsAsync()
    {
        using var listener = await ListenAsync();
        using var stop = new CancellationTokenSource();
        var serving = OnThread(() =>
        {
            var buffer = new byte[1];
            while (!stop.IsCancellationRequested)
            {
                using var accepted = listener.Accept();
                accepted.Receive(buffer);
            }
        });
        var port = ((IPEndPoint)listener.LocalEndPoint!).Port;
        var count = 0;
        var seconds = await From.RunInsideAsync(() =>
        {
            var clock = Stopwatch.GetTimestamp();
            for (; Stopwatch.GetElapsedTime(clock) < Measured; count++)
            {
                Open(port);
            }

            var elapsed = Stopwatch.GetElapsedTime(clock).TotalSeconds;
            stop.Cancel();
            Open(port);
            return elapsed;
        });
        await serving;
        return count / seconds;
    }

    private void Open(int port)
    {
        using var socket = new Socket(Address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        // Closed with a reset: thousands of connections a second must not fill the table of ports.
        socket.LingerState = new LingerOption(true, 0);
        socket.Connect(Address, port);
        socket.Send([0]);
    }

    private Task<Socket> ListenAsync() => To.RunInsideAsync(() =>
    {
        var listener = new Socket(Address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(Address, 0));
        listener.Listen(128);
        return listener;
    });

    private async Task<Pair> ConnectAsync()
    {
        using var listener = await ListenAsync();
        var client = await From.RunInsideAsync(() =>
        {
            var socket = new Socket(Address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            socket.Connect(Address, ((IPEndPoint)listener.LocalEndPoint!).Port);
            return socket;
        });
        var server = await listener.AcceptAsync();
        server.NoDelay = true;
        return new Pair(client, server);
    }

    private static Task OnThread(Action work) => Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private sealed record Pair(Socket Client, Socket Server) : IDisposable
    {
        public void Dispose()
        {
            Client.Dispose();
            Server.Dispose();
        }
    }
}
