using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Weft.Lab.Net;

namespace Weft.Lab.Probes;

/// <summary>Echo requests to one address from one namespace (RFC 792, RFC 4443 section 4).</summary>
/// <remarks>One caller sends, one receives.</remarks>
public sealed class Pinger : IDisposable
{
    private const int HeaderLength = 8;
    private static int _nextIdentifier = Environment.ProcessId;

    private readonly Socket _socket;
    private readonly bool _v6;
    private readonly ushort _identifier = (ushort)Interlocked.Increment(ref _nextIdentifier);
    private readonly byte[] _buffer = new byte[65536];

    private Pinger(Socket socket, bool v6) => (_socket, _v6) = (socket, v6);

    /// <summary>Makes the socket in the namespace. Root is needed.</summary>
    public static async Task<Pinger> OpenAsync(Netns netns, IPAddress to)
    {
        var v6 = to.AddressFamily == AddressFamily.InterNetworkV6;
        var socket = await netns.RunInsideAsync(() =>
            new Socket(to.AddressFamily, SocketType.Raw, v6 ? ProtocolType.IcmpV6 : ProtocolType.Icmp));
        try
        {
            socket.ReceiveBufferSize = 1 << 20;
            await socket.ConnectAsync(new IPEndPoint(to, 0));
            return new Pinger(socket, v6);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Sends one request.</summary>
    /// <param name="sequence">Comes back with the reply.</param>
    /// <param name="payload">Bytes after the header.</param>
    /// <param name="ct">Ends the waiting for buffer space.</param>
    public async Task SendAsync(ushort sequence, int payload, CancellationToken ct)
    {
        var packet = new byte[HeaderLength + payload];
        packet[0] = (byte)(_v6 ? 128 : 8);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(4), _identifier);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(6), sequence);
        for (var i = HeaderLength; i < packet.Length; i++)
        {
            packet[i] = (byte)i;
        }

        // The kernel fills in the checksum of ICMPv6, which covers addresses that we do not know yet.
        if (!_v6)
        {
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), Checksum(packet));
        }

        await _socket.SendAsync(packet, ct);
    }

    /// <summary>Waits for the next reply to one of this object's requests and returns its sequence number.</summary>
    public async Task<ushort> ReceiveAsync(CancellationToken ct)
    {
        while (true)
        {
            var length = await _socket.ReceiveAsync(_buffer.AsMemory(), ct);
            // A raw IPv4 socket gets the IP header too.
            var start = _v6 ? 0 : (_buffer[0] & 0xf) * 4;
            var icmp = _buffer.AsSpan(start, Math.Max(0, length - start));
            if (icmp.Length >= HeaderLength
                && icmp[0] == (_v6 ? 129 : 0)
                && BinaryPrimitives.ReadUInt16BigEndian(icmp[4..]) == _identifier)
            {
                return BinaryPrimitives.ReadUInt16BigEndian(icmp[6..]);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    private static ushort Checksum(ReadOnlySpan<byte> data)
    {
        uint sum = 0;
        for (var i = 0; i < data.Length; i += 2)
        {
            sum += i + 1 < data.Length ? BinaryPrimitives.ReadUInt16BigEndian(data[i..]) : (uint)data[i] << 8;
        }

        while (sum >> 16 != 0)
        {
            sum = (sum & 0xffff) + (sum >> 16);
        }

        return (ushort)~sum;
    }
}
