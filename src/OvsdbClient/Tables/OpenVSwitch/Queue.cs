namespace Weft.Ovsdb.OpenVSwitch;

/// <summary>A queue of a QoS configuration. Table <c>Queue</c> of ovs-vswitchd.conf.db(5).</summary>
public sealed class Queue : Table<Queue>, ITable
{
    /// <summary><c>dscp</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Queue, long?> Dscp = OptionalInteger("dscp");

    /// <summary><c>external_ids</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Queue, OvsdbMap<string, string>> ExternalIds = TextMap("external_ids");

    /// <summary><c>other_config</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Queue, OvsdbMap<string, string>> OtherConfig = TextMap("other_config");

    private Queue()
    {
    }

    /// <inheritdoc/>
    public static string TableName => "Queue";

    /// <inheritdoc/>
    public static IReadOnlyList<Column> Columns { get; } =
    [
        Dscp, ExternalIds, OtherConfig,
    ];
}
