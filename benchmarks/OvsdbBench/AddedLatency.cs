using System.Diagnostics;
using System.Net.Sockets;
using Weft.Ovsdb;
using Weft.Ovsdb.OpenVSwitch;
using Weft.TestSupport;

namespace Weft.Bench.OvsdbBench;

/// <summary>What a client adds to one transaction beyond the server's own time, seen at the server's socket.</summary>
/// <remarks>A relay in front of the server takes the time between each piece of a request and the reply. Ours: from the call to its outcome, less
/// that time. <c>ovsdb-client transact</c>: from its connection's start to its end, less the time that the server had; starting the program is not counted.</remarks>
internal static class AddedLatency
{
    private const int Samples = 200;

    public static async Task MeasureAsync(OvsdbServerProcess database)
    {
        using var folder = new TemporaryFolder();
        await using var relay = new TimingRelay(folder.File("relay.sock"), database.Socket);
        List<double> ours = [], peer = [];
        await using (var client = OvsdbClient.Start(new OvsdbClientOptions { Endpoints = [OvsdbEndpoint.Unix(relay.Path)] }))
        {
            await client.WaitUntilLiveAsync();
            for (var i = -Samples; i < Samples; i++)
            {
                var transaction = new Transaction();
                transaction.Update<OpenVSwitchTable>().Set(OpenVSwitchTable.ExternalIds, OvsdbMap.Of(("n", $"{i}")));
                relay.Reset();
                var start = Stopwatch.GetTimestamp();
                (await client.CommitAsync(transaction)).ThrowIfFailed();
                var whole = Stopwatch.GetElapsedTime(start);
                if (i >= 0)
                {
                    ours.Add((whole - relay.ServerTime).TotalMicroseconds);
                }
            }
        }

        for (var i = 0; i < Samples; i++)
        {
            relay.Reset();
            await ChildProcess.RunAsync("ovsdb-client", ["transact", "unix:" + relay.Path,
                $$$"""["Open_vSwitch",{"op":"update","table":"Open_vSwitch","where":[],"row":{"external_ids":["map",[["n","p{{{i}}}"]]]}}]"""]);
            await Eventually.True("the connection ended", () => relay.ConnectionTime != TimeSpan.Zero);
            peer.Add((relay.ConnectionTime - relay.ServerTime).TotalMicroseconds);
        }

        new Figure("ovsdb.commit.added", OvsdbBenchmark.Median(ours), OvsdbBenchmark.Median(peer), "us beyond the server's time, median, ovsdb-client transact without its start").Print();
    }

    /// <summary>Passes bytes on and keeps the time that the server has a request.</summary>
    private sealed class TimingRelay : IAsyncDisposable
    {
        private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        private readonly string _target;
        private readonly Task _accepting;
        private readonly Lock _lock = new();
        private long _asked;
        private TimeSpan _server;
        private TimeSpan _connection;

        public TimingRelay(string path, string target)
        {
            Path = path;
            _target = target;
            _listener.Bind(new UnixDomainSocketEndPoint(path));
            _listener.Listen(4);
            _accepting = AcceptAsync();
        }

        public string Path { get; }

        public TimeSpan ServerTime
        {
            get
            {
                lock (_lock)
                {
                    return _server;
                }
            }
        }

        public TimeSpan ConnectionTime
        {
            get
            {
                lock (_lock)
                {
                    return _connection;
                }
            }
        }

        public void Reset()
        {
            lock (_lock)
            {
                (_asked, _server, _connection) = (0, TimeSpan.Zero, TimeSpan.Zero);
            }
        }

        public async ValueTask DisposeAsync()
        {
            _listener.Dispose();
            await _accepting;
        }

        private async Task AcceptAsync()
        {
            try
            {
                while (true)
                {
                    var client = await _listener.AcceptAsync();
                    var began = Stopwatch.GetTimestamp();
                    var server = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                    await server.ConnectAsync(new UnixDomainSocketEndPoint(_target));
                    // Threads, not tasks: a wake-up through the pool would be counted for the clients.
                    new Thread(() => Pump(client, server, true, began)) { IsBackground = true }.Start();
                    new Thread(() => Pump(server, client, false, began)) { IsBackground = true }.Start();
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // The measurement is over.
            }
        }

        private void Pump(Socket from, Socket to, bool request, long began)
        {
            var buffer = new byte[64 * 1024];
            try
            {
                int read;
                while ((read = from.Receive(buffer)) > 0)
                {
                    lock (_lock)
                    {
                        if (request)
                        {
                            _asked = Stopwatch.GetTimestamp();
                        }
                        else if (_asked != 0)
                        {
                            _server += Stopwatch.GetElapsedTime(_asked);
                            _asked = 0;
                        }
                    }

                    to.Send(buffer.AsSpan(0, read));
                }
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                // One side closed; the other is closed below.
            }

            if (request)
            {
                lock (_lock)
                {
                    _connection = Stopwatch.GetElapsedTime(began);
                }
            }

            from.Dispose();
            to.Dispose();
        }
    }
}
