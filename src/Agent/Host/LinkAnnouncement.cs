using System.Buffers.Binary;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Weft.Agent.Host.Netlink;

namespace Weft.Agent.Host;

/// <summary>Tells everybody on a link where an address is from now on: an ARP announcement (RFC 5227 section 3) or an unsolicited neighbour advertisement (RFC 4861 section 7.2.6).</summary>
internal static class LinkAnnouncement
{
    private const int AfPacket = 17;
    private const ushort EthernetArp = 0x0806;
    private const ushort EthernetIpv6 = 0x86dd;
    private static readonly byte[] Broadcast = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff];

    // ff02::1 and its Ethernet address (RFC 2464 section 7).
    private static readonly byte[] AllNodes = [0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    private static readonly byte[] AllNodesMac = [0x33, 0x33, 0, 0, 0, 1];

    /// <summary>Sends one frame, in the calling thread's network namespace.</summary>
    /// <returns>What went wrong, with its consequence; null when it was sent.</returns>
    public static unsafe string? Send(Link link, IPAddress address)
    {
        var mac = PhysicalAddress.Parse(link.Mac).GetAddressBytes();
        var v6 = address.AddressFamily == AddressFamily.InterNetworkV6;
        var frame = v6 ? Advertisement(mac, address.GetAddressBytes()) : ArpAnnouncement(mac, address.GetAddressBytes());

        // struct sockaddr_ll {u16 family, u16 protocol (network order), s32 index, ...}
        Span<byte> where = stackalloc byte[20];
        where.Clear();
        BitConverter.TryWriteBytes(where, (ushort)AfPacket);
        BinaryPrimitives.WriteUInt16BigEndian(where[2..], v6 ? EthernetIpv6 : EthernetArp);
        BitConverter.TryWriteBytes(where[4..], link.Index);
        try
        {
            using var socket = LinuxNative.OpenSocket(AfPacket, LinuxNative.SockRaw, 0, "open a packet socket");
            fixed (byte* start = where, bytes = frame)
            {
                if (LinuxNative.Bind(socket, start, where.Length) == 0 && LinuxNative.Send(socket, bytes, frame.Length, 0) == frame.Length)
                {
                    return null;
                }
            }

            return Sentence(link, address, Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError()));
        }
        catch (NetlinkException e)
        {
            return Sentence(link, address, e.Message);
        }
    }

    /// <summary>An ARP request for the address, from the address.</summary>
    internal static byte[] ArpAnnouncement(ReadOnlySpan<byte> mac, ReadOnlySpan<byte> address) =>
    [
        .. Broadcast, .. mac, .. Big(EthernetArp),
        .. Big(1), .. Big(0x0800), 6, 4, .. Big(1), .. mac, .. address, 0, 0, 0, 0, 0, 0, .. address,
    ];

    /// <summary>A neighbour advertisement with the override flag and the target's link-layer address.</summary>
    internal static byte[] Advertisement(ReadOnlySpan<byte> mac, ReadOnlySpan<byte> address)
    {
        const byte icmp6 = 58;
        const byte overrideFlag = 0x20;
        byte[] body = [136, 0, 0, 0, overrideFlag, 0, 0, 0, .. address, 2, 1, .. mac];
        BinaryPrimitives.WriteUInt16BigEndian(body.AsSpan(2), Checksum([.. address, .. AllNodes, 0, 0, .. Big((ushort)body.Length), 0, 0, 0, icmp6, .. body]));
        return
        [
            .. AllNodesMac, .. mac, .. Big(EthernetIpv6),
            0x60, 0, 0, 0, .. Big((ushort)body.Length), icmp6, 255, .. address, .. AllNodes, .. body,
        ];
    }

    /// <summary>The Internet checksum (RFC 1071) of an even number of bytes.</summary>
    private static ushort Checksum(ReadOnlySpan<byte> bytes)
    {
        uint sum = 0;
        for (var i = 0; i < bytes.Length; i += 2)
        {
            sum += BinaryPrimitives.ReadUInt16BigEndian(bytes[i..]);
        }

        sum = (sum & 0xffff) + (sum >> 16);
        return (ushort)~(sum + (sum >> 16));
    }

    private static byte[] Big(ushort value) => [(byte)(value >> 8), (byte)value];

    private static string Sentence(Link link, IPAddress address, string why) =>
        $"the take-over of {address} could not be told on {link.Name}: {why}; clients with an old entry in their ARP or neighbour cache reach it only when that ends";
}
