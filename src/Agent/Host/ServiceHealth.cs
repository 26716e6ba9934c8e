using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Weft.Agent.Host;

/// <summary>Answers the health-check node ports of Services with <c>externalTrafficPolicy: Local</c>, as kube-proxy does: 200 where an endpoint is, 503 elsewhere.</summary>
/// <remarks>Cloud load balancers ask every node and send traffic to those that say 200. Safe for concurrent calls.</remarks>
public sealed partial class ServiceHealth(ILogger<ServiceHealth> logger) : IAsyncDisposable
{
    private const int LongestRequest = 4096;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly Dictionary<int, Listener> _listeners = [];

    /// <summary>Listens on exactly these ports; what is answered changes at once.</summary>
    /// <returns>Ports that cannot be listened on, one sentence each; they are tried again at the next call.</returns>
    public IReadOnlyList<string> Set(IReadOnlyDictionary<int, HealthCheck> checks)
    {
        var problems = new List<string>();
        lock (_lock)
        {
            foreach (var port in _listeners.Keys.Except(checks.Keys).ToList())
            {
                _listeners.Remove(port, out var listener);
                listener!.Dispose();
                LogStopped(logger, port);
            }

            foreach (var (port, check) in checks)
            {
                if (_listeners.TryGetValue(port, out var listener))
                {
                    listener.Check = check;
                    continue;
                }

                try
                {
                    _listeners[port] = new Listener(port, check);
                    LogStarted(logger, port, check.Service);
                }
                catch (SocketException e)
                {
                    problems.Add($"health checks of Service {check.Service} cannot be answered on port {port}: {e.Message}; end what listens there or choose another healthCheckNodePort");
                }
            }
        }

        return problems;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        Set(new Dictionary<int, HealthCheck>());
        return ValueTask.CompletedTask;
    }

    [LoggerMessage(3010, LogLevel.Information, "Answering health checks of Service {Service} on port {Port}")]
    private static partial void LogStarted(ILogger logger, int port, string service);

    [LoggerMessage(3011, LogLevel.Information, "No more health checks on port {Port}")]
    private static partial void LogStopped(ILogger logger, int port);

    /// <summary>One port. HTTP/1.1 in its smallest form: one request a connection, any path.</summary>
    private sealed class Listener : IDisposable
    {
        private readonly Socket _socket;
        private volatile HealthCheck _check;

        public Listener(int port, HealthCheck check)
        {
            _check = check;
            _socket = new Socket(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp) { DualMode = true };
            try
            {
                _socket.Bind(new IPEndPoint(IPAddress.IPv6Any, port));
                _socket.Listen(64);
            }
            catch
            {
                _socket.Dispose();
                throw;
            }

            _ = AcceptAsync();
        }

        public HealthCheck Check
        {
            set => _check = value;
        }

        public void Dispose() => _socket.Dispose();

        private async Task AcceptAsync()
        {
            while (true)
            {
                try
                {
                    _ = AnswerAsync(await _socket.AcceptAsync().ConfigureAwait(false));
                }
                catch (Exception e) when (e is ObjectDisposedException or SocketException { SocketErrorCode: SocketError.OperationAborted })
                {
                    return;
                }
                catch (SocketException)
                {
                    // The peer was gone before it was accepted.
                }
            }
        }

        private async Task AnswerAsync(Socket peer)
        {
            using (peer)
            {
                try
                {
                    using var limit = new CancellationTokenSource(Patience);
                    var request = new byte[LongestRequest];
                    var length = 0;
                    while (length < request.Length && request.AsSpan(0, length).IndexOf("\r\n\r\n"u8) < 0)
                    {
                        var read = await peer.ReceiveAsync(request.AsMemory(length), limit.Token).ConfigureAwait(false);
                        if (read == 0)
                        {
                            return;
                        }

                        length += read;
                    }

                    await peer.SendAsync(_check.Answer(), limit.Token).ConfigureAwait(false);
                    peer.Shutdown(SocketShutdown.Both);
                }
                catch (Exception e) when (e is SocketException or OperationCanceledException)
                {
                    // The checker left or never asked; it will ask again.
                }
            }
        }
    }
}

/// <summary>What a health-check port says.</summary>
/// <param name="Service"><c>namespace/name</c>.</param>
/// <param name="LocalEndpoints">Ready endpoints on this node.</param>
public sealed record HealthCheck(string Service, int LocalEndpoints)
{
    /// <summary>The HTTP answer, in kube-proxy's words (pkg/proxy/healthcheck).</summary>
    internal byte[] Answer()
    {
        using var body = new MemoryStream();
        using (var json = new Utf8JsonWriter(body))
        {
            var slash = Service.IndexOf('/', StringComparison.Ordinal);
            json.WriteStartObject();
            json.WriteStartObject("service");
            json.WriteString("namespace", Service[..Math.Max(0, slash)]);
            json.WriteString("name", Service[(slash + 1)..]);
            json.WriteEndObject();
            json.WriteNumber("localEndpoints", LocalEndpoints);
            json.WriteBoolean("serviceProxyHealthy", true);
            json.WriteEndObject();
        }

        var status = LocalEndpoints > 0 ? "200 OK" : "503 Service Unavailable";
        var head = $"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nX-Content-Type-Options: nosniff\r\n" +
            $"X-Load-Balancing-Endpoint-Weight: {LocalEndpoints}\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n";
        return [.. Encoding.ASCII.GetBytes(head), .. body.ToArray()];
    }
}
