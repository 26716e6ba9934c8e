using System.Net;
using System.Net.Security;
using System.Net.Sockets;

namespace Weft.OpenFlow.Switch;

/// <summary>Waits for switches that call in (ovs-vsctl set-controller BRIDGE tcp:HOST:PORT): the passive side of TCP, TLS and unix sockets.</summary>
public sealed class OpenFlowListener : IAsyncDisposable
{
    private readonly Socket _socket;
    private readonly SslServerAuthenticationOptions? _tls;
    private readonly string? _path;

    private OpenFlowListener(Socket socket, SslServerAuthenticationOptions? tls, string? path) => (_socket, _tls, _path) = (socket, tls, path);

    /// <summary>Where it listens; for TCP with port 0, the port that the system chose.</summary>
    public EndPoint LocalEndPoint => _socket.LocalEndPoint!;

    /// <summary>Listens on a TCP port.</summary>
    /// <param name="endPoint">Address and port; port 0 lets the system choose.</param>
    /// <param name="tls">Certificate and checks for TLS; null for plain TCP.</param>
    public static OpenFlowListener Tcp(IPEndPoint endPoint, SslServerAuthenticationOptions? tls = null)
    {
        var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        return Listen(socket, endPoint, tls, null);
    }

    /// <summary>Listens on a unix socket; the file must not exist, and is removed at the end.</summary>
    public static OpenFlowListener Unix(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        return Listen(socket, new UnixDomainSocketEndPoint(path), null, path);
    }

    /// <summary>Waits for the next switch and shakes TLS, not OpenFlow, with it.</summary>
    /// <returns>A stream for <see cref="OpenFlowConnection.OpenAsync(Stream, OpenFlowOptions?, CancellationToken)"/>, or for <see cref="OpenFlowSwitch.Over"/>.</returns>
    /// <exception cref="System.Security.Authentication.AuthenticationException">The switch's certificate was refused; the listener goes on.</exception>
    public async Task<Stream> AcceptAsync(CancellationToken cancel = default)
    {
        var socket = await _socket.AcceptAsync(cancel).ConfigureAwait(false);
        try
        {
            if (_path is null)
            {
                socket.NoDelay = true;
            }

            Stream stream = new NetworkStream(socket, ownsSocket: true);
            if (_tls is not null)
            {
                var secure = new SslStream(stream);
                await secure.AuthenticateAsServerAsync(_tls, cancel).ConfigureAwait(false);
                stream = secure;
            }

            return stream;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _socket.Dispose();
        if (_path is not null)
        {
            File.Delete(_path);
        }

        return ValueTask.CompletedTask;
    }

    private static OpenFlowListener Listen(Socket socket, EndPoint endPoint, SslServerAuthenticationOptions? tls, string? path)
    {
        try
        {
            socket.Bind(endPoint);
            socket.Listen(16);
            return new(socket, tls, path);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
