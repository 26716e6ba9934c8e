using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Weft.Lab.Net;

namespace Weft.Lab.Tests.EndToEnd;

/// <summary>A small name server in a pod, by UDP and TCP, and the questions that pods ask it.</summary>
public sealed class NameServer : IAsyncDisposable
{
    private const int Port = 53;
    private const ushort TypeA = 1;
    private const ushort TypeAaaa = 28;

    private readonly CancellationTokenSource _stop = new();
    private readonly IReadOnlyDictionary<string, IPAddress[]> _names;
    private readonly uint _life;
    private readonly Socket _udp;
    private readonly Socket _tcp;
    private readonly Task[] _running;

    private NameServer(Socket udp, Socket tcp, IReadOnlyDictionary<string, IPAddress[]> names, uint life)
    {
        (_udp, _tcp, _names, _life) = (udp, tcp, names, life);
        _running = [AnswerDatagramsAsync(), AnswerConnectionsAsync()];
    }

    /// <summary>Begins to answer, on the pod's IPv4 address.</summary>
    /// <param name="pod">Where it runs.</param>
    /// <param name="names">Lower case.</param>
    /// <param name="life">Seconds.</param>
    public static async Task<NameServer> StartAsync(TestPod pod, IReadOnlyDictionary<string, IPAddress[]> names, uint life)
    {
        Socket Open(SocketType type) => new(AddressFamily.InterNetwork, type, type == SocketType.Dgram ? ProtocolType.Udp : ProtocolType.Tcp);
        var (udp, tcp) = await pod.Netns.RunInsideAsync(() => (Open(SocketType.Dgram), Open(SocketType.Stream)));
        udp.Bind(new IPEndPoint(IPAddress.Any, Port));
        tcp.Bind(new IPEndPoint(IPAddress.Any, Port));
        tcp.Listen();
        return new NameServer(udp, tcp, names, life);
    }

    /// <summary>Asks once.</summary>
    /// <returns>The addresses in the answer; null when none came in time.</returns>
    public static async Task<IPAddress[]?> AskAsync(Netns from, IPAddress server, string name, bool v6 = false, bool tcp = false)
    {
        using var socket = await from.RunInsideAsync(() => new Socket(AddressFamily.InterNetwork, tcp ? SocketType.Stream : SocketType.Dgram, tcp ? ProtocolType.Tcp : ProtocolType.Udp));
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        byte[] question = [0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, .. name.Split('.').SelectMany(l => Encoding.ASCII.GetBytes(l).Prepend((byte)l.Length)), 0, 0, (byte)(v6 ? TypeAaaa : TypeA), 0, 1];
        var buffer = new byte[1500];
        try
        {
            await socket.ConnectAsync(new IPEndPoint(server, Port), patience.Token);
            await socket.SendAsync(tcp ? [0, (byte)question.Length, .. question] : question, patience.Token);
            var length = await socket.ReceiveAsync(buffer, patience.Token);
            while (tcp && (length < 2 || length < 2 + buffer[1]) && await socket.ReceiveAsync(buffer.AsMemory(length), patience.Token) is > 0 and var more)
            {
                length += more;
            }

            var answer = tcp ? buffer[2..length] : buffer[..length];
            var (size, at) = (v6 ? 16 : 4, question.Length);
            return [.. Enumerable.Range(0, answer[7]).Select(i => new IPAddress(answer.AsSpan(at + (i * (12 + size)) + 12, size)))];
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _udp.Dispose();
        _tcp.Dispose();
        await Task.WhenAll(_running);
        _stop.Dispose();
    }

    private async Task AnswerDatagramsAsync()
    {
        var buffer = new byte[512];
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var received = await _udp.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0), _stop.Token);
                await _udp.SendToAsync(Answer(buffer[..received.ReceivedBytes]), received.RemoteEndPoint, _stop.Token);
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // The asker went away, or the test ends.
            }
        }
    }

    /// <summary>In two pieces, as TCP may.</summary>
    private async Task AnswerConnectionsAsync()
    {
        var buffer = new byte[512];
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                using var peer = await _tcp.AcceptAsync(_stop.Token);
                peer.NoDelay = true;
                var length = await peer.ReceiveAsync(buffer, _stop.Token);
                var answer = Answer(buffer[2..length]);
                await peer.SendAsync((byte[])[0, (byte)answer.Length, .. answer[..5]], _stop.Token);
                await peer.SendAsync(answer[5..], _stop.Token);
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // The asker went away, or the test ends.
            }
        }
    }

    private byte[] Answer(byte[] question)
    {
        var labels = new List<string>();
        var at = 12;
        for (; question[at] != 0; at += question[at] + 1)
        {
            labels.Add(Encoding.ASCII.GetString(question, at + 1, question[at]));
        }

        var type = BinaryPrimitives.ReadUInt16BigEndian(question.AsSpan(at + 1));
        var size = type == TypeA ? 4 : 16;
        var found = _names.GetValueOrDefault(string.Join('.', labels).ToLowerInvariant(), []).Select(a => a.GetAddressBytes()).Where(a => a.Length == size).ToList();
        byte[] life = [(byte)(_life >> 24), (byte)(_life >> 16), (byte)(_life >> 8), (byte)_life];
        return
        [
            .. question[..2], 0x81, 0x80, 0, 1, 0, (byte)found.Count, 0, 0, 0, 0, .. question[12..(at + 5)],
            .. found.SelectMany(a => (byte[])[0xc0, 12, 0, (byte)type, 0, 1, .. life, 0, (byte)size, .. a]),
        ];
    }
}
