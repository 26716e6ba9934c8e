namespace Weft.Ovsdb.OpenVSwitch;

/// <summary>A port of a bridge: one interface, or several bonded. Table <c>Port</c> of ovs-vswitchd.conf.db(5).</summary>
public sealed class Port : Table<Port>, ITable
{
    /// <summary><c>bond_active_slave</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Port, string?> BondActiveSlave = OptionalText("bond_active_slave");

    /// <summary><c>bond_downdelay</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Port, long> BondDowndelay = Integer("bond_downdelay");

    /// <summary><c>bond_fake_iface</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Port, bool> BondFakeIface = Flag("bond_fake_iface");

    /// <summary><c>bond_mode</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Port, string?> BondMode = OptionalText("bond_mode");

    /// <summary><c>bond_updelay</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Port, long> BondUpdelay = Integer("bond_updelay");

    /// <summary><c>cvlans</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Port, OvsdbSet<long>> Cvlans = Set<long>("cvlans");

    /// <summary><c>external_ids</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Port, OvsdbMap<string, string>> ExternalIds = TextMap("external_ids");

    /// <summary><c>fake_bridge</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Port, bool> FakeBridge = Flag("fake_bridge");

    /// <summary><c>interfaces</c>, see ovs-vswitchd.conf.db(5). Refers to <c>Interface</c>.</summary>
    public static readonly Column<Port, OvsdbSet<Guid>> Interfaces = References("interfaces");

    /// <summary><c>lacp</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Port, string?> Lacp = OptionalText("lacp");

    /// <summary><c>mac</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Port, string?> Mac = OptionalText("mac");

    /// <summary><c>name</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Port, string> Name = Text("name");

    /// <summary><c>other_config</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Port, OvsdbMap<string, string>> OtherConfig = TextMap("other_config");

    /// <summary><c>protected</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Port, bool> Protected = Flag("protected");

    /// <summary><c>qos</c>, see ovs-vswitchd.conf.db(5). Refers to <c>QoS</c>.</summary>
    public static readonly Column<Port, Guid?> Qos = OptionalReference("qos");

    /// <summary><c>rstp_statistics</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Port, OvsdbMap<string, long>> RstpStatistics = Map<string, long>("rstp_statistics");

    /// <summary><c>rstp_status</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Port, OvsdbMap<string, string>> RstpStatus = TextMap("rstp_status");

    /// <summary><c>statistics</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Port, OvsdbMap<string, long>> Statistics = Map<string, long>("statistics");

    /// <summary><c>status</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Port, OvsdbMap<string, string>> Status = TextMap("status");

    /// <summary><c>tag</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Port, long?> Tag = OptionalInteger("tag");

    /// <summary><c>trunks</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Port, OvsdbSet<long>> Trunks = Set<long>("trunks");

    /// <summary><c>vlan_mode</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Port, string?> VlanMode = OptionalText("vlan_mode");

    private Port()
    {
    }

    /// <inheritdoc/>
    public static string TableName => "Port";

    /// <inheritdoc/>
    public static IReadOnlyList<Column> Columns { get; } =
    [
        BondActiveSlave, BondDowndelay, BondFakeIface, BondMode, BondUpdelay, Cvlans, ExternalIds, FakeBridge,
        Interfaces, Lacp, Mac, Name, OtherConfig, Protected, Qos, RstpStatistics, RstpStatus, Statistics, Status, Tag,
        Trunks, VlanMode,
    ];
}
