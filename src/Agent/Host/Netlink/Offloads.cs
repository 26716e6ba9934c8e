using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Weft.Agent.Host.Netlink;

/// <summary>Switches an interface's transmit offloads (<c>ethtool -K IFACE tx off sg off tso off</c>).</summary>
/// <remarks>The userspace data path forwards packets as they come from the veth: with offload on, they would leave without a checksum.</remarks>
public static class Offloads
{
    private const uint SetTxChecksum = 0x17;
    private const uint GetTxChecksum = 0x16;
    private const uint SetScatterGather = 0x19;
    private const uint SetTcpSegmentation = 0x1f;

    /// <summary>Turns TX checksum, scatter-gather and TCP segmentation off, in the calling thread's network namespace.</summary>
    /// <exception cref="NetlinkException">There is no such interface, or it refuses.</exception>
    public static void DisableTransmit(string name)
    {
        using var socket = OpenSocket();

        // Segmentation depends on the two others: it goes first. Interfaces that never had it say EOPNOTSUPP, which is what we want.
        Request(socket, name, SetTcpSegmentation, tolerateUnsupported: true);
        Request(socket, name, SetScatterGather, tolerateUnsupported: true);
        Request(socket, name, SetTxChecksum, tolerateUnsupported: false);
    }

    /// <summary>Whether TX checksum offload is on, in the calling thread's network namespace.</summary>
    public static bool IsTransmitChecksumOn(string name)
    {
        using var socket = OpenSocket();
        return Request(socket, name, GetTxChecksum, tolerateUnsupported: false) != 0;
    }

    private static SafeFileHandle OpenSocket() =>
        LinuxNative.OpenSocket(LinuxNative.AfInet, LinuxNative.SockDgram, 0, "open a socket for ethtool");

    /// <summary>SIOCETHTOOL: <c>struct ifreq {char name[16]; void *data}</c> with data = <c>struct ethtool_value {u32 cmd, u32 data}</c>.</summary>
    private static unsafe uint Request(SafeFileHandle socket, string name, uint command, bool tolerateUnsupported)
    {
        uint* value = stackalloc uint[] { command, 0 };
        byte* request = stackalloc byte[40];
        new Span<byte>(request, 40).Clear();
        Encoding.ASCII.GetBytes(name, new Span<byte>(request, 15));
        *(uint**)(request + 16) = value;
        if (LinuxNative.IoControl(socket, LinuxNative.SiocEthtool, request) != 0)
        {
            var error = NetlinkException.FromLastError($"change the offloads of interface {name}");
            if (!tolerateUnsupported || error.ErrorNumber != Errno.NotSupported)
            {
                throw error;
            }
        }

        return value[1];
    }
}
