namespace Weft.Ovsdb.OpenVSwitch;

/// <summary>What a datapath can do, and its zones. Table <c>Datapath</c> of ovs-vswitchd.conf.db(5).</summary>
public sealed class Datapath : Table<Datapath>, ITable
{
    /// <summary><c>capabilities</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Datapath, OvsdbMap<string, string>> Capabilities = TextMap("capabilities");

    /// <summary><c>ct_zones</c>, see ovs-vswitchd.conf.db(5). Refers to <c>CT_Zone</c>.</summary>
    public static readonly Column<Datapath, OvsdbMap<long, Guid>> ConntrackZones = Map<long, Guid>("ct_zones");

    /// <summary><c>datapath_version</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Datapath, string> DatapathVersion = Text("datapath_version");

    /// <summary><c>external_ids</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Datapath, OvsdbMap<string, string>> ExternalIds = TextMap("external_ids");

    private Datapath()
    {
    }

    /// <inheritdoc/>
    public static string TableName => "Datapath";

    /// <inheritdoc/>
    public static IReadOnlyList<Column> Columns { get; } =
    [
        Capabilities, ConntrackZones, DatapathVersion, ExternalIds,
    ];
}
