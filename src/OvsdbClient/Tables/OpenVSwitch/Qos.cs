namespace Weft.Ovsdb.OpenVSwitch;

/// <summary>Quality of service of a port. Table <c>QoS</c> of ovs-vswitchd.conf.db(5).</summary>
public sealed class Qos : Table<Qos>, ITable
{
    /// <summary><c>external_ids</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Qos, OvsdbMap<string, string>> ExternalIds = TextMap("external_ids");

    /// <summary><c>other_config</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Qos, OvsdbMap<string, string>> OtherConfig = TextMap("other_config");

    /// <summary><c>queues</c>, see ovs-vswitchd.conf.db(5). Refers to <c>Queue</c>.</summary>
    public static readonly Column<Qos, OvsdbMap<long, Guid>> Queues = Map<long, Guid>("queues");

    /// <summary><c>type</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Qos, string> Type = Text("type");

    private Qos()
    {
    }

    /// <inheritdoc/>
    public static string TableName => "QoS";

    /// <inheritdoc/>
    public static IReadOnlyList<Column> Columns { get; } =
    [
        ExternalIds, OtherConfig, Queues, Type,
    ];
}
