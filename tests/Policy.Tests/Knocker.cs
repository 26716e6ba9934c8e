using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Weft.Lab.Net;

namespace Weft.Policy.Tests;

/// <summary>Knocks at addresses without end: a new TCP connection and a datagram to each every few milliseconds, whether there is a pod or not.</summary>
/// <remarks>An answer of any kind is a packet that got through, a reset included.</remarks>
internal sealed class Knocker : IAsyncDisposable
{
    private const int Port = 80;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(3);
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(150);

    private readonly ManualResetEventSlim _stop = new();
    private readonly ConcurrentQueue<string> _answers = new();
    private readonly Task<bool> _knocking;
    private volatile IPAddress[] _targets = [];
    private int _count;

    private Knocker(Netns from) => _knocking = from.RunInsideAsync(Knock);

    /// <summary>What came back, by address.</summary>
    public IEnumerable<string> Answers => _answers;

    /// <summary>How often it knocked.</summary>
    public int Knocks => Volatile.Read(ref _count);

    /// <summary>Begins.</summary>
    public static Knocker Start(Netns from) => new(from);

    /// <summary>Knocks at these from now on.</summary>
    public void Aim(params IPAddress[] targets) => _targets = targets;

    /// <summary>Whether something came back from an address.</summary>
    public bool Heard(IPAddress address) => _answers.Any(a => a.StartsWith($"{address} ", StringComparison.Ordinal));

    public async ValueTask DisposeAsync()
    {
        _stop.Set();
        await _knocking;
        _stop.Dispose();
    }

    // A thread of its own, in the namespace: every socket is made there.
    private bool Knock()
    {
        var pending = new Queue<(Socket Socket, IPEndPoint To, long Until)>();
        using var v4 = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { Blocking = false };
        using var v6 = new Socket(AddressFamily.InterNetworkV6, SocketType.Dgram, ProtocolType.Udp) { Blocking = false };
        v4.Bind(new IPEndPoint(IPAddress.Any, 0));
        v6.Bind(new IPEndPoint(IPAddress.IPv6Any, 0));
        while (!_stop.Wait(Pause))
        {
            foreach (var target in _targets)
            {
                Interlocked.Increment(ref _count);
                var to = new IPEndPoint(target, Port);
                pending.Enqueue((Call(to), to, Environment.TickCount64 + (long)Patience.TotalMilliseconds));
                Send(target.AddressFamily == AddressFamily.InterNetwork ? v4 : v6, to);
            }

            Hear(v4);
            Hear(v6);
            while (pending.TryPeek(out var oldest) && oldest.Until < Environment.TickCount64)
            {
                Judge(pending.Dequeue());
            }
        }

        foreach (var left in pending)
        {
            Judge(left);
        }

        return true;
    }

    private static Socket Call(IPEndPoint to)
    {
        var socket = new Socket(to.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { Blocking = false, LingerState = new LingerOption(true, 0) };
        try
        {
            socket.Connect(to);
        }
        catch (SocketException)
        {
            // Under way, or no route yet: what came of it is asked for later.
        }

        return socket;
    }

    private static void Send(Socket socket, IPEndPoint to)
    {
        try
        {
            socket.SendTo("?\n"u8, to);
        }
        catch (SocketException)
        {
            // An error of an earlier datagram, or a full queue; the next one follows.
        }
    }

    private void Hear(Socket socket)
    {
        Span<byte> buffer = stackalloc byte[512];
        EndPoint from = new IPEndPoint(socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
        try
        {
            while (socket.Available > 0)
            {
                socket.ReceiveFrom(buffer, ref from);
                _answers.Enqueue($"{((IPEndPoint)from).Address} answered a datagram");
            }
        }
        catch (SocketException e) when (e.SocketErrorCode != SocketError.WouldBlock)
        {
            _answers.Enqueue($"some address answered a datagram with {e.SocketErrorCode}");
        }
        catch (SocketException)
        {
            // Nothing there.
        }
    }

    private void Judge((Socket Socket, IPEndPoint To, long Until) attempt)
    {
        using var socket = attempt.Socket;
        if (socket.Connected || socket.Poll(0, SelectMode.SelectWrite))
        {
            var error = (SocketError)(int)socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.Error)!;
            if (error is SocketError.Success or SocketError.ConnectionRefused or SocketError.ConnectionReset)
            {
                _answers.Enqueue($"{attempt.To.Address} answered a connection: {error}");
            }
        }
    }
}
