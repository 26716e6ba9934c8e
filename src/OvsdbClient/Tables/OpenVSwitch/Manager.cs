namespace Weft.Ovsdb.OpenVSwitch;

/// <summary>A remote that manages this database. Table <c>Manager</c> of ovs-vswitchd.conf.db(5).</summary>
public sealed class Manager : Table<Manager>, ITable
{
    /// <summary><c>connection_mode</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Manager, string?> ConnectionMode = OptionalText("connection_mode");

    /// <summary><c>external_ids</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Manager, OvsdbMap<string, string>> ExternalIds = TextMap("external_ids");

    /// <summary><c>inactivity_probe</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Manager, long?> InactivityProbe = OptionalInteger("inactivity_probe");

    /// <summary><c>is_connected</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Manager, bool> IsConnected = Flag("is_connected");

    /// <summary><c>max_backoff</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Manager, long?> MaxBackoff = OptionalInteger("max_backoff");

    /// <summary><c>other_config</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Manager, OvsdbMap<string, string>> OtherConfig = TextMap("other_config");

    /// <summary><c>status</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Manager, OvsdbMap<string, string>> Status = TextMap("status");

    /// <summary><c>target</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Manager, string> Target = Text("target");

    private Manager()
    {
    }

    /// <inheritdoc/>
    public static string TableName => "Manager";

    /// <inheritdoc/>
    public static IReadOnlyList<Column> Columns { get; } =
    [
        ConnectionMode, ExternalIds, InactivityProbe, IsConnected, MaxBackoff, OtherConfig, Status, Target,
    ];
}
