using System.Collections.Immutable;
using System.Text;
using Weft.OpenFlow.Entries;
using Weft.OpenFlow.Fields;
using Weft.OpenFlow.Wire;

namespace Weft.OpenFlow.Messages;

/// <summary>Who made the switch (OFPMP_DESC).</summary>
/// <param name="Manufacturer">Manufacturer.</param>
/// <param name="Hardware">Hardware.</param>
/// <param name="Software">Software version.</param>
/// <param name="SerialNumber">Serial number.</param>
/// <param name="Datapath">Description of the datapath.</param>
public sealed record SwitchDescription(string Manufacturer, string Hardware, string Software, string SerialNumber, string Datapath)
{
    internal static SwitchDescription Decode(ReadOnlySpan<byte> body)
    {
        var r = new WireReader(body);
        return new(Text(r.Take(256)), Text(r.Take(256)), Text(r.Take(256)), Text(r.Take(32)), Text(r.Take(256)));
    }

    private static string Text(ReadOnlySpan<byte> field)
    {
        var end = field.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? field : field[..end]);
    }
}

/// <summary>Sums over flows (OFPMP_AGGREGATE).</summary>
public sealed record AggregateStats(ulong Packets, ulong Bytes, uint Flows)
{
    internal static AggregateStats Decode(ReadOnlySpan<byte> body)
    {
        var r = new WireReader(body);
        return new(r.U64(), r.U64(), r.U32());
    }
}

/// <summary>Counters of a table (OFPMP_TABLE).</summary>
public sealed record TableStats(byte Table, uint Active, ulong Lookups, ulong Matches);

/// <summary>Counters of a port (OFPMP_PORT_STATS); <see cref="ulong.MaxValue"/> = not known.</summary>
public sealed record PortStats(
    uint Port, ulong RxPackets, ulong TxPackets, ulong RxBytes, ulong TxBytes, ulong RxDropped, ulong TxDropped, ulong RxErrors, ulong TxErrors,
    ulong RxFrameErrors, ulong RxOverErrors, ulong RxCrcErrors, ulong Collisions, FlowDuration Duration);

/// <summary>Counters of a queue (OFPMP_QUEUE).</summary>
public sealed record QueueStats(uint Port, uint Queue, ulong TxBytes, ulong TxPackets, ulong TxErrors, FlowDuration Duration);

/// <summary>Counters of a group (OFPMP_GROUP).</summary>
/// <param name="Id">The group.</param>
/// <param name="References">Flows and groups that use it.</param>
/// <param name="Packets">Packets.</param>
/// <param name="Bytes">Bytes.</param>
/// <param name="Duration">Age.</param>
/// <param name="Buckets">Packets and bytes of each bucket.</param>
public sealed record GroupStats(uint Id, uint References, ulong Packets, ulong Bytes, FlowDuration Duration, ImmutableArray<(ulong Packets, ulong Bytes)> Buckets);

/// <summary>Counters of a meter (OFPMP_METER).</summary>
/// <param name="Id">The meter.</param>
/// <param name="Flows">Flows that use it.</param>
/// <param name="Packets">Packets in.</param>
/// <param name="Bytes">Bytes in.</param>
/// <param name="Duration">Age.</param>
/// <param name="Bands">Packets and bytes that met each band.</param>
public sealed record MeterStats(uint Id, uint Flows, ulong Packets, ulong Bytes, FlowDuration Duration, ImmutableArray<(ulong Packets, ulong Bytes)> Bands);

/// <summary>What meters can do (OFPMP_METER_FEATURES).</summary>
/// <param name="MaxMeters">How many meters.</param>
/// <param name="BandTypes">Bit n = band type n.</param>
/// <param name="Capabilities">Bits of the meter flags that are possible.</param>
/// <param name="MaxBands">Bands of a meter.</param>
/// <param name="MaxColor">Colors.</param>
public sealed record MeterFeatures(uint MaxMeters, uint BandTypes, uint Capabilities, byte MaxBands, byte MaxColor)
{
    /// <summary>The <see cref="Capabilities"/> that have a name.</summary>
    public MeterFlags Flags => (MeterFlags)Capabilities;

    internal static MeterFeatures Decode(ReadOnlySpan<byte> body)
    {
        var r = new WireReader(body);
        return new(r.U32(), r.U32(), r.U32(), r.U8(), r.U8());
    }
}

/// <summary>Reads the bodies that are rows of counters.</summary>
internal static class StatisticsCodec
{
    public static List<TableStats> Tables(ReadOnlySpan<byte> body)
    {
        var r = new WireReader(body);
        var rows = new List<TableStats>();
        while (r.Remaining > 0)
        {
            var table = r.U8();
            r.Skip(3);
            rows.Add(new(table, r.U32(), r.U64(), r.U64()));
        }

        return rows;
    }

