using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Weft.Agent.Host.Netlink;

/// <summary>A netlink socket. It stays in the network namespace in which it was opened, whichever thread uses it.</summary>
/// <remarks>Requests block for the microseconds to milliseconds that the kernel needs; the socket is not safe for concurrent use.</remarks>
internal sealed unsafe class NetlinkSocket : IDisposable
{
    public const int Route = 0;
    public const int Netfilter = 12;
    private readonly SafeFileHandle _handle;
    private byte[] _buffer = new byte[16 * 1024];
    private uint _sequence;

    private NetlinkSocket(SafeFileHandle handle) => _handle = handle;

    /// <summary>The next sequence number for a message.</summary>
    public uint NextSequence() => ++_sequence;

    internal SafeFileHandle Handle => _handle;

    /// <summary>Opens a socket in the calling thread's network namespace.</summary>
    /// <param name="protocol"><see cref="Route"/> or <see cref="Netfilter"/>.</param>
    /// <param name="groups">Multicast groups to listen to (RTNLGRP_*, NFNLGRP_*).</param>
    public static NetlinkSocket Open(int protocol, params ReadOnlySpan<int> groups)
    {
        var handle = LinuxNative.OpenSocket(LinuxNative.AfNetlink, LinuxNative.SockRaw, protocol, $"open a netlink socket (protocol {protocol})");
        var socket = new NetlinkSocket(handle);
        try
        {
            socket.Prepare(groups);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Sends messages in one system call.</summary>
    public void Send(ReadOnlySpan<byte> messages, string operation)
    {
        fixed (byte* start = messages)
        {
            nint sent;
            do
            {
                sent = LinuxNative.Send(_handle, start, messages.Length, 0);
            }
            while (sent < 0 && Marshal.GetLastPInvokeError() == Errno.Interrupted);

            if (sent != messages.Length)
            {
                throw NetlinkException.FromLastError(operation);
            }
        }
    }

    /// <summary>Waits for the next datagram, at most 10 s (the kernel answers at once; only a broken one does not).</summary>
    /// <returns>Its bytes, valid until the next call.</returns>
    /// <exception cref="NetlinkException">ENOBUFS means that events were lost: read the state again.</exception>
    public ReadOnlySpan<byte> Receive(string operation)
    {
        while (true)
        {
            nint size;
            fixed (byte* buffer = _buffer)
            {
                // Asked first with MSG_TRUNC, so that a datagram longer than the buffer is never cut.
                size = LinuxNative.Receive(_handle, buffer, 0, LinuxNative.MsgPeek | LinuxNative.MsgTruncate);
            }

            if (size < 0 && Marshal.GetLastPInvokeError() == Errno.Interrupted)
            {
                continue;
            }

            if (size > _buffer.Length)
            {
                _buffer = new byte[size * 2];
            }

            fixed (byte* buffer = _buffer)
            {
                size = size < 0 ? size : LinuxNative.Receive(_handle, buffer, _buffer.Length, 0);
            }

            return size >= 0 ? _buffer.AsSpan(0, (int)size) : throw NetlinkException.FromLastError(operation);
        }
    }

    public void Dispose() => _handle.Dispose();

    private void Prepare(ReadOnlySpan<int> groups)
    {
        SetOption(LinuxNative.SolNetlink, LinuxNative.NetlinkExtAck, 1, required: false);
        SetOption(LinuxNative.SolNetlink, LinuxNative.NetlinkStrictCheck, 1, required: false);
        long* timeout = stackalloc long[] { 10, 0 };
        _ = LinuxNative.SetSocketOption(_handle, LinuxNative.SolSocket, LinuxNative.SoReceiveTimeout, timeout, 2 * sizeof(long));

        // struct sockaddr_nl {u16 family, pad, u32 pid = 0: the kernel chooses, u32 groups}.
        byte* address = stackalloc byte[12];
        *(ushort*)address = LinuxNative.AfNetlink;
        if (LinuxNative.Bind(_handle, address, 12) != 0)
        {
            throw NetlinkException.FromLastError("bind a netlink socket");
        }

        if (!groups.IsEmpty)
        {
            SetOption(LinuxNative.SolSocket, LinuxNative.SoReceiveBuffer, 4 << 20, required: false);
        }

        foreach (var group in groups)
        {
            SetOption(LinuxNative.SolNetlink, LinuxNative.NetlinkAddMembership, group, required: true);
        }
    }

    private void SetOption(int level, int option, int value, bool required)
    {
        if (LinuxNative.SetSocketOption(_handle, level, option, &value, sizeof(int)) != 0 && required)
        {
            throw NetlinkException.FromLastError($"set netlink socket option {option} to {value}");
        }
    }
}
