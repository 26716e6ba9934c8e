using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Weft.Agent.Host.Netlink;

public sealed partial class RouteNetlink
{
    private const ushort NewNeighbour = 28;
    private const ushort DelNeighbour = 29;
    private const ushort GetNeighbour = 30;
    private const ushort NdaDestination = 1;
    private const ushort NdaLinkAddress = 2;
    private const ushort NdaProtocol = 12;
    private const byte FlagProxy = 8;

    /// <summary>The neighbour entries of an interface, both families.</summary>
    public IReadOnlyList<Neighbour> Neighbours(int index)
    {
        var found = new List<Neighbour>();
        Dump(GetNeighbour, new byte[12], $"list the neighbours of interface {index}", message =>
        {
            if (BitConverter.ToInt32(message.Body[4..]) == index && ReadNeighbour(message.Body) is { } neighbour)
            {
                found.Add(neighbour);
            }
        });
        return found;
    }

    /// <summary>Adds a request that sets a neighbour entry.</summary>
    public static void ReplaceNeighbour(NetlinkBatch batch, Neighbour neighbour)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(neighbour);
        batch.Begin(NewNeighbour, NetlinkFlags.Create | NetlinkFlags.Replace, $"set neighbour {neighbour.Address} on interface {neighbour.Interface}");
        WriteNeighbour(batch.Writer, neighbour);
        batch.Writer.Attribute(NdaLinkAddress, PhysicalAddress.Parse(neighbour.Mac).GetAddressBytes());
        batch.End();
    }

    /// <summary>Adds a request that removes a neighbour entry. One that is not there is no error.</summary>
    public static void DeleteNeighbour(NetlinkBatch batch, Neighbour neighbour)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(neighbour);
        batch.Begin(DelNeighbour, NetlinkFlags.None, $"remove neighbour {neighbour.Address} on interface {neighbour.Interface}", Errno.NotFound);
        WriteNeighbour(batch.Writer, neighbour);
        batch.End();
    }

    /// <summary>The proxy entries of ours (<see cref="Route.WeftProtocol"/>), both families.</summary>
    public IReadOnlyList<(int Interface, IPAddress Address)> ProxyNeighbours()
    {
        var found = new List<(int, IPAddress)>();
        foreach (var family in (ReadOnlySpan<int>)[LinuxNative.AfInet, LinuxNative.AfInet6])
        {
            var header = new byte[12];
            (header[0], header[10]) = ((byte)family, FlagProxy);
            Dump(GetNeighbour, header, "list the proxy entries", message =>
            {
                IPAddress? address = null;
                byte protocol = 0;
                var attributes = new AttributeReader(message.Body[12..]);
                while (attributes.Next())
                {
                    address = attributes.Type == NdaDestination ? attributes.Address : address;
                    protocol = attributes.Type == NdaProtocol ? attributes.Value[0] : protocol;
                }

                if (address is not null && protocol == Route.WeftProtocol && (message.Body[10] & FlagProxy) != 0)
                {
                    found.Add((BitConverter.ToInt32(message.Body[4..]), address));
                }
            });
        }

        return found;
    }

    /// <summary>Adds a request by which the interface answers for an address. One that is there is no error.</summary>
    public static void AddProxyNeighbour(NetlinkBatch batch, int index, IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(batch);
        batch.Begin(NewNeighbour, NetlinkFlags.Create | NetlinkFlags.Replace, $"answer for {address} on interface {index}");
        WriteProxy(batch.Writer, index, address);
        batch.Writer.Attribute(NdaProtocol, Route.WeftProtocol);
        batch.End();
    }

    /// <summary>Adds a request by which the interface answers for an address no more. One that is not there is no error.</summary>
    public static void DeleteProxyNeighbour(NetlinkBatch batch, int index, IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(batch);
        batch.Begin(DelNeighbour, NetlinkFlags.None, $"answer for {address} on interface {index} no more", Errno.NotFound, Errno.NoDevice);
        WriteProxy(batch.Writer, index, address);
        batch.End();
    }

    private static void WriteProxy(NetlinkWriter writer, int index, IPAddress address)
    {
        Span<byte> header = stackalloc byte[12];
        header[0] = address.AddressFamily == AddressFamily.InterNetworkV6 ? (byte)LinuxNative.AfInet6 : (byte)LinuxNative.AfInet;
        BitConverter.TryWriteBytes(header[4..], index);
        header[10] = FlagProxy;
        writer.Raw(header);
        writer.Attribute(NdaDestination, address);
    }

    /// <summary><c>struct ndmsg {u8 family, pad[3], s32 index, u16 state, u8 flags, u8 type}</c>.</summary>
    private static void WriteNeighbour(NetlinkWriter writer, Neighbour neighbour)
    {
        Span<byte> header = stackalloc byte[12];
        header[0] = neighbour.Address.AddressFamily == AddressFamily.InterNetworkV6 ? (byte)LinuxNative.AfInet6 : (byte)LinuxNative.AfInet;
        BitConverter.TryWriteBytes(header[4..], neighbour.Interface);
        BitConverter.TryWriteBytes(header[8..], neighbour.State);
        writer.Raw(header);
        writer.Attribute(NdaDestination, neighbour.Address);
    }

    private static Neighbour? ReadNeighbour(ReadOnlySpan<byte> body)
    {
        Neighbour? neighbour = null;
        var mac = "";
        var attributes = new AttributeReader(body[12..]);
        while (attributes.Next())
        {
            if (attributes.Type == NdaDestination && attributes.Address is { } address)
            {
                neighbour = new Neighbour { Address = address, Interface = BitConverter.ToInt32(body[4..]), State = BitConverter.ToUInt16(body[8..]) };
            }
            else if (attributes.Type == NdaLinkAddress && attributes.Value.Length == 6)
            {
                mac = FormatMac(Convert.ToHexStringLower(attributes.Value));
            }
        }

        return neighbour is null ? null : neighbour with { Mac = mac };
    }
}
