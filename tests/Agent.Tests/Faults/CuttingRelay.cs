using System.Net.Sockets;

namespace Weft.Agent.Tests.Faults;

/// <summary>A unix socket in front of another one that counts the bytes of its connection, and cuts it at a byte, refuses it, or swallows what it is told to.</summary>
internal sealed class CuttingRelay : IAsyncDisposable
{
    private readonly string _target;
    private readonly Lock _lock = new();
    private readonly List<Socket> _open = [];
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly Task _accepting;
    private (bool Sent, long After)? _cut;
    private (long Sent, long Received) _bytes;

    public CuttingRelay(string listen, string target)
    {
        _target = target;
        _listener.Bind(new UnixDomainSocketEndPoint(listen));
        _listener.Listen(16);
        _accepting = AcceptAsync();
    }

    /// <summary>Bytes that went through the newest connection, from the agent and to it.</summary>
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

    /// <summary>While set, connections end at once.</summary>
    public bool Refuses { get; set; }

    /// <summary>Sees each piece with its direction (true: from the agent); false swallows it.</summary>
    public Func<bool, ReadOnlyMemory<byte>, bool>? Passes { get; set; }

    /// <summary>Ends the connection now, and the next one after so many bytes of one direction.</summary>
    public void CutNextAfter(bool sent, long bytes)
    {
        lock (_lock)
        {
            CloseAll();
            _cut = (sent, bytes);
        }
    }

    /// <summary>Ends the connection now.</summary>
    public void Cut()
    {
        lock (_lock)
        {
            CloseAll();
        }
    }

    public async ValueTask DisposeAsync()
    {
        Refuses = true;
        Cut();
        _listener.Dispose();
        await _accepting;
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
                try
                {
                    await server.ConnectAsync(new UnixDomainSocketEndPoint(_target));
                }
                catch (SocketException)
                {
                    // The program behind is away: so is this.
                    client.Dispose();
                    server.Dispose();
                    continue;
                }

                lock (_lock)
                {
                    if (Refuses)
                    {
                        client.Dispose();
                        server.Dispose();
                        continue;
                    }

                    _bytes = default;
                    _open.AddRange([client, server]);
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

    private async Task PumpAsync(Socket from, Socket to, bool sent)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            int read;
            while ((read = await from.ReceiveAsync(buffer)) > 0)
            {
                var (pass, ends) = Count(sent, read);
                if (Passes?.Invoke(sent, buffer.AsMemory(0, read)) != false)
                {
                    for (var done = 0; done < pass;)
                    {
                        done += await to.SendAsync(buffer.AsMemory(done, pass - done));
                    }
                }

                if (ends)
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