    public static List<PortStats> Ports(ReadOnlySpan<byte> body)
    {
        var r = new WireReader(body);
        var rows = new List<PortStats>();
        while (r.Remaining > 0)
        {
            var port = r.U32();
            r.Skip(4);
            rows.Add(new(
                port, r.U64(), r.U64(), r.U64(), r.U64(), r.U64(), r.U64(), r.U64(), r.U64(), r.U64(), r.U64(), r.U64(), r.U64(), new FlowDuration(r.U32(), r.U32())));
        }

        return rows;
    }

    public static List<QueueStats> Queues(ReadOnlySpan<byte> body)
    {
        var r = new WireReader(body);
        var rows = new List<QueueStats>();
        while (r.Remaining > 0)
        {
            rows.Add(new(r.U32(), r.U32(), r.U64(), r.U64(), r.U64(), new FlowDuration(r.U32(), r.U32())));
        }

        return rows;
    }

    public static List<GroupStats> Groups(ReadOnlySpan<byte> body)
    {
        var r = new WireReader(body);
        var rows = new List<GroupStats>();
        while (r.Remaining > 0)
        {
            var length = r.U16();
            var e = new WireReader(r.Take(length < 40 ? throw new OpenFlowFormatException($"group counters of length {length}", "OFPBRC_BAD_LEN") : length - 2));
            e.Skip(2);
            var (id, references) = (e.U32(), e.U32());
            e.Skip(4);
            var (packets, bytes, duration) = (e.U64(), e.U64(), new FlowDuration(e.U32(), e.U32()));
            rows.Add(new(id, references, packets, bytes, duration, Pairs(ref e)));
        }

        return rows;
    }

    public static List<MeterStats> Meters(ReadOnlySpan<byte> body)
    {
        var r = new WireReader(body);
        var rows = new List<MeterStats>();
        while (r.Remaining > 0)
        {
            var (id, length) = (r.U32(), r.U16());
            var e = new WireReader(r.Take(length < 40 ? throw new OpenFlowFormatException($"meter counters of length {length}", "OFPBRC_BAD_LEN") : length - 6));
            e.Skip(6);
            var (flows, packets, bytes, duration) = (e.U32(), e.U64(), e.U64(), new FlowDuration(e.U32(), e.U32()));
            rows.Add(new(id, flows, packets, bytes, duration, Pairs(ref e)));
        }

        return rows;
    }

    private static ImmutableArray<(ulong Packets, ulong Bytes)> Pairs(ref WireReader e)
    {
        var pairs = ImmutableArray.CreateBuilder<(ulong, ulong)>();
        while (e.Remaining > 0)
        {
            pairs.Add((e.U64(), e.U64()));
        }

        return pairs.ToImmutable();
    }
}

/// <summary>Changes a port (OFPT_PORT_MOD).</summary>
/// <param name="Port">The port.</param>
/// <param name="Address">Its address; the switch checks it.</param>
/// <param name="Config">New OFPPC_* bits: 1 down, 4 no receive, 32 no forward, 64 no packet-in.</param>
/// <param name="Mask">Which bits change.</param>
/// <param name="Advertise">Features to advertise; 0 for no change.</param>
public sealed record PortMod(uint Port, MacAddress Address, uint Config, uint Mask, uint Advertise = 0) : OpenFlowMessage
{
    /// <inheritdoc/>
    public override MessageType Type => MessageType.PortMod;

    internal override void EncodeBody(WireWriter w)
    {
        w.U32(Port);
        w.Zeros(4);
        w.Number(Address.Bits, 6);
        w.Zeros(2);
        w.U32(Config);
        w.U32(Mask);
        w.U32(Advertise);
        w.Zeros(4);
    }

    internal static PortMod Decode(ref WireReader r)
    {
        var port = r.U32();
        r.Skip(4);
        var address = new MacAddress((ulong)r.Number(6));
        r.Skip(2);
        var mod = new PortMod(port, address, r.U32(), r.U32(), r.U32());
        r.Skip(4);
        return mod;
    }
}

/// <summary>Changes a table (OFPT_TABLE_MOD). OpenFlow 1.3 has no configuration left; kept for completeness.</summary>
/// <param name="Table">The table; 255 = all.</param>
/// <param name="Config">Reserved.</param>
public sealed record TableMod(byte Table, uint Config) : OpenFlowMessage
{
    /// <inheritdoc/>
    public override MessageType Type => MessageType.TableMod;

    internal override void EncodeBody(WireWriter w)
    {
        w.U8(Table);
        w.Zeros(3);
        w.U32(Config);
    }

    internal static TableMod Decode(ref WireReader r)
    {
        var table = r.U8();
        r.Skip(3);
        return new TableMod(table, r.U32());
    }
}
