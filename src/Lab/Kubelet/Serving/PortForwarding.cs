using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Weft.Lab.Net;

namespace Weft.Lab.Kubelet;

/// <summary>Connections to a pod's own localhost for somebody at the other end of a SPDY connection: <c>portforward.k8s.io</c>.</summary>
/// <remarks>For each connection the client opens a stream for errors, then one for data, of one <c>requestid</c>. As runtimes do, the
/// connection is made inside the pod's namespace: no network is asked, so it works whatever the pod's addresses.</remarks>
internal sealed class PortForwarding(Netns netns, string pod, Action<string> log)
{
    private readonly ConcurrentDictionary<string, SpdyStream> _errors = new(StringComparer.Ordinal);

    /// <summary>Serves until the other end has gone.</summary>
    /// <inheritdoc cref="SpdyConnection.RunAsync" path="/exception"/>
    public async Task RunAsync(Stream transport, CancellationToken ct)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(ct);
        using var spdy = new SpdyConnection(transport);
        var connections = new ConcurrentBag<Task>();
        try
        {
            await spdy.RunAsync(stream => Take(stream, connections, end.Token), ct);
        }
        catch (InvalidDataException e)
        {
            log($"port-forward to {pod}: {e.Message}");
        }
        finally
        {
            await end.CancelAsync();
            await Task.WhenAll(connections);
        }
    }

    private void Take(SpdyStream stream, ConcurrentBag<Task> connections, CancellationToken ct)
    {
        var request = stream.Headers.GetValueOrDefault("requestid", "");
        if (stream.Headers.GetValueOrDefault("streamtype") == "error")
        {
            _errors[request] = stream;
        }
        else if (_errors.TryRemove(request, out var errors))
        {
            connections.Add(ConnectAsync(stream, errors, ct));
        }
    }

    private async Task ConnectAsync(SpdyStream data, SpdyStream errors, CancellationToken ct)
    {
        try
        {
            try
            {
                var port = ushort.Parse(data.Headers.GetValueOrDefault("port", ""), NumberStyles.None, CultureInfo.InvariantCulture);
                using var socket = await DialAsync(port, ct);
                var toPod = ToPodAsync(data, socket, ct);
                await FromPodAsync(socket, data, ct);

                // The pod has said all: kubectl ends the connection then, whatever it still has to say.
                await data.FinishAsync(ct);
                await errors.FinishAsync(ct);
                await toPod;
                return;
            }
            catch (Exception e) when (e is SocketException or FormatException or LabException)
            {
                await errors.SendAsync(Encoding.UTF8.GetBytes($"error forwarding port {data.Headers.GetValueOrDefault("port")} to pod {pod}: {e.Message}"), ct);
            }

            await data.FinishAsync(ct);
            await errors.FinishAsync(ct);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // The other end has gone.
        }
    }

    /// <summary>IPv4 first, as containerd does.</summary>
    private async Task<Socket> DialAsync(ushort port, CancellationToken ct)
    {
        try
        {
            return await DialAsync(IPAddress.Loopback, port, ct);
        }
        catch (SocketException)
        {
            return await DialAsync(IPAddress.IPv6Loopback, port, ct);
        }
    }

    private async Task<Socket> DialAsync(IPAddress address, ushort port, CancellationToken ct)
    {
        var socket = await netns.RunInsideAsync(() => new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp));
        try
        {
            await socket.ConnectAsync(address, port, ct);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Never fails: when either side gives up, the socket says so to the other direction.</summary>
    private static async Task ToPodAsync(SpdyStream data, Socket socket, CancellationToken ct)
    {
        try
        {
            while (true)
            {
                var read = await data.Input.ReadAsync(ct);
                foreach (var part in read.Buffer)
                {
                    await socket.SendAsync(part, ct);
                }

                data.Input.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                {
                    socket.Shutdown(SocketShutdown.Send);
                    return;
                }
            }
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or OperationCanceledException)
        {
            socket.Dispose();
            await data.Input.CompleteAsync();
        }
    }

    /// <summary>Returns when the pod has said all, or the connection is over.</summary>
    private static async Task FromPodAsync(Socket socket, SpdyStream data, CancellationToken ct)
    {
        var buffer = new byte[32 << 10];
        while (true)
        {
            int read;
            try
            {
                read = await socket.ReceiveAsync(buffer, ct);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }

            if (read == 0)
            {
                return;
            }

            await data.SendAsync(buffer.AsMemory(0, read), ct);
        }
    }
}
