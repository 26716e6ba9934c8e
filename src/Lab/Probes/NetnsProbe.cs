using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Weft.Lab.Net;

namespace Weft.Lab.Probes;

/// <summary>Reaches out from a network namespace, without a process: sockets are made inside it and used from here.</summary>
/// <remarks>Safe for concurrent calls. The other side is best a <see cref="ProbeServer"/>, which tells whom it saw.</remarks>
public sealed class NetnsProbe(Netns netns)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>Datagrams may be lost, so they are sent again: a user-space switch drops some whenever a link of its node comes or goes.</summary>
    private static readonly TimeSpan Again = TimeSpan.FromMilliseconds(500);

    /// <summary>The namespace.</summary>
    public Netns Netns { get; } = netns;

    /// <summary>Opens a TCP connection, asks the server who it is and whom it sees.</summary>
    /// <param name="to">Where to.</param>
    /// <param name="timeout">2 s when not given.</param>
    /// <param name="ct">Ends the waiting.</param>
    /// <param name="localPort">From which port; 0 for one that the system chooses.</param>
    public async Task<ProbeResult> TcpAsync(IPEndPoint to, TimeSpan? timeout = null, CancellationToken ct = default, int localPort = 0)
    {
        using var socket = await OpenAsync(to.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        if (localPort > 0)
        {
            socket.Bind(new IPEndPoint(to.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, localPort));
        }

        return await MeasureAsync(timeout, ct, async limit =>
        {
            await socket.ConnectAsync(to, limit);
            await socket.SendAsync("?\n"u8.ToArray(), limit);
            return await ReceiveAsync(socket, limit);
        });
    }

    /// <summary>Sends a datagram, again every 500 ms, and waits for the answer.</summary>
    /// <inheritdoc cref="TcpAsync"/>
    public async Task<ProbeResult> UdpAsync(IPEndPoint to, TimeSpan? timeout = null, CancellationToken ct = default)
    {
        using var socket = await OpenAsync(to.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        return await MeasureAsync(timeout, ct, async limit =>
        {
            await socket.ConnectAsync(to, limit);
            return await RepeatAsync(
                async () => await socket.SendAsync("?\n"u8.ToArray(), limit), () => ReceiveAsync(socket, limit), limit);
        });
    }

    /// <summary>Sends an ICMP echo request, again every 500 ms, and waits for its reply.</summary>
    /// <param name="to">Whom.</param>
    /// <param name="payload">Bytes after the ICMP header, at most 65,000; more than the MTU makes fragments.</param>
    /// <param name="timeout">2 s when not given.</param>
    /// <param name="ct">Ends the waiting.</param>
    public Task<ProbeResult> PingAsync(IPAddress to, int payload = 56, TimeSpan? timeout = null, CancellationToken ct = default) =>
        MeasureAsync(timeout, ct, async limit =>
        {
            using var pinger = await Pinger.OpenAsync(Netns, to);
            return await RepeatAsync(() => pinger.SendAsync(1, payload, limit), () => EchoAsync(pinger, limit), limit);
        });

    /// <summary>A socket of the namespace.</summary>
    public Task<Socket> OpenAsync(AddressFamily family, SocketType type, ProtocolType protocol) =>
        Netns.RunInsideAsync(() => new Socket(family, type, protocol));

    private static async Task<(string Server, IPEndPoint? Seen)> EchoAsync(Pinger pinger, CancellationToken ct)
    {
        while (await pinger.ReceiveAsync(ct) != 1)
        {
            // Somebody else's echo.
        }

        return ("", null);
    }

    private static async Task<T> RepeatAsync<T>(Func<Task> send, Func<Task<T>> receive, CancellationToken ct)
    {
        await send();
        var answer = receive();
        while (await Task.WhenAny(answer, Task.Delay(Again, ct)) != answer && !ct.IsCancellationRequested)
        {
            await send();
        }

        return await answer;
    }

    private static async Task<(string Server, IPEndPoint? Seen)> ReceiveAsync(Socket socket, CancellationToken ct)
    {
        var buffer = new byte[512];
        var length = await socket.ReceiveAsync(buffer, ct);
        return ProbeServer.ReadAnswer(Encoding.UTF8.GetString(buffer, 0, length));
    }

    private static async Task<ProbeResult> MeasureAsync(
        TimeSpan? timeout, CancellationToken ct, Func<CancellationToken, Task<(string Server, IPEndPoint? Seen)>> attempt)
    {
        var begun = Stopwatch.GetTimestamp();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(timeout ?? Patience);
        try
        {
            var (server, seen) = await attempt(limit.Token);
            return new ProbeResult(ProbeOutcome.Connected, server, seen, Stopwatch.GetElapsedTime(begun));
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return new ProbeResult(ProbeOutcome.TimedOut, "", null, Stopwatch.GetElapsedTime(begun));
        }
        catch (SocketException e)
        {
            return new ProbeResult(Outcome(e.SocketErrorCode), "", null, Stopwatch.GetElapsedTime(begun));
        }
    }

    private static ProbeOutcome Outcome(SocketError error) => error switch
    {
        SocketError.ConnectionRefused or SocketError.ConnectionReset => ProbeOutcome.Refused,
        SocketError.TimedOut => ProbeOutcome.TimedOut,
        _ => ProbeOutcome.Unreachable,
    };
}
