using System.Buffers.Binary;
using System.Net.Sockets;
using Weft.OpenFlow.Messages;
using Weft.OpenFlow.Switch;
using Weft.TestSupport;

namespace Weft.OpenFlow.Tests.Oracle;

/// <summary>What ovs-ofctl takes for a switch: shakes hands, answers barriers, and keeps what it is told.</summary>
internal sealed class RecordingPeer : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly List<byte[]> _frames = [];
    private readonly Task _serving;

    public RecordingPeer()
    {
        _listener.Bind(new UnixDomainSocketEndPoint(Path.Combine(_folder.Path, "peer")));
        _listener.Listen();
        _serving = ServeAsync();
    }

    /// <summary>The frames that <c>ovs-ofctl COMMAND</c> sends to change the switch, barriers left out.</summary>
    public static async Task<List<byte[]>> RecordAsync(string command, params string[] arguments)
    {
        await using var peer = new RecordingPeer();
        await ChildProcess.RunAsync("ovs-ofctl", ["-voff", "-O", "OpenFlow13", command, $"unix:{Path.Combine(peer._folder.Path, "peer")}", .. arguments]);
        return peer._frames;
    }

    /// <summary>The same for texts, one per line of a file.</summary>
    public static async Task<List<byte[]>> RecordLinesAsync(string command, IEnumerable<string> lines)
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "lines");
        await File.WriteAllLinesAsync(file, lines);
        return await RecordAsync(command, file);
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _serving;
        _folder.Dispose();
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                using var client = await _listener.AcceptAsync();
                await using var stream = new NetworkStream(client);
                await ServeAsync(stream);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(NetworkStream stream)
    {
        await stream.WriteAsync(new Hello(4, 1 << 4).ToBytes(1));
        var buffer = new byte[1 << 20];
        var held = 0;
        for (int got; (got = await ReadAsync(stream, buffer.AsMemory(held))) > 0;)
        {
            held += got;
            var used = 0;
            for (int length; (length = FrameCutter.TryCut(buffer.AsSpan(used, held - used))) > 0; used += length)
            {
                var frame = buffer.AsSpan(used, length).ToArray();
                if (Answer(frame) is { } answer)
                {
                    await stream.WriteAsync(answer);
                }
            }

            buffer.AsSpan(used, held - used).CopyTo(buffer);
            held -= used;
        }
    }

    private static async Task<int> ReadAsync(NetworkStream stream, Memory<byte> buffer)
    {
        try
        {
            return await stream.ReadAsync(buffer);
        }
        catch (IOException)
        {
            // ovs-ofctl closes as soon as it has what it wants.
            return 0;
        }
    }

    private byte[]? Answer(byte[] frame)
    {
        var xid = BinaryPrimitives.ReadUInt32BigEndian(frame.AsSpan(4));
        switch ((MessageType)frame[1])
        {
            case MessageType.Hello or MessageType.EchoReply: return null;
            case MessageType.EchoRequest: return new Echo(true, []).ToBytes(xid);
            case MessageType.BarrierRequest: return new EmptyMessage(MessageType.BarrierReply).ToBytes(xid);
            case MessageType.FeaturesRequest: return new FeaturesReply(1, 0, 254, 0, 0x4f).ToBytes(xid);
            case MessageType.MultipartRequest:
                var kind = (MultipartType)BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(8));
                var body = kind == MultipartType.TableFeatures ? MultipartBodies.WriteTableFeatures(new TableFeatures(0)) : Array.Empty<byte>();
                return new Multipart(true, kind, false, body).ToBytes(xid);
            default:
                _frames.Add(frame);
                return null;
        }
    }
}
