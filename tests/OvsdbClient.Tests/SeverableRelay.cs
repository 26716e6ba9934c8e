using System.Net.Sockets;
using Weft.TestSupport;

namespace Weft.Ovsdb.Tests;

/// <summary>A unix socket in front of a server that can be cut: connections end at once and new ones are refused until restored.</summary>
internal sealed class SeverableRelay : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _target;
    private readonly Lock _lock = new();
    private readonly List<Socket> _open = [];
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly Task _accepting;
    private bool _severed;

    private SeverableRelay(string target)
    {
        _target = target;
        Socket = _folder.File("relay.sock");
        _listener.Bind(new UnixDomainSocketEndPoint(Socket));
        _listener.Listen(16);
        _accepting = AcceptAsync();
    }

    /// <summary>Where clients connect to.</summary>
    public string Socket { get; }

    /// <summary>Called with each piece that a client sends, before it is passed on; false cuts the connection after passing it on.</summary>
    public Func<ReadOnlyMemory<byte>, bool>? OnSent { get; set; }

    /// <summary>Called with each piece that the server sends, before it is passed on; may change it.</summary>
    public Action<Memory<byte>>? OnReceived { get; set; }

    public static Task<SeverableRelay> StartAsync(string target) => Task.FromResult(new SeverableRelay(target));

    /// <summary>Ends all connections and refuses new ones.</summary>
    public void Sever()
    {
        lock (_lock)
        {
            _severed = true;
            _open.ForEach(s => s.Dispose());
            _open.Clear();
        }
    }

    /// <summary>Accepts connections again.</summary>
    public void Restore()
    {
        lock (_lock)
        {
            _severed = false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        Sever();
        _listener.Dispose();
        await _accepting;
        _folder.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptAsync();
                var server = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                lock (_lock)
                {
                    if (_severed)
                    {
                        client.Dispose();
                        server.Dispose();
                        continue;
                    }

                    _open.Add(client);
                    _open.Add(server);
                }

                await server.ConnectAsync(new UnixDomainSocketEndPoint(_target));
                _ = PumpAsync(client, server, true);
                _ = PumpAsync(server, client, false);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The relay was disposed.
        }
    }

    private async Task PumpAsync(Socket from, Socket to, bool sent)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            int read;
            while ((read = await from.ReceiveAsync(buffer)) > 0)
            {
                if (!sent)
                {
                    OnReceived?.Invoke(buffer.AsMemory(0, read));
                }

                var goOn = !sent || OnSent?.Invoke(buffer.AsMemory(0, read)) != false;
                for (var done = 0; done < read;)
                {
                    done += await to.SendAsync(buffer.AsMemory(done, read - done));
                }

                if (!goOn)
                {
                    // The request is with the server; its reply must not come back.
                    from.Dispose();
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Cut, or closed by one side: the other one is closed below.
        }

        from.Dispose();
        to.Dispose();
    }
}
