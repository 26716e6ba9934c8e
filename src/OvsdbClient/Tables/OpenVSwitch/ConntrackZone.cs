namespace Weft.Ovsdb.OpenVSwitch;

/// <summary>A connection tracking zone of a datapath. Table <c>CT_Zone</c> of ovs-vswitchd.conf.db(5).</summary>
public sealed class ConntrackZone : Table<ConntrackZone>, ITable
{
    /// <summary><c>external_ids</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<ConntrackZone, OvsdbMap<string, string>> ExternalIds = TextMap("external_ids");

    /// <summary><c>timeout_policy</c>, see ovs-vswitchd.conf.db(5). Refers to <c>CT_Timeout_Policy</c>.</summary>
    public static readonly Column<ConntrackZone, Guid?> TimeoutPolicy = OptionalReference("timeout_policy");

    private ConntrackZone()
    {
    }

    /// <inheritdoc/>
    public static string TableName => "CT_Zone";

    /// <inheritdoc/>
    public static IReadOnlyList<Column> Columns { get; } =
    [
        ExternalIds, TimeoutPolicy,
    ];
}
