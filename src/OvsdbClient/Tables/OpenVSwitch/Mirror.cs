namespace Weft.Ovsdb.OpenVSwitch;

/// <summary>A port that gets copies of packets. Table <c>Mirror</c> of ovs-vswitchd.conf.db(5).</summary>
public sealed class Mirror : Table<Mirror>, ITable
{
    /// <summary><c>external_ids</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Mirror, OvsdbMap<string, string>> ExternalIds = TextMap("external_ids");

    /// <summary><c>name</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Mirror, string> Name = Text("name");

    /// <summary><c>output_port</c>, see ovs-vswitchd.conf.db(5). Refers to <c>Port</c>.</summary>
    public static readonly Column<Mirror, Guid?> OutputPort = OptionalReference("output_port");

    /// <summary><c>output_vlan</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Mirror, long?> OutputVlan = OptionalInteger("output_vlan");

    /// <summary><c>select_all</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Mirror, bool> SelectAll = Flag("select_all");

    /// <summary><c>select_dst_port</c>, see ovs-vswitchd.conf.db(5). Refers to <c>Port</c>.</summary>
    public static readonly Column<Mirror, OvsdbSet<Guid>> SelectDstPort = References("select_dst_port");

    /// <summary><c>select_src_port</c>, see ovs-vswitchd.conf.db(5). Refers to <c>Port</c>.</summary>
    public static readonly Column<Mirror, OvsdbSet<Guid>> SelectSrcPort = References("select_src_port");

    /// <summary><c>select_vlan</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Mirror, OvsdbSet<long>> SelectVlan = Set<long>("select_vlan");

    /// <summary><c>snaplen</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Mirror, long?> Snaplen = OptionalInteger("snaplen");

    /// <summary><c>statistics</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Mirror, OvsdbMap<string, long>> Statistics = Map<string, long>("statistics");

    private Mirror()
    {
    }

    /// <inheritdoc/>
    public static string TableName => "Mirror";

    /// <inheritdoc/>
    public static IReadOnlyList<Column> Columns { get; } =
    [
        ExternalIds, Name, OutputPort, OutputVlan, SelectAll, SelectDstPort, SelectSrcPort, SelectVlan, Snaplen,
        Statistics,
    ];
}
