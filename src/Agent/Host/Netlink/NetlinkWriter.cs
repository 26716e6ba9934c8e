using System.Net;
using System.Text;

namespace Weft.Agent.Host.Netlink;

/// <summary>Writes netlink messages one after the other into one buffer, so that many go to the kernel in one call.</summary>
/// <remarks>
/// Layout (netlink(7)): <c>nlmsghdr {u32 len, u16 type, u16 flags, u32 seq, u32 pid}</c>, body, then attributes
/// <c>{u16 len, u16 type, value}</c>, everything padded to 4 bytes. Numbers are in host order unless a method says otherwise.
/// </remarks>
internal sealed class NetlinkWriter
{
    public const int HeaderLength = 16;
    private byte[] _buffer = new byte[1024];
    private int _length;
    private int _messageStart;

    /// <summary>Everything written so far.</summary>
    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, _length);

    /// <summary>Starts a message; <see cref="End"/> ends it.</summary>
    public void Begin(ushort type, NetlinkFlags flags, uint sequence)
    {
        _messageStart = _length;
        var header = Take(HeaderLength);
        BitConverter.TryWriteBytes(header[4..], type);
        BitConverter.TryWriteBytes(header[6..], (ushort)flags);
        BitConverter.TryWriteBytes(header[8..], sequence);
    }

    /// <summary>Ends the message that was begun last: its length becomes known.</summary>
    public void End() => BitConverter.TryWriteBytes(_buffer.AsSpan(_messageStart), (uint)(_length - _messageStart));

    /// <summary><c>struct ifinfomsg {u8 family, pad, u16 type, s32 index, u32 flags, u32 change}</c>.</summary>
    public void LinkHeader(int index, uint flags, uint change)
    {
        var body = Take(16);
        BitConverter.TryWriteBytes(body[4..], index);
        BitConverter.TryWriteBytes(body[8..], flags);
        BitConverter.TryWriteBytes(body[12..], change);
    }

    /// <summary>Bytes as they are, padded to 4.</summary>
    public void Raw(ReadOnlySpan<byte> body) => body.CopyTo(Take(body.Length));

    public void Attribute(ushort type, ReadOnlySpan<byte> value)
    {
        var attribute = Take(4 + value.Length);
        BitConverter.TryWriteBytes(attribute, (ushort)(4 + value.Length));
        BitConverter.TryWriteBytes(attribute[2..], type);
        value.CopyTo(attribute[4..]);
    }

    public void Attribute(ushort type, uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BitConverter.TryWriteBytes(bytes, value);
        Attribute(type, bytes);
    }

    public void Attribute(ushort type, byte value) => Attribute(type, [value]);

    /// <summary>A string that ends with a zero byte.</summary>
    public void Attribute(ushort type, string value) => Attribute(type, Encoding.UTF8.GetBytes(value + "\0"));

    /// <summary>An address in network order.</summary>
    public void Attribute(ushort type, IPAddress value)
    {
        Span<byte> bytes = stackalloc byte[16];
        value.TryWriteBytes(bytes, out var length);
        Attribute(type, bytes[..length]);
    }

    /// <summary>Starts an attribute that holds attributes; give the result to <see cref="EndNested"/>.</summary>
    public int BeginNested(ushort type)
    {
        var start = _length;
        Attribute(type, []);
        return start;
    }

    public void EndNested(int start) => BitConverter.TryWriteBytes(_buffer.AsSpan(start), (ushort)(_length - start));

    /// <summary>Zeroed room of <paramref name="size"/> bytes; what follows is aligned to 4.</summary>
    private Span<byte> Take(int size)
    {
        var aligned = (size + 3) & ~3;
        if (_length + aligned > _buffer.Length)
        {
            Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _length + aligned));
        }

        var room = _buffer.AsSpan(_length, aligned);
        room.Clear();
        _length += aligned;
        return room[..size];
    }
}
