namespace Weft.Agent.Host.Netlink;

/// <summary>One message of a received datagram.</summary>
internal readonly ref struct NetlinkMessage
{
    public const ushort TypeError = 2;
    public const ushort TypeDone = 3;

    public ushort Type { get; private init; }

    public NetlinkFlags Flags { get; private init; }

    public uint Sequence { get; private init; }

    /// <summary>What follows the header.</summary>
    public ReadOnlySpan<byte> Body { get; private init; }

    /// <summary>Cuts the next message off <paramref name="datagram"/>.</summary>
    /// <returns>False at the end, or when the rest is no whole message.</returns>
    public static bool TryRead(ref ReadOnlySpan<byte> datagram, out NetlinkMessage message)
    {
        message = default;
        if (datagram.Length < NetlinkWriter.HeaderLength)
        {
            return false;
        }

        var length = BitConverter.ToUInt32(datagram);
        if (length < NetlinkWriter.HeaderLength || length > datagram.Length)
        {
            return false;
        }

        message = new NetlinkMessage
        {
            Type = BitConverter.ToUInt16(datagram[4..]),
            Flags = (NetlinkFlags)BitConverter.ToUInt16(datagram[6..]),
            Sequence = BitConverter.ToUInt32(datagram[8..]),
            Body = datagram[NetlinkWriter.HeaderLength..(int)length],
        };
        datagram = datagram[Math.Min(((int)length + 3) & ~3, datagram.Length)..];
        return true;
    }
}
