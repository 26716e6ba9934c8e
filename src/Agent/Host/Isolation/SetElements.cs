using System.Buffers.Binary;
using System.Net;
using Weft.Agent.Host.Netlink;

namespace Weft.Agent.Host.Isolation;

/// <summary>Changes single elements of sets of the table <see cref="IsolationText.Table"/>, without a process: a pod's ADD waits for it.</summary>
/// <remarks>nf_tables takes changes in batches, each all or nothing (linux/netfilter/nf_tables.h, nfnetlink.h). Not safe for concurrent use.</remarks>
internal sealed class SetElements : IDisposable
{
    private const ushort BatchBegin = 0x10;
    private const ushort BatchEnd = 0x11;
    private const int Subsystem = 10;
    private const ushort NewElements = (Subsystem << 8) | 12;
    private const ushort DeleteElements = (Subsystem << 8) | 14;
    private const byte FamilyInet = 1;
    private const ushort ListTable = 1;
    private const ushort ListSet = 2;
    private const ushort ListElements = 3;
    private const ushort ListElement = 1;
    private const ushort ElementKey = 1;
    private const ushort DataValue = 1;
    private const ushort Nested = 0x8000;
    private readonly NetlinkSocket _socket;

    private SetElements(NetlinkSocket socket) => _socket = socket;

    /// <summary>Opens in the network namespace at <paramref name="netns"/>; null: the process's own.</summary>
    /// <exception cref="NetlinkException">The kernel refused.</exception>
    public static SetElements Open(string? netns) => new(NetworkNamespace.Run(netns, () => NetlinkSocket.Open(NetlinkSocket.Netfilter)));

    /// <summary>Adds an address; one that is there is no error.</summary>
    /// <exception cref="NetlinkException">ENOENT: somebody removed the table.</exception>
    public void Add(IPAddress alias) => Execute($"add {alias} to the aliases of tenants", sequence => [Elements(NewElements, sequence, IsolationText.SetOf(alias), alias.GetAddressBytes())]);

    /// <summary>Removes an address; one that is not there is no error.</summary>
    /// <inheritdoc cref="Add"/>
    public void Remove(IPAddress alias)
    {
        try
        {
            Execute($"remove {alias} from the aliases of tenants", sequence => [Elements(DeleteElements, sequence, IsolationText.SetOf(alias), alias.GetAddressBytes())]);
        }
        catch (NetlinkException e) when (e.ErrorNumber == Errno.NotFound)
        {
            // Gone already, perhaps with the table; the next comparison finds that.
        }
    }

    /// <summary>Makes a cgroup the only one of a set, in one step; null: none is in it.</summary>
    /// <inheritdoc cref="Add"/>
    public void Replace(string set, ulong? cgroup) => Execute($"set the cgroup of {set}", sequence => cgroup is { } id
        ? [Elements(DeleteElements, sequence, set, null), Elements(NewElements, sequence + 1, set, BitConverter.GetBytes(id))]
        : [Elements(DeleteElements, sequence, set, null)]);

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    private void Execute(string operation, Func<uint, Action<NetlinkWriter>[]> make)
    {
        var first = _socket.NextSequence();
        var messages = make(first);
        for (var i = 1; i < messages.Length; i++)
        {
            _socket.NextSequence();
        }

        var writer = new NetlinkWriter();
        Frame(writer, BatchBegin, first);
        foreach (var message in messages)
        {
            message(writer);
        }

        Frame(writer, BatchEnd, first);
        _socket.Send(writer.Written, operation);
        ReadAnswers(operation, first, messages.Length);
    }

    /// <summary>One answer for each message; a batch that is refused as a whole has one for its frame.</summary>
    private void ReadAnswers(string operation, uint first, int count)
    {
        for (var missing = count; missing > 0;)
        {
            var datagram = _socket.Receive(operation);
            while (NetlinkMessage.TryRead(ref datagram, out var message))
            {
                if (message.Type != NetlinkMessage.TypeError || message.Sequence < first || message.Body.Length < 4)
                {
                    continue;
                }

                missing--;
                if (BitConverter.ToInt32(message.Body) is not 0 and var error)
                {
                    throw new NetlinkException(operation, -error);
                }
            }
        }
    }

    /// <summary><c>struct nfgenmsg {u8 family, version, be16 res_id}</c>.</summary>
    private static void Frame(NetlinkWriter writer, ushort type, uint sequence)
    {
        Span<byte> body = stackalloc byte[4];
        BinaryPrimitives.WriteUInt16BigEndian(body[2..], Subsystem);
        writer.Begin(type, NetlinkFlags.Request, sequence);
        writer.Raw(body);
        writer.End();
    }

    /// <param name="key">The element; null: all (only to delete).</param>
    private static Action<NetlinkWriter> Elements(ushort type, uint sequence, string set, byte[]? key) => writer =>
    {
        writer.Begin(type, NetlinkFlags.Request | NetlinkFlags.Ack | (type == NewElements ? NetlinkFlags.Create : NetlinkFlags.None), sequence);
        writer.Raw([FamilyInet, 0, 0, 0]);
        writer.Attribute(ListTable, IsolationText.Table);
        writer.Attribute(ListSet, set);
        if (key is not null)
        {
            var list = writer.BeginNested(ListElements | Nested);
            var element = writer.BeginNested(ListElement | Nested);
            var data = writer.BeginNested(ElementKey | Nested);
            writer.Attribute(DataValue, key);
            writer.EndNested(data);
            writer.EndNested(element);
            writer.EndNested(list);
        }

        writer.End();
    };
}
