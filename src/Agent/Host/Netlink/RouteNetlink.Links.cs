using System.Net.NetworkInformation;
using Microsoft.Win32.SafeHandles;

namespace Weft.Agent.Host.Netlink;

public sealed partial class RouteNetlink
{
    private const ushort NewLink = 16;
    private const ushort DelLink = 17;
    private const ushort GetLink = 18;
    private const ushort IflaAddress = 1;
    private const ushort IflaIfname = 3;
    private const ushort IflaMtu = 4;
    private const ushort IflaLink = 5;
    private const ushort IflaQdisc = 6;
    private const ushort IflaLinkInfo = 18;
    private const ushort IflaNetNsFd = 28;
    private const ushort IflaLinkNetNsId = 37;
    private const ushort InfoKind = 1;
    private const ushort InfoData = 2;
    private const ushort VethInfoPeer = 1;
    private const ushort MacvlanInfoMode = 1;
    private const uint MacvlanPrivate = 1;

    /// <summary>The interface of this name, or null.</summary>
    public Link? FindLink(string name)
    {
        Link? found = null;
        var writer = new NetlinkWriter();
        var sequence = NextDumpSequence();
        writer.Begin(GetLink, NetlinkFlags.Request, sequence);
        writer.LinkHeader(0, 0, 0);
        writer.Attribute(IflaIfname, name);
        writer.End();
        var operation = $"look for interface {name}";
        _socket.Send(writer.Written, operation);
        while (true)
        {
            var datagram = _socket.Receive(operation);
            while (NetlinkMessage.TryRead(ref datagram, out var message))
            {
                if (message.Sequence != sequence)
                {
                    continue;
                }

                if (message.Type == NewLink)
                {
                    found = ReadLink(message.Body);
                }
                else if (ReadError(message, operation) is { ErrorNumber: not Errno.NoDevice } error)
                {
                    throw error;
                }

                return found;
            }
        }
    }

    /// <summary>Every interface of the namespace.</summary>
    public IReadOnlyList<Link> Links()
    {
        var links = new List<Link>();
        Dump(GetLink, new byte[16], "list the interfaces", message => links.Add(ReadLink(message.Body)));
        return links;
    }

    /// <summary>Adds a request that makes a veth pair. EEXIST when a name is taken.</summary>
    public static void CreateVeth(NetlinkBatch batch, VethPair pair)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(pair);
        var w = batch.Writer;
        batch.Begin(NewLink, NetlinkFlags.Create | NetlinkFlags.Exclusive, $"create veth {pair.Name} with peer {pair.PeerName}");
        w.LinkHeader(0, pair.Up ? Link.FlagUp : 0, pair.Up ? Link.FlagUp : 0);
        w.Attribute(IflaIfname, pair.Name);
        WriteMtu(w, pair.Mtu);
        var info = w.BeginNested(IflaLinkInfo);
        w.Attribute(InfoKind, "veth");
        var data = w.BeginNested(InfoData);
        var peer = w.BeginNested(VethInfoPeer);
        w.LinkHeader(0, 0, 0);
        w.Attribute(IflaIfname, pair.PeerName);
        WriteMtu(w, pair.Mtu);
        if (pair.PeerMac is { } mac)
        {
            w.Attribute(IflaAddress, PhysicalAddress.Parse(mac).GetAddressBytes());
        }

        if (pair.PeerNamespace is { } netns)
        {
            w.Attribute(IflaNetNsFd, (uint)netns.DangerousGetHandle());
        }

