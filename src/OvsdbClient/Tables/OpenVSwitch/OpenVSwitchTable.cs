namespace Weft.Ovsdb.OpenVSwitch;

/// <summary>The one row that configures the whole switch; root of everything else. Table <c>Open_vSwitch</c> of ovs-vswitchd.conf.db(5).</summary>
public sealed class OpenVSwitchTable : Table<OpenVSwitchTable>, ITable
{
    /// <summary><c>bridges</c>, see ovs-vswitchd.conf.db(5). Refers to <c>Bridge</c>.</summary>
    public static readonly Column<OpenVSwitchTable, OvsdbSet<Guid>> Bridges = References("bridges");

    /// <summary><c>cur_cfg</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<OpenVSwitchTable, long> CurCfg = Integer("cur_cfg");

    /// <summary><c>datapath_types</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<OpenVSwitchTable, OvsdbSet<string>> DatapathTypes = Set<string>("datapath_types");

    /// <summary><c>datapaths</c>, see ovs-vswitchd.conf.db(5). Refers to <c>Datapath</c>.</summary>
    public static readonly Column<OpenVSwitchTable, OvsdbMap<string, Guid>> Datapaths = Map<string, Guid>("datapaths");

    /// <summary><c>db_version</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<OpenVSwitchTable, string?> DbVersion = OptionalText("db_version");

    /// <summary><c>dpdk_initialized</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<OpenVSwitchTable, bool> DpdkInitialized = Flag("dpdk_initialized");

    /// <summary><c>dpdk_version</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<OpenVSwitchTable, string?> DpdkVersion = OptionalText("dpdk_version");

    /// <summary><c>external_ids</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<OpenVSwitchTable, OvsdbMap<string, string>> ExternalIds = TextMap("external_ids");

    /// <summary><c>iface_types</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<OpenVSwitchTable, OvsdbSet<string>> InterfaceTypes = Set<string>("iface_types");

    /// <summary><c>manager_options</c>, see ovs-vswitchd.conf.db(5). Refers to <c>Manager</c>.</summary>
    public static readonly Column<OpenVSwitchTable, OvsdbSet<Guid>> ManagerOptions = References("manager_options");

    /// <summary><c>next_cfg</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<OpenVSwitchTable, long> NextCfg = Integer("next_cfg");

    /// <summary><c>other_config</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<OpenVSwitchTable, OvsdbMap<string, string>> OtherConfig = TextMap("other_config");

    /// <summary><c>ovs_version</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<OpenVSwitchTable, string?> OvsVersion = OptionalText("ovs_version");

    /// <summary><c>ssl</c>, see ovs-vswitchd.conf.db(5). Refers to <c>SSL</c>.</summary>
    public static readonly Column<OpenVSwitchTable, Guid?> SslSettings = OptionalReference("ssl");

    /// <summary><c>statistics</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<OpenVSwitchTable, OvsdbMap<string, string>> Statistics = TextMap("statistics");

    /// <summary><c>system_type</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<OpenVSwitchTable, string?> SystemType = OptionalText("system_type");

    /// <summary><c>system_version</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<OpenVSwitchTable, string?> SystemVersion = OptionalText("system_version");

    private OpenVSwitchTable()
    {
    }

    /// <inheritdoc/>
    public static string TableName => "Open_vSwitch";

    /// <inheritdoc/>
    public static IReadOnlyList<Column> Columns { get; } =
    [
        Bridges, CurCfg, DatapathTypes, Datapaths, DbVersion, DpdkInitialized, DpdkVersion, ExternalIds,
        InterfaceTypes, ManagerOptions, NextCfg, OtherConfig, OvsVersion, SslSettings, Statistics, SystemType,
        SystemVersion,
    ];
}
