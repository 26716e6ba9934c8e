using System.Collections.Immutable;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Instructions;
using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Messages;

/// <summary>Kinds of multipart messages (OpenFlow 1.3.5 section 7.3.5).</summary>
public enum MultipartType : ushort
{
    /// <summary>Who made the switch.</summary>
    Description = 0,

    /// <summary>Flows with counters.</summary>
    Flow = 1,

    /// <summary>Sums over flows.</summary>
    Aggregate = 2,

    /// <summary>Counters of tables.</summary>
    Table = 3,

    /// <summary>Counters of ports.</summary>
    PortStats = 4,

    /// <summary>Counters of queues.</summary>
    Queue = 5,

    /// <summary>Counters of groups.</summary>
    Group = 6,

    /// <summary>Groups with buckets.</summary>
    GroupDescription = 7,

    /// <summary>What groups can do.</summary>
    GroupFeatures = 8,

    /// <summary>Counters of meters.</summary>
    Meter = 9,

    /// <summary>Meters with bands.</summary>
    MeterConfig = 10,

    /// <summary>What meters can do.</summary>
    MeterFeatures = 11,

    /// <summary>What tables can do.</summary>
    TableFeatures = 12,

    /// <summary>Ports.</summary>
    PortDescription = 13,

    /// <summary>Extensions.</summary>
    Experimenter = 0xffff,
}

/// <summary>One part of a request or reply: its kind, whether more parts follow, and the body as bytes.</summary>
/// <param name="IsReply">True for replies.</param>
/// <param name="Kind">Which state.</param>
/// <param name="More">True when more parts with the same xid follow.</param>
/// <param name="Body">The body; the static methods of <see cref="MultipartBodies"/> read it.</param>
public sealed record Multipart(bool IsReply, MultipartType Kind, bool More, ReadOnlyMemory<byte> Body) : OpenFlowMessage
{
    /// <inheritdoc/>
    public override MessageType Type => IsReply ? MessageType.MultipartReply : MessageType.MultipartRequest;

    /// <inheritdoc/>
    public bool Equals(Multipart? other) => other is not null && IsReply == other.IsReply && Kind == other.Kind && More == other.More && Body.Span.SequenceEqual(other.Body.Span);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(IsReply, Kind, ByteHash.Of(Body.Span));

    internal override void EncodeBody(WireWriter w)
    {
        w.U16((ushort)Kind);
        w.U16(More ? (ushort)1 : (ushort)0);
        w.U32(0);
        w.Bytes(Body.Span);
    }

    internal static Multipart Decode(ref WireReader r, bool reply)
    {
        var (kind, flags) = (r.U16(), r.U16());
        r.Skip(4);
        return new Multipart(reply, (MultipartType)kind, (flags & 1) != 0, r.Rest.ToArray());
    }
}

/// <summary>Which flows a dump or sum covers.</summary>
/// <param name="Table">A table; 255 = all.</param>
/// <param name="Match">Flows whose match is at least as narrow.</param>
public sealed record FlowFilter(byte Table = 255, Match Match = default)
{
    /// <summary>Only flows that output here.</summary>
    public uint OutPort { get; init; } = Ports.Any;

    /// <summary>Only flows that use this group.</summary>
    public uint OutGroup { get; init; } = uint.MaxValue;

    /// <summary>Only flows whose cookie has these bits.</summary>
    public ulong Cookie { get; init; }

    /// <summary>Which bits of the cookie count.</summary>
    public ulong CookieMask { get; init; }

    internal byte[] Encode()
    {
        var w = new WireWriter();
        w.U8(Table);
        w.Zeros(3);
        w.U32(OutPort);
        w.U32(OutGroup);
        w.Zeros(4);
        w.U64(Cookie);
        w.U64(CookieMask);
        OxmCodec.WriteMatch(w, Match);
        return w.ToArray();
    }

    internal static FlowFilter Decode(ref WireReader r)
    {
        var table = r.U8();
        r.Skip(3);
        var (port, group) = (r.U32(), r.U32());
        r.Skip(4);
        var (cookie, mask) = (r.U64(), r.U64());
        return new FlowFilter(table, OxmCodec.ReadMatch(ref r)) { OutPort = port, OutGroup = group, Cookie = cookie, CookieMask = mask };
    }
}

