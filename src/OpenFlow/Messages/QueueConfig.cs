using System.Collections.Immutable;
using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Messages;

/// <summary>Asks for the queues of a port (OpenFlow 1.3.5 section 7.3.6).</summary>
/// <param name="Port">The port; <see cref="Fields.Ports.Any"/> for all.</param>
public sealed record QueueConfigRequest(uint Port) : OpenFlowMessage
{
    /// <inheritdoc/>
    public override MessageType Type => MessageType.QueueGetConfigRequest;

    internal override void EncodeBody(WireWriter w)
    {
        w.U32(Port);
        w.U32(0);
    }

    internal static QueueConfigRequest Decode(ref WireReader r)
    {
        var port = r.U32();
        r.Skip(4);
        return new QueueConfigRequest(port);
    }
}

/// <summary>A queue and its rates.</summary>
/// <param name="Id">The queue.</param>
/// <param name="Port">Its port.</param>
/// <param name="MinRate">Guaranteed rate in tenths of a percent of the port's speed; over 1,000 is disabled; null when not told.</param>
/// <param name="MaxRate">Highest rate, likewise.</param>
public sealed record QueueConfig(uint Id, uint Port, ushort? MinRate, ushort? MaxRate);

/// <summary>The queues of a port (OpenFlow 1.3.5 section 7.3.6).</summary>
/// <param name="Port">The port that was asked for.</param>
/// <param name="Queues">The queues.</param>
public sealed record QueueConfigReply(uint Port, ImmutableArray<QueueConfig> Queues) : OpenFlowMessage
{
    /// <inheritdoc/>
    public override MessageType Type => MessageType.QueueGetConfigReply;

    /// <inheritdoc/>
    public bool Equals(QueueConfigReply? other) => other is not null && Port == other.Port && Queues.AsSpan().SequenceEqual(other.Queues.AsSpan());

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Port, Queues.Length);

    internal override void EncodeBody(WireWriter w)
    {
        w.U32(Port);
        w.U32(0);
        foreach (var queue in Queues)
        {
            var start = w.Length;
            w.U32(queue.Id);
            w.U32(queue.Port);
            w.U16(0);
            w.Zeros(6);
            Rate(w, 1, queue.MinRate);
            Rate(w, 2, queue.MaxRate);
            w.PatchU16(start + 8, w.Length - start);
        }
    }

    internal static QueueConfigReply Decode(ref WireReader r)
    {
        var port = r.U32();
        r.Skip(4);
        var queues = ImmutableArray.CreateBuilder<QueueConfig>();
        while (r.Remaining > 0)
        {
            queues.Add(ReadQueue(ref r));
        }

        return new QueueConfigReply(port, queues.ToImmutable());
    }

    /// <summary>One queue with its properties (ofp_packet_queue).</summary>
    internal static QueueConfig ReadQueue(ref WireReader r)
    {
        const int Head = 16;
        if (r.Remaining < Head)
        {
            throw new OpenFlowFormatException($"a queue in {r.Remaining} bytes", "OFPBRC_BAD_LEN");
        }

        var (id, at, length) = (r.U32(), r.U32(), r.U16());
        if (length < Head || length % 8 != 0 || length - 10 > r.Remaining)
        {
            throw new OpenFlowFormatException($"a queue of length {length}", "OFPBRC_BAD_LEN");
        }

        var body = new WireReader(r.Take(length - 10));
        body.Skip(6);
        return Rates(new QueueConfig(id, at, null, null), ref body);
    }

    private static QueueConfig Rates(QueueConfig queue, ref WireReader r)
    {
        while (r.Remaining > 0)
        {
            var (property, length) = (r.U16(), r.U16());
            if (length < 8 || length % 8 != 0 || length - 4 > r.Remaining || (property is 1 or 2 && length != 16))
            {
                throw new OpenFlowFormatException($"a queue property {property} of length {length}", "OFPBRC_BAD_LEN");
            }

            var body = new WireReader(r.Take(length - 4));
            body.Skip(4);
            queue = property switch { 1 => queue with { MinRate = body.U16() }, 2 => queue with { MaxRate = body.U16() }, _ => queue };
        }

        return queue;
    }

    private static void Rate(WireWriter w, ushort property, ushort? rate)
    {
        if (rate is { } value)
        {
            w.U16(property);
            w.U16(16);
            w.U32(0);
            w.U16(value);
            w.Zeros(6);
        }
    }
}
