using System.Buffers.Binary;

namespace Weft.Lab.Kubelet;

/// <summary>The server's end of a SPDY/3.1 connection, as far as kubectl's port-forward goes: streams that the client opens, data both ways, pings.</summary>
/// <remarks>SPDY Protocol, draft 3.1, section 2.2. No priorities, no windows and no settings: kubectl and kubelet do not use them.
/// <see cref="RunAsync"/> is called once; streams send from any thread.</remarks>
internal sealed class SpdyConnection(Stream transport) : IDisposable
{
    private const int HeaderLength = 8;
    private const int LongestFrame = 1 << 20;
    private const ushort Version = 0x8003;
    private const byte Fin = 1;

    private readonly Dictionary<int, SpdyStream> _streams = [];
    private readonly SemaphoreSlim _sending = new(1);
    private readonly SpdyHeaders _headers = new();
    private bool _hasReplied;

    private enum Frame : ushort
    {
        SynStream = 1,
        RstStream = 3,
        Ping = 6,
        GoAway = 7,
    }

    /// <summary>Reads until the client ends the connection, then gives up the streams that are left.</summary>
    /// <param name="opened">Called with each stream that has been accepted; must return at once.</param>
    /// <param name="ct">Ends the connection.</param>
    /// <exception cref="InvalidDataException">The client does not speak SPDY/3.1.</exception>
    /// <exception cref="IOException">The connection broke.</exception>
    public async Task RunAsync(Action<SpdyStream> opened, CancellationToken ct)
    {
        try
        {
            var head = new byte[HeaderLength];
            while (await transport.ReadAtLeastAsync(head, HeaderLength, throwOnEndOfStream: false, ct) == HeaderLength)
            {
                var length = (int)BinaryPrimitives.ReadUInt32BigEndian(head.AsSpan(4)) & 0xff_ffff;
                if (length > LongestFrame)
                {
                    throw new InvalidDataException($"SPDY: a frame of {length} bytes");
                }

                var body = new byte[length];
                await transport.ReadExactlyAsync(body, ct);
                if ((head[0] & 0x80) == 0)
                {
                    await TakeDataAsync(BinaryPrimitives.ReadInt32BigEndian(head), body, (head[4] & Fin) != 0, ct);
                }
                else if (BinaryPrimitives.ReadUInt16BigEndian(head) != Version)
                {
                    throw new InvalidDataException($"SPDY: a frame of version {BinaryPrimitives.ReadUInt16BigEndian(head) & 0x7fff}");
                }
                else if (!await TakeControlAsync((Frame)BinaryPrimitives.ReadUInt16BigEndian(head.AsSpan(2)), body, (head[4] & Fin) != 0, opened, ct))
                {
                    return;
                }
            }
        }
        finally
        {
            _streams.Values.ToList().ForEach(s => s.GiveUp());
        }
    }

    public void Dispose()
    {
        _headers.Dispose();
        _sending.Dispose();
    }

    internal Task SendDataAsync(int stream, ReadOnlyMemory<byte> data, bool isLast, CancellationToken ct)
    {
        var frame = new byte[HeaderLength + data.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, stream);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(4), data.Length);
        frame[4] = isLast ? Fin : (byte)0;
        data.CopyTo(frame.AsMemory(HeaderLength));
        return SendAsync(frame, ct);
    }

    private async Task TakeDataAsync(int id, byte[] data, bool isLast, CancellationToken ct)
    {
        // Data that was under way when the stream ended is nothing to complain about.
        if (_streams.TryGetValue(id, out var stream))
        {
            await stream.TakeAsync(data, isLast, ct);
        }

        if (isLast)
        {
            _streams.Remove(id);
        }
    }

    /// <summary>False when the client says good-bye. Frames of other types (SETTINGS, WINDOW_UPDATE) ask for nothing.</summary>
    private async Task<bool> TakeControlAsync(Frame type, byte[] body, bool isLast, Action<SpdyStream> opened, CancellationToken ct)
    {
        var needed = type switch { Frame.SynStream => 10, Frame.RstStream or Frame.GoAway => 8, Frame.Ping => 4, _ => 0 };
        if (body.Length < needed)
        {
            throw new InvalidDataException($"SPDY: {type} of {body.Length} bytes");
        }

        var id = needed > 0 ? BinaryPrimitives.ReadInt32BigEndian(body) & int.MaxValue : 0;
        switch (type)
        {
            case Frame.SynStream:
                var stream = new SpdyStream(this, id, _headers.Read(body.AsSpan(10)));
                _streams[id] = stream;
                await SendControlAsync(2, [.. body.AsSpan(0, 4), .. (_hasReplied ? SpdyHeaders.Empty : SpdyHeaders.FirstEmpty).Span], ct);
                _hasReplied = true;
                await stream.TakeAsync(default, isLast, ct);
                opened(stream);
                return true;
            case Frame.RstStream when _streams.Remove(id, out var given):
                given.GiveUp();
                return true;
            case Frame.Ping when (id & 1) == 1:
                // The client's pings have odd numbers.
                await SendControlAsync((ushort)Frame.Ping, body[..4], ct);
                return true;
            case Frame.GoAway:
                return false;
            default:
                return true;
        }
    }

    private Task SendControlAsync(ushort type, byte[] body, CancellationToken ct)
    {
        var frame = new byte[HeaderLength + body.Length];
        BinaryPrimitives.WriteUInt16BigEndian(frame, Version);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(2), type);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(4), body.Length);
        body.CopyTo(frame, HeaderLength);
        return SendAsync(frame, ct);
    }

    private async Task SendAsync(byte[] frame, CancellationToken ct)
    {
        await _sending.WaitAsync(ct);
        try
        {
            await transport.WriteAsync(frame, ct);
            await transport.FlushAsync(ct);
        }
        finally
        {
            _sending.Release();
        }
    }
}
