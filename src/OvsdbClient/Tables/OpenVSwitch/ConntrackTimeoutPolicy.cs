namespace Weft.Ovsdb.OpenVSwitch;

/// <summary>Time-outs of a connection tracking zone. Table <c>CT_Timeout_Policy</c> of ovs-vswitchd.conf.db(5).</summary>
public sealed class ConntrackTimeoutPolicy : Table<ConntrackTimeoutPolicy>, ITable
{
    /// <summary><c>external_ids</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<ConntrackTimeoutPolicy, OvsdbMap<string, string>> ExternalIds = TextMap("external_ids");

    /// <summary><c>timeouts</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<ConntrackTimeoutPolicy, OvsdbMap<string, long>> Timeouts = Map<string, long>("timeouts");

    private ConntrackTimeoutPolicy()
    {
    }

    /// <inheritdoc/>
    public static string TableName => "CT_Timeout_Policy";

    /// <inheritdoc/>
    public static IReadOnlyList<Column> Columns { get; } =
    [
        ExternalIds, Timeouts,
    ];
}
