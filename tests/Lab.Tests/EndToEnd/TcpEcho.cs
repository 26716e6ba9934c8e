using System.Net.Sockets;

namespace Weft.Lab.Tests.EndToEnd;

/// <summary>Gives back what it is sent on every connection, for as long as the connection lives.</summary>
public sealed class TcpEcho : IAsyncDisposable
{
    private readonly Socket _listener;
    private readonly List<Socket> _connections = [];
    private readonly Task _accepting;

    /// <param name="listener">A listening socket; it is disposed of with this.</param>
    public TcpEcho(Socket listener)
    {
        _listener = listener;
        _accepting = AcceptAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _accepting;
        _connections.ForEach(c => c.Dispose());
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var connection = await _listener.AcceptAsync();
                _connections.Add(connection);
                _ = EchoAsync(connection);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Disposed of.
        }
    }

    private static async Task EchoAsync(Socket connection)
    {
        var buffer = new byte[256];
        try
        {
            while (await connection.ReceiveAsync(buffer) is > 0 and var length)
            {
                await connection.SendAsync(buffer.AsMemory(0, length));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The other end, or the test, ended it.
        }
    }
}
