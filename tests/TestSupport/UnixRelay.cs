using System.Net.Sockets;

namespace Weft.TestSupport;

/// <summary>What becomes of a piece that a <see cref="UnixRelay"/> was given.</summary>
public enum RelayedPiece
{
    /// <summary>It goes on.</summary>
    Passed,

    /// <summary>The other side never sees it; the connection stays.</summary>
    Swallowed,

    /// <summary>It goes on, and the connection ends behind it: nothing is answered.</summary>
    PassedAndCut,
}

/// <summary>
/// A unix socket in front of another one: it counts the bytes of its newest connection, cuts connections now or at a byte, refuses new ones,
/// and shows each piece to a test, which may change or swallow it.
/// </summary>
public sealed class UnixRelay : IAsyncDisposable
{
    private readonly TemporaryFolder? _folder;
    private readonly string _target;
    private readonly Lock _lock = new();
    private readonly List<Socket> _open = [];
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly Task _accepting;
    private (bool Sent, long After)? _cut;
    private (long Sent, long Received) _bytes;

    /// <summary>Listens.</summary>
    /// <param name="target">The socket of the program behind.</param>
    /// <param name="listen">Where to listen; null: in a folder of its own.</param>
    public UnixRelay(string target, string? listen = null)
    {
        _target = target;
        _folder = listen is null ? new TemporaryFolder() : null;
        Socket = listen ?? _folder!.File("relay.sock");
        _listener.Bind(new UnixDomainSocketEndPoint(Socket));
        _listener.Listen(16);
        _accepting = AcceptAsync();
    }

    /// <summary>Where clients connect to.</summary>
    public string Socket { get; }

    /// <summary>Bytes that went through the newest connection, from the client and to it.</summary>
    public (long Sent, long Received) Bytes
    {
        get
        {
            lock (_lock)
            {
                return _bytes;
            }
        }
    }

    /// <summary>Whether a cut that was asked for is still to come.</summary>
    public bool CutIsDue
    {
        get
        {
            lock (_lock)
            {
                return _cut is not null;
            }
        }
    }

    /// <summary>While set, new connections end at once.</summary>
    public bool Refuses { get; set; }

    /// <summary>Sees each piece with its direction (true: from the client) before it goes on, and may change it; null: all pass.</summary>
    public Func<bool, Memory<byte>, RelayedPiece>? OnPiece { get; set; }

    /// <summary>Ends the connections now, and the next one after so many bytes of one direction.</summary>
    public void CutNextAfter(bool sent, long bytes)
    {
        lock (_lock)
        {
            CloseAll();
            _cut = (sent, bytes);
        }
    }

    /// <summary>Ends the connections now.</summary>
    public void Cut()
    {
        lock (_lock)
        {
            CloseAll();
        }
    }

    /// <summary>Ends the connections and refuses new ones, until <see cref="Refuses"/> is taken back.</summary>
    public void Sever()
    {
        Refuses = true;
        Cut();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Sever();
        _listener.Dispose();
        await _accepting;
        _folder?.Dispose();
    }

    private void CloseAll()
    {
        _open.ForEach(s => s.Dispose());
        _open.Clear();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptAsync();
                var server = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                if (!await ConnectAsync(server) || !Opened(client, server))
                {
                    client.Dispose();
                    server.Dispose();
                    continue;
                }

                _ = PumpAsync(client, server, true);
                _ = PumpAsync(server, client, false);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The relay was disposed.
        }
    }

    private async Task<bool> ConnectAsync(Socket server)
    {
        try
        {
            await server.ConnectAsync(new UnixDomainSocketEndPoint(_target));
            return true;
        }
        catch (SocketException)
        {
            // The program behind is away: so is this.
            return false;
        }
    }

    private bool Opened(Socket client, Socket server)
    {
        lock (_lock)
        {
            if (Refuses)
            {
                return false;
            }

            _bytes = default;
            _open.AddRange([client, server]);
            return true;
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
                var (pass, ends) = Count(sent, read);
                var fate = OnPiece?.Invoke(sent, buffer.AsMemory(0, read)) ?? RelayedPiece.Passed;
                for (var done = 0; done < pass && fate != RelayedPiece.Swallowed;)
                {
                    done += await to.SendAsync(buffer.AsMemory(done, pass - done));
                }

                if (ends || fate == RelayedPiece.PassedAndCut)
                {
                    break;
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

    /// <summary>How much of a piece goes through, and whether the connection ends behind it.</summary>
    private (int Pass, bool Ends) Count(bool sent, int read)
    {
        lock (_lock)
        {
            var before = sent ? _bytes.Sent : _bytes.Received;
            _bytes = sent ? (before + read, _bytes.Received) : (_bytes.Sent, before + read);
            if (_cut is not { } cut || cut.Sent != sent || before + read < cut.After)
            {
                return (read, false);
            }

            _cut = null;
            return ((int)Math.Max(0, cut.After - before), true);
        }
    }
}