/// <summary>Reads the bodies of multipart replies.</summary>
public static class MultipartBodies
{
    /// <summary>Reads the flows of one part.</summary>
    /// <exception cref="OpenFlowFormatException">The body is damaged.</exception>
    public static void ReadFlows(ReadOnlySpan<byte> body, ICollection<FlowStats> into)
    {
        var r = new WireReader(body);
        while (r.Remaining > 0)
        {
            var length = r.U16();
            if (length < 56)
            {
                throw new OpenFlowFormatException($"a flow of length {length}, at least 56 is right", "OFPBRC_BAD_LEN");
            }

            // A length beyond the end cuts the instructions, as far as a switch is concerned.
            var whole = length - 2 <= r.Remaining;
            var e = new WireReader(whole ? r.Take(length - 2) : r.Rest);
            var flow = ReadFlow(ref e);
            into.Add(whole ? flow : throw new OpenFlowFormatException($"a flow of length {length} in {r.Remaining + 2} bytes", "OFPBIC_BAD_LEN"));
        }
    }

    /// <summary>Reads the groups of one part.</summary>
    public static ImmutableArray<Group> ReadGroups(ReadOnlySpan<byte> body)
    {
        var r = new WireReader(body);
        var groups = ImmutableArray.CreateBuilder<Group>();
        while (r.Remaining > 0)
        {
            var length = r.U16();
            if (length < 8)
            {
                throw new OpenFlowFormatException($"a group of length {length}", "OFPBRC_BAD_LEN");
            }

            var e = new WireReader(r.Take(length - 2));
            var type = e.U8();
            e.Skip(1);
            groups.Add(new Group(e.U32(), (GroupType)type, GroupCodec.ReadBuckets(e.Rest)));
        }

        return groups.ToImmutable();
    }

    /// <summary>Reads the meters of one part.</summary>
    public static ImmutableArray<MeterEntry> ReadMeters(ReadOnlySpan<byte> body)
    {
        var r = new WireReader(body);
        var meters = ImmutableArray.CreateBuilder<MeterEntry>();
        while (r.Remaining > 0)
        {
            var length = r.U16();
            if (length < 8)
            {
                throw new OpenFlowFormatException($"a meter of length {length}", "OFPBRC_BAD_LEN");
            }

            var e = new WireReader(r.Take(length - 2));
            var flags = e.U16();
            meters.Add(new MeterEntry(e.U32(), (MeterFlags)flags, MeterMod.ReadBands(e.Rest, (MeterFlags)flags)));
        }

        return meters.ToImmutable();
    }

    /// <summary>Reads the ports of one part.</summary>
    public static ImmutableArray<PortDescription> ReadPorts(ReadOnlySpan<byte> body)
    {
        var r = new WireReader(body);
        var ports = ImmutableArray.CreateBuilder<PortDescription>();
        while (r.Remaining > 0)
        {
            ports.Add(PortDescription.Decode(ref r));
        }

        return ports.ToImmutable();
    }

    /// <summary>Reads the tables of one part.</summary>
    /// <exception cref="OpenFlowFormatException">The body is damaged.</exception>
    public static ImmutableArray<TableFeatures> ReadTableFeatures(ReadOnlySpan<byte> body)
    {
        var r = new WireReader(body);
        var tables = ImmutableArray.CreateBuilder<TableFeatures>();
        while (r.Remaining > 0)
        {
            tables.Add(TableFeaturesCodec.Read(ref r));
        }

        return tables.ToImmutable();
    }

    /// <summary>The body of a message that tells, or asks for, these features of tables.</summary>
    /// <exception cref="OpenFlowFormatException">A name or a list is too long.</exception>
    public static ReadOnlyMemory<byte> WriteTableFeatures(params ReadOnlySpan<TableFeatures> tables)
    {
        var w = new WireWriter();
        foreach (var table in tables)
        {
            table.Encode(w);
        }

        return w.ToArray();
    }

    private static FlowStats ReadFlow(ref WireReader e)
    {
        var table = e.U8();
        e.Skip(1);
        var duration = new FlowDuration(e.U32(), e.U32());
        var (priority, idle, hard, flags) = (e.U16(), e.U16(), e.U16(), e.U16());
        e.Skip(4);
        var (cookie, packets, bytes) = (e.U64(), e.U64(), e.U64());
        var match = OxmCodec.ReadMatch(ref e);
        var flow = new Flow(table, priority, match, FlowInstructions.Read(e.Rest)) { Cookie = cookie, IdleTimeout = idle, HardTimeout = hard, Flags = (FlowFlags)flags };
        return new FlowStats(flow, packets, bytes, duration);
    }
}