        w.EndNested(peer);
        w.EndNested(data);
        w.EndNested(info);
        batch.End();
    }

    /// <summary>Adds a request that makes a macvlan interface, which has its lower interface for itself. EEXIST when the name is taken.</summary>
    /// <param name="batch">Where it is added; to be executed in the lower interface's namespace.</param>
    /// <param name="lower">The lower interface.</param>
    /// <param name="name">The new one's name.</param>
    /// <param name="netns">The namespace in which it appears, down.</param>
    /// <param name="mac">Its hardware address: what comes for another one is not received.</param>
    /// <param name="mtu">Bytes; no more than the lower one's.</param>
    public static void CreateMacvlan(NetlinkBatch batch, int lower, string name, SafeFileHandle netns, string mac, int mtu)
    {
        ArgumentNullException.ThrowIfNull(batch);
        ArgumentNullException.ThrowIfNull(netns);
        var w = batch.Writer;
        batch.Begin(NewLink, NetlinkFlags.Create | NetlinkFlags.Exclusive, $"create macvlan {name}");
        w.LinkHeader(0, 0, 0);
        w.Attribute(IflaLink, (uint)lower);
        w.Attribute(IflaIfname, name);
        WriteMtu(w, mtu);
        w.Attribute(IflaAddress, PhysicalAddress.Parse(mac).GetAddressBytes());
        w.Attribute(IflaNetNsFd, (uint)netns.DangerousGetHandle());
        var info = w.BeginNested(IflaLinkInfo);
        w.Attribute(InfoKind, Link.Macvlan);
        var data = w.BeginNested(InfoData);
        w.Attribute(MacvlanInfoMode, MacvlanPrivate);
        w.EndNested(data);
        w.EndNested(info);
        batch.End();
    }

    /// <summary>Adds a request that removes an interface (of a veth: both sides). One that does not exist is no error.</summary>
    public static void DeleteLink(NetlinkBatch batch, string name)
    {
        ArgumentNullException.ThrowIfNull(batch);
        batch.Begin(DelLink, NetlinkFlags.None, $"delete interface {name}", Errno.NoDevice);
        batch.Writer.LinkHeader(0, 0, 0);
        batch.Writer.Attribute(IflaIfname, name);
        batch.End();
    }

    /// <summary>Adds a request that changes an interface; null leaves a property as it is.</summary>
    /// <param name="batch">Where it is added.</param>
    /// <param name="index">The interface.</param>
    /// <param name="up">Administrative state.</param>
    /// <param name="mtu">Bytes.</param>
    /// <param name="mac">The hardware address.</param>
    /// <param name="name">The new name; the interface must be down on kernels before 6.2.</param>
    public static void SetLink(NetlinkBatch batch, int index, bool? up = null, int? mtu = null, string? mac = null, string? name = null)
    {
        ArgumentNullException.ThrowIfNull(batch);
        batch.Begin(NewLink, NetlinkFlags.None, $"change interface {index}");
        batch.Writer.LinkHeader(index, up == true ? Link.FlagUp : 0, up is null ? 0 : Link.FlagUp);
        WriteMtu(batch.Writer, mtu ?? 0);
        if (mac is not null)
        {
            batch.Writer.Attribute(IflaAddress, PhysicalAddress.Parse(mac).GetAddressBytes());
        }

        if (name is not null)
        {
            batch.Writer.Attribute(IflaIfname, name);
        }

        batch.End();
    }

    /// <summary>Adds a request that sets an interface up or down, by its name.</summary>
    public static void SetLink(NetlinkBatch batch, string name, bool up)
    {
        ArgumentNullException.ThrowIfNull(batch);
        batch.Begin(NewLink, NetlinkFlags.None, $"set interface {name} {(up ? "up" : "down")}");
        batch.Writer.LinkHeader(0, up ? Link.FlagUp : 0, Link.FlagUp);
        batch.Writer.Attribute(IflaIfname, name);
        batch.End();
    }

    /// <summary>The name of the interface whose end a message tells, or null when it tells something else (with a family: that it left a bridge).</summary>
    internal static string? RemovedLink(NetlinkMessage message) =>
        message.Type == DelLink && message.Body.Length >= 16 && message.Body[0] == LinuxNative.AfUnspec ? ReadLink(message.Body).Name : null;

    /// <summary>The name of the interface that a message tells of, new, changed or gone; null when it tells of something else.</summary>
    internal static string? ChangedLink(NetlinkMessage message) =>
        message.Type is NewLink or DelLink && message.Body.Length >= 16 ? ReadLink(message.Body).Name : null;

    private static void WriteMtu(NetlinkWriter writer, int mtu)
    {
        if (mtu > 0)
        {
            writer.Attribute(IflaMtu, (uint)mtu);
        }
    }

    private static Link ReadLink(ReadOnlySpan<byte> body)
    {
        var link = new Link { Index = BitConverter.ToInt32(body[4..]), Flags = BitConverter.ToUInt32(body[8..]), Name = "" };
        var attributes = new AttributeReader(body[16..]);
        while (attributes.Next())
        {
            link = attributes.Type switch
            {
                IflaIfname => link with { Name = attributes.Text },
                IflaAddress => link with { Mac = Convert.ToHexStringLower(attributes.Value) is { Length: 12 } hex ? FormatMac(hex) : "" },
                IflaMtu => link with { Mtu = attributes.Int32 },
                IflaQdisc => link with { Queue = attributes.Text },
                IflaLink => link with { PeerIndex = attributes.Int32 },
                IflaLinkNetNsId => link with { PeerNamespaceId = attributes.Int32 },
                IflaLinkInfo => link with { Kind = ReadKind(attributes.Value) },
                _ => link,
            };
        }

        return link;
    }

    private static string ReadKind(ReadOnlySpan<byte> info)
    {
        var attributes = new AttributeReader(info);
        while (attributes.Next())
        {
            if (attributes.Type == InfoKind)
            {
                return attributes.Text;
            }
        }

        return "";
    }

    private static string FormatMac(string hex) => string.Join(':', hex.Chunk(2).Select(pair => new string(pair)));
}
