using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text;
using Weft.Lab.Net;

namespace Weft.Lab.Probes;

/// <summary>Listens in a network namespace, IPv4 and IPv6, and answers everybody with its name and the address it sees.</summary>
/// <remarks>TCP: answers the first line, or an HTTP GET with a page of the same text, then closes. UDP: answers every datagram.</remarks>
public sealed class ProbeServer : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Socket> _sockets = [];
    private readonly List<Task> _loops = [];
    private readonly string _name;

    private ProbeServer(string name) => _name = name;

    /// <summary>Starts listening.</summary>
    /// <param name="netns">Where.</param>
    /// <param name="name">What it calls itself.</param>
    /// <param name="tcp">TCP ports.</param>
    /// <param name="udp">UDP ports.</param>
    /// <exception cref="SocketException">A port is taken.</exception>
    public static async Task<ProbeServer> StartAsync(Netns netns, string name, IEnumerable<int> tcp, IEnumerable<int> udp)
    {
        var server = new ProbeServer(name);
        try
        {
            foreach (var port in tcp)
            {
                var socket = await server.BindAsync(netns, SocketType.Stream, new IPEndPoint(IPAddress.IPv6Any, port));
                socket.Listen(512);
                server._loops.Add(server.AcceptAsync(socket));
            }

            foreach (var port in udp)
            {
                // One socket per address: each answers from the address that was asked.
                foreach (var address in await netns.RunInsideAsync(LocalAddresses))
                {
                    var socket = await server.BindAsync(netns, SocketType.Dgram, new IPEndPoint(address, port));
                    server._loops.Add(server.AnswerAsync(socket));
                }
            }

            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _sockets.ForEach(s => s.Dispose());
        await Task.WhenAll(_loops);
        _stop.Dispose();
    }

    internal static (string Server, IPEndPoint? Seen) ReadAnswer(string text)
    {
        var parts = text.TrimEnd().Split(' ');
        return parts is [var server, var seen] && IPEndPoint.TryParse(seen, out var client) ? (server, client) : (text.TrimEnd(), null);
    }

    private async Task<Socket> BindAsync(Netns netns, SocketType type, IPEndPoint local)
    {
        var protocol = type == SocketType.Stream ? ProtocolType.Tcp : ProtocolType.Udp;
        var socket = await netns.RunInsideAsync(() => new Socket(local.AddressFamily, type, protocol));
        _sockets.Add(socket);
        if (local.Address.Equals(IPAddress.IPv6Any))
        {
            socket.DualMode = true;
        }

        socket.Bind(local);
        return socket;
    }

    private static IPAddress[] LocalAddresses() =>
        [.. NetworkInterface.GetAllNetworkInterfaces()
            .SelectMany(i => i.GetIPProperties().UnicastAddresses)
            .Select(a => a.Address)
            .Where(a => !a.IsIPv6LinkLocal)];

    private async Task AcceptAsync(Socket listener)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                _ = ServeAsync(await listener.AcceptAsync(_stop.Token));
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                // Stopped, or the peer was gone before it was accepted.
            }
        }
    }

    private async Task ServeAsync(Socket peer)
    {
        using (peer)
        {
            try
            {
                var buffer = new byte[4096];
                var length = await peer.ReceiveAsync(buffer, _stop.Token);
                var answer = Answer((IPEndPoint)peer.RemoteEndPoint!);
                if (buffer.AsSpan(0, length).StartsWith("GET "u8))
                {
                    answer = $"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {answer.Length}\r\nConnection: close\r\n\r\n{answer}";
                }

                await peer.SendAsync(Encoding.UTF8.GetBytes(answer), _stop.Token);
                peer.Shutdown(SocketShutdown.Both);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException)
            {
                // The peer left; there is nobody to tell.
            }
        }
    }

    private async Task AnswerAsync(Socket socket)
    {
        var buffer = new byte[65536];
        var any = socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any;
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var from = await socket.ReceiveFromAsync(buffer, new IPEndPoint(any, 0), _stop.Token);
                await socket.SendToAsync(Encoding.UTF8.GetBytes(Answer((IPEndPoint)from.RemoteEndPoint)), from.RemoteEndPoint, _stop.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                // Stopped, or an earlier answer was refused.
            }
        }
    }

    private string Answer(IPEndPoint client)
    {
        var plain = client.Address.IsIPv4MappedToIPv6 ? new IPEndPoint(client.Address.MapToIPv4(), client.Port) : client;
        return $"{_name} {plain}\n";
    }
}
