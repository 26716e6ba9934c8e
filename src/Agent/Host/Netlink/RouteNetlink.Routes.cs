using System.Net;

namespace Weft.Agent.Host.Netlink;

public sealed partial class RouteNetlink
{
    private const ushort NewRoute = 24;
    private const ushort DelRoute = 25;
    private const ushort GetRoute = 26;
    private const ushort RtaDestination = 1;
    private const ushort RtaOutInterface = 4;
    private const ushort RtaGateway = 5;
    private const ushort RtaPreferredSource = 7;
    private const ushort RtaMetrics = 8;
    private const ushort RtaTable = 15;
    private const ushort MetricMtu = 2;
    private const byte TypeUnicast = 1;
    private const uint FlagOnLink = 4;
    private const uint FlagCloned = 0x200;

    /// <summary>Unicast routes of a protocol, all tables, both families.</summary>
    public IReadOnlyList<Route> Routes(byte? protocol = null, int? table = null)
    {
        var found = new List<Route>();
        foreach (var family in (ReadOnlySpan<byte>)[LinuxNative.AfInet, LinuxNative.AfInet6])
        {
            var header = new byte[12];
            header[0] = family;
            header[5] = protocol ?? 0;
            Dump(GetRoute, header, "list the routes", message =>
            {
                var wanted = message.Body[7] == TypeUnicast
                    && (protocol is null || message.Body[5] == protocol)
                    && (BitConverter.ToUInt32(message.Body[8..]) & FlagCloned) == 0;
                if (wanted && ReadRoute(message.Body) is { } route && (table is null || route.Table == table))
                {
                    found.Add(route);
                }
            });
        }

        return found;
    }

    /// <summary>Adds a request that sets the route to a destination, in place of one that is there.</summary>
    public static void ReplaceRoute(NetlinkBatch batch, Route route)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(route);
        batch.Begin(NewRoute, NetlinkFlags.Create | NetlinkFlags.Replace, $"set route {route}");
        WriteRoute(batch.Writer, route);
        batch.End();
    }

    /// <summary>Adds a request that removes a route. One that is not there is no error.</summary>
    public static void DeleteRoute(NetlinkBatch batch, Route route)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(route);
        batch.Begin(DelRoute, NetlinkFlags.None, $"remove route {route}", Errno.NoProcess, Errno.NotFound, Errno.NoDevice);
        WriteRoute(batch.Writer, route);
        batch.End();
    }

    /// <summary><c>struct rtmsg {u8 family, dst_len, src_len, tos, table, protocol, scope, type, u32 flags}</c> and attributes.</summary>
    private static void WriteRoute(NetlinkWriter writer, Route route)
    {
        Span<byte> header = stackalloc byte[12];
        header[0] = route.Destination.Family;
        header[1] = (byte)route.Destination.PrefixLength;
        header[4] = route.Table <= byte.MaxValue ? (byte)route.Table : (byte)0;
        header[5] = route.Protocol;
        header[6] = route.Gateway is null && header[0] == LinuxNative.AfInet ? ScopeLink : ScopeUniverse;
        header[7] = TypeUnicast;
        BitConverter.TryWriteBytes(header[8..], route.OnLink ? FlagOnLink : 0u);
        writer.Raw(header);
        if (route.Destination.PrefixLength > 0)
        {
            writer.Attribute(RtaDestination, route.Destination.Address);
        }

        if (route.Gateway is { } gateway)
        {
            writer.Attribute(RtaGateway, gateway);
        }

        if (route.Source is { } source)
        {
            writer.Attribute(RtaPreferredSource, source);
        }

        writer.Attribute(RtaOutInterface, (uint)route.Interface);
        writer.Attribute(RtaTable, (uint)route.Table);
        if (route.Mtu > 0)
        {
            var metrics = writer.BeginNested(RtaMetrics);
            writer.Attribute(MetricMtu, (uint)route.Mtu);
            writer.EndNested(metrics);
        }
    }

    private static Route ReadRoute(ReadOnlySpan<byte> body)
    {
        var any = body[0] == LinuxNative.AfInet6 ? IPAddress.IPv6Any : IPAddress.Any;
        var route = new Route
        {
            Destination = new InterfaceAddress(any, body[1]),
            Interface = 0,
            Protocol = body[5],
            Table = body[4],
            OnLink = (BitConverter.ToUInt32(body[8..]) & FlagOnLink) != 0,
        };
        var attributes = new AttributeReader(body[12..]);
        while (attributes.Next())
        {
            route = attributes.Type switch
            {
                RtaDestination => route with { Destination = new InterfaceAddress(attributes.Address ?? any, body[1]) },
                RtaGateway => route with { Gateway = attributes.Address },
                RtaOutInterface => route with { Interface = attributes.Int32 },
                RtaPreferredSource => route with { Source = attributes.Address },
                RtaTable => route with { Table = attributes.Int32 },
                RtaMetrics => route with { Mtu = ReadMtu(attributes.Value) },
                _ => route,
            };
        }

        return route;
    }

    private static int ReadMtu(ReadOnlySpan<byte> metrics)
    {
        var attributes = new AttributeReader(metrics);
        while (attributes.Next())
        {
            if (attributes.Type == MetricMtu)
            {
                return attributes.Int32;
            }
        }

        return 0;
    }
}
