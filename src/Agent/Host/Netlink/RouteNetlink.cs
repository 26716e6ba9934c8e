using System.Text;

namespace Weft.Agent.Host.Netlink;

/// <summary>Links, addresses, routes and neighbours of one network namespace, by rtnetlink(7): no process is started.</summary>
/// <remarks>Calls block for the short time the kernel needs. One instance serves one caller at a time; opening another is cheap.</remarks>
public sealed partial class RouteNetlink : IDisposable
{
    // The answers of one call wait in the socket's receive buffer (212 KiB by default, under 1 KiB each).
    private const int MaxInFlight = 100;
    private readonly NetlinkSocket _socket;

    private RouteNetlink(NetlinkSocket socket) => _socket = socket;

    /// <summary>Opens in the calling thread's network namespace.</summary>
    public static RouteNetlink Open() => new(NetlinkSocket.Open(NetlinkSocket.Route));

    /// <summary>Opens in the namespace at <paramref name="netns"/> (null: the caller's). Any thread may use the result.</summary>
    /// <exception cref="NetlinkException">The namespace does not exist or may not be entered.</exception>
    public static RouteNetlink Open(string? netns) => NetworkNamespace.Run(netns, Open);

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    /// <summary>Sends the requests and waits for all answers.</summary>
    /// <exception cref="NetlinkException">The first failure; the later requests were carried out nevertheless.</exception>
    public void Execute(NetlinkBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var failures = TryExecute(batch);
        if (failures.Count > 0)
        {
            throw failures[0];
        }
    }

    /// <summary>As <see cref="Execute"/>, with every failure returned.</summary>
    public IReadOnlyList<NetlinkException> TryExecute(NetlinkBatch batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var failures = new List<NetlinkException>();
        for (var first = 0; first < batch.Count; first += MaxInFlight)
        {
            var last = Math.Min(first + MaxInFlight, batch.Count);
            _socket.Send(batch.Slice(first, last), batch.Entries[first].Operation);
            ReadAnswers(batch, first, last, failures);
        }

        return failures;
    }

    private void ReadAnswers(NetlinkBatch batch, int first, int last, List<NetlinkException> failures)
    {
        for (var missing = last - first; missing > 0;)
        {
            var datagram = _socket.Receive(batch.Entries[first].Operation);
            while (NetlinkMessage.TryRead(ref datagram, out var message))
            {
                if (message.Type != NetlinkMessage.TypeError || message.Sequence <= first || message.Sequence > last)
                {
                    continue;
                }

                missing--;
                var entry = batch.Entries[(int)message.Sequence - 1];
                if (ReadError(message, entry.Operation) is { } error && !entry.Tolerated.Contains(error.ErrorNumber))
                {
                    failures.Add(error);
                }
            }
        }
    }

    private delegate void MessageHandler(NetlinkMessage message);

    /// <summary>Sends a dump request and hands over each message of the answer.</summary>
    private void Dump(ushort type, ReadOnlySpan<byte> body, string operation, MessageHandler handler)
    {
        var writer = new NetlinkWriter();
        var sequence = NextDumpSequence();
        writer.Begin(type, NetlinkFlags.Request | NetlinkFlags.Dump, sequence);
        writer.Raw(body);
        writer.End();
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

                if (message.Type == NetlinkMessage.TypeError && ReadError(message, operation) is { } error)
                {
                    throw error;
                }

                if (message.Type == NetlinkMessage.TypeDone)
                {
                    return;
                }

                handler(message);
            }
        }
    }

    // Above every number that a batch can use, so that an answer left over from one is never taken for the other's.
    private uint NextDumpSequence() => 0x4000_0000 | _socket.NextSequence();

    /// <summary>NLMSG_ERROR: <c>{s32 -errno, nlmsghdr of the request}</c>, then NLMSGERR_ATTR_MSG (1) with the kernel's words.</summary>
    private static NetlinkException? ReadError(NetlinkMessage message, string operation)
    {
        if (message.Body.Length < 4 || BitConverter.ToInt32(message.Body) == 0)
        {
            return null;
        }

        const NetlinkFlags capped = (NetlinkFlags)0x100;
        const NetlinkFlags hasAttributes = (NetlinkFlags)0x200;
        var text = "";
        if (message.Flags.HasFlag(hasAttributes))
        {
            var original = message.Flags.HasFlag(capped) ? NetlinkWriter.HeaderLength : (int)BitConverter.ToUInt32(message.Body[4..]);
            var attributes = new AttributeReader(message.Body[Math.Min(4 + ((original + 3) & ~3), message.Body.Length)..]);
            while (attributes.Next())
            {
                text = attributes.Type == 1 ? Encoding.UTF8.GetString(attributes.Value.TrimEnd((byte)0)) : text;
            }
        }

        return new NetlinkException(operation, -BitConverter.ToInt32(message.Body), text);
    }
}
