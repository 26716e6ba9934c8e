using System.Net;
using System.Net.Sockets;

namespace Weft.Ovsdb;

/// <summary>Makes connections to one endpoint, or accepts them on it. A listener stays open between connections.</summary>
internal sealed class Connector(OvsdbEndpoint endpoint, TlsSettings? tls) : IDisposable
{
    private Socket? _listener;

    /// <summary>The endpoint.</summary>
    public OvsdbEndpoint Endpoint => endpoint;

    /// <summary>Where a listener really listens, once it does.</summary>
    public EndPoint? LocalEndPoint => _listener?.LocalEndPoint;

    /// <summary>Returns a connected stream.</summary>
    /// <exception cref="OvsdbConnectionException">There is none; the message names the endpoint.</exception>
    public async Task<Stream> ConnectAsync(CancellationToken cancellationToken)
    {
        try
        {
            var socket = endpoint.IsPassive
                ? await Listen().AcceptAsync(cancellationToken).ConfigureAwait(false)
                : await OpenAsync(cancellationToken).ConfigureAwait(false);
            if (endpoint.Kind != EndpointKind.Unix)
            {
                socket.NoDelay = true;
            }

            var stream = new NetworkStream(socket, ownsSocket: true);
            if (endpoint.Kind != EndpointKind.Tls)
            {
                return stream;
            }

            if (tls is null)
            {
                await stream.DisposeAsync().ConfigureAwait(false);
                throw new InvalidOperationException($"the endpoint {endpoint} needs OvsdbClientOptions.Tls");
            }

            return await tls.SecureAsync(stream, endpoint.IsPassive, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            throw new OvsdbConnectionException($"{endpoint}: {e.Message}", e);
        }
    }

    /// <summary>Opens the listener of a passive endpoint, when it is not open yet.</summary>
    public Socket Listen()
    {
        if (_listener is not null)
        {
            return _listener;
        }

        EndPoint local = endpoint.Kind == EndpointKind.Unix
            ? new UnixDomainSocketEndPoint(endpoint.Address)
            : new IPEndPoint(IPAddress.Parse(endpoint.Address), endpoint.Port);
        var socket = new Socket(local.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            if (endpoint.Kind == EndpointKind.Unix)
            {
                // A socket file left by an earlier process would refuse the bind.
                File.Delete(endpoint.Address);
            }

            socket.Bind(local);
            socket.Listen(16);
            return _listener = socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _listener?.Dispose();

    private async Task<Socket> OpenAsync(CancellationToken cancellationToken)
    {
        var unix = endpoint.Kind == EndpointKind.Unix;
        var socket = unix
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            EndPoint remote = unix ? new UnixDomainSocketEndPoint(endpoint.Address)
                : IPAddress.TryParse(endpoint.Address, out var address) ? new IPEndPoint(address, endpoint.Port)
                : new DnsEndPoint(endpoint.Address, endpoint.Port);
            await socket.ConnectAsync(remote, cancellationToken).ConfigureAwait(false);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
