using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;

namespace Weft.OpenFlow.Switch;

/// <summary>Where a switch listens: unix:PATH, tcp:HOST:PORT or ssl:HOST:PORT (ovs-ofctl(8) "Active connection methods").</summary>
public sealed record OpenFlowEndpoint
{
    private const int DefaultPort = 6653;

    private OpenFlowEndpoint(string method, string address, int port) => (Method, Address, Port) = (method, address, port);

    /// <summary>"unix", "tcp" or "ssl".</summary>
    public string Method { get; }

    /// <summary>Path, or host.</summary>
    public string Address { get; }

    /// <summary>TCP port; 0 for unix.</summary>
    public int Port { get; }

    /// <summary>A unix socket, for a bridge's management socket: /var/run/openvswitch/br-int.mgmt.</summary>
    public static OpenFlowEndpoint Unix(string path) => new("unix", path, 0);

    /// <summary>A TCP port.</summary>
    public static OpenFlowEndpoint Tcp(string host, int port = DefaultPort) => new("tcp", host, port);

    /// <summary>Reads an endpoint.</summary>
    /// <exception cref="FormatException">It is of another form; the message says which are right.</exception>
    public static OpenFlowEndpoint Parse(string text)
    {
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        var (method, rest) = colon < 0 ? ("", text) : (text[..colon], text[(colon + 1)..]);
        if (method == "unix" && rest.Length > 0)
        {
            return Unix(rest);
        }

        if (method is "tcp" or "ssl" && rest.Length > 0)
        {
            var last = rest.LastIndexOf(':');
            var hasPort = last > 0 && (rest[0] != '[' || rest[last - 1] == ']');
            var host = hasPort ? rest[..last] : rest;
            var port = DefaultPort;
            if (!hasPort || int.TryParse(rest.AsSpan(last + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is > 0 and < 65536)
            {
                return new(method, host.Trim('[', ']'), port);
            }
        }

        throw new FormatException($"{text}: an OpenFlow endpoint is unix:PATH, tcp:HOST[:PORT] or ssl:HOST[:PORT]");
    }

    /// <inheritdoc/>
    public override string ToString() => Method == "unix" ? $"unix:{Address}" : $"{Method}:{Address}:{Port}";

    internal async Task<Stream> ConnectAsync(SslClientAuthenticationOptions? tls, CancellationToken cancel)
    {
        Socket socket;
        EndPoint target;
        if (Method == "unix")
        {
            socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            target = new UnixDomainSocketEndPoint(Address);
        }
        else
        {
            socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            target = new DnsEndPoint(Address, Port);
        }

        try
        {
            await socket.ConnectAsync(target, cancel).ConfigureAwait(false);
            Stream stream = new NetworkStream(socket, ownsSocket: true);
            if (Method == "ssl")
            {
                var secure = new SslStream(stream);
                await secure.AuthenticateAsClientAsync(tls ?? new SslClientAuthenticationOptions { TargetHost = Address }, cancel).ConfigureAwait(false);
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
}
