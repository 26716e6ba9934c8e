namespace Weft.Ovsdb.OpenVSwitch;

/// <summary>A bridge with its ports. Table <c>Bridge</c> of ovs-vswitchd.conf.db(5).</summary>
public sealed class Bridge : Table<Bridge>, ITable
{
    /// <summary><c>auto_attach</c>, see ovs-vswitchd.conf.db(5). Refers to <c>AutoAttach</c>.</summary>
    public static readonly Column<Bridge, Guid?> AutoAttach = OptionalReference("auto_attach");

    /// <summary><c>controller</c>, see ovs-vswitchd.conf.db(5). Refers to <c>Controller</c>.</summary>
    public static readonly Column<Bridge, OvsdbSet<Guid>> Controller = References("controller");

    /// <summary><c>datapath_id</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Bridge, string?> DatapathId = OptionalText("datapath_id");

    /// <summary><c>datapath_type</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Bridge, string> DatapathType = Text("datapath_type");

    /// <summary><c>datapath_version</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Bridge, string> DatapathVersion = Text("datapath_version");

    /// <summary><c>external_ids</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Bridge, OvsdbMap<string, string>> ExternalIds = TextMap("external_ids");

    /// <summary><c>fail_mode</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Bridge, string?> FailMode = OptionalText("fail_mode");

    /// <summary><c>flood_vlans</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Bridge, OvsdbSet<long>> FloodVlans = Set<long>("flood_vlans");

    /// <summary><c>flow_tables</c>, see ovs-vswitchd.conf.db(5). Refers to <c>Flow_Table</c>.</summary>
    public static readonly Column<Bridge, OvsdbMap<long, Guid>> FlowTables = Map<long, Guid>("flow_tables");

    /// <summary><c>ipfix</c>, see ovs-vswitchd.conf.db(5). Refers to <c>IPFIX</c>.</summary>
    public static readonly Column<Bridge, Guid?> Ipfix = OptionalReference("ipfix");

    /// <summary><c>mcast_snooping_enable</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Bridge, bool> McastSnoopingEnable = Flag("mcast_snooping_enable");

    /// <summary><c>mirrors</c>, see ovs-vswitchd.conf.db(5). Refers to <c>Mirror</c>.</summary>
    public static readonly Column<Bridge, OvsdbSet<Guid>> Mirrors = References("mirrors");

    /// <summary><c>name</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Bridge, string> Name = Text("name");

    /// <summary><c>netflow</c>, see ovs-vswitchd.conf.db(5). Refers to <c>NetFlow</c>.</summary>
    public static readonly Column<Bridge, Guid?> Netflow = OptionalReference("netflow");

    /// <summary><c>other_config</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Bridge, OvsdbMap<string, string>> OtherConfig = TextMap("other_config");

    /// <summary><c>ports</c>, see ovs-vswitchd.conf.db(5). Refers to <c>Port</c>.</summary>
    public static readonly Column<Bridge, OvsdbSet<Guid>> Ports = References("ports");

    /// <summary><c>protocols</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Bridge, OvsdbSet<string>> Protocols = Set<string>("protocols");

    /// <summary><c>rstp_enable</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Bridge, bool> RstpEnable = Flag("rstp_enable");

    /// <summary><c>rstp_status</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Bridge, OvsdbMap<string, string>> RstpStatus = TextMap("rstp_status");

    /// <summary><c>sflow</c>, see ovs-vswitchd.conf.db(5). Refers to <c>sFlow</c>.</summary>
    public static readonly Column<Bridge, Guid?> Sflow = OptionalReference("sflow");

    /// <summary><c>status</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Bridge, OvsdbMap<string, string>> Status = TextMap("status");

    /// <summary><c>stp_enable</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Bridge, bool> StpEnable = Flag("stp_enable");

    private Bridge()
    {
    }

    /// <inheritdoc/>
    public static string TableName => "Bridge";

    /// <inheritdoc/>
    public static IReadOnlyList<Column> Columns { get; } =
    [
        AutoAttach, Controller, DatapathId, DatapathType, DatapathVersion, ExternalIds, FailMode, FloodVlans,
        FlowTables, Ipfix, McastSnoopingEnable, Mirrors, Name, Netflow, OtherConfig, Ports, Protocols, RstpEnable,
        RstpStatus, Sflow, Status, StpEnable,
    ];
}
