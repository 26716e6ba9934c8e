namespace Weft.Ovsdb.OpenVSwitch;

/// <summary>An OpenFlow controller of a bridge. Table <c>Controller</c> of ovs-vswitchd.conf.db(5).</summary>
public sealed class Controller : Table<Controller>, ITable
{
    /// <summary><c>connection_mode</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Controller, string?> ConnectionMode = OptionalText("connection_mode");

    /// <summary><c>controller_burst_limit</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Controller, long?> ControllerBurstLimit = OptionalInteger("controller_burst_limit");

    /// <summary><c>controller_queue_size</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Controller, long?> ControllerQueueSize = OptionalInteger("controller_queue_size");

    /// <summary><c>controller_rate_limit</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Controller, long?> ControllerRateLimit = OptionalInteger("controller_rate_limit");

    /// <summary><c>enable_async_messages</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Controller, bool?> EnableAsyncMessages = OptionalFlag("enable_async_messages");

    /// <summary><c>external_ids</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Controller, OvsdbMap<string, string>> ExternalIds = TextMap("external_ids");

    /// <summary><c>inactivity_probe</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Controller, long?> InactivityProbe = OptionalInteger("inactivity_probe");

    /// <summary><c>is_connected</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Controller, bool> IsConnected = Flag("is_connected");

    /// <summary><c>local_gateway</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Controller, string?> LocalGateway = OptionalText("local_gateway");

    /// <summary><c>local_ip</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Controller, string?> LocalIp = OptionalText("local_ip");

    /// <summary><c>local_netmask</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Controller, string?> LocalNetmask = OptionalText("local_netmask");

    /// <summary><c>max_backoff</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Controller, long?> MaxBackoff = OptionalInteger("max_backoff");

    /// <summary><c>other_config</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Controller, OvsdbMap<string, string>> OtherConfig = TextMap("other_config");

    /// <summary><c>role</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Controller, string?> Role = OptionalText("role");

    /// <summary><c>status</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Controller, OvsdbMap<string, string>> Status = TextMap("status");

    /// <summary><c>target</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Controller, string> Target = Text("target");

    /// <summary><c>type</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Controller, string?> Type = OptionalText("type");

    private Controller()
    {
    }

    /// <inheritdoc/>
    public static string TableName => "Controller";

    /// <inheritdoc/>
    public static IReadOnlyList<Column> Columns { get; } =
    [
        ConnectionMode, ControllerBurstLimit, ControllerQueueSize, ControllerRateLimit, EnableAsyncMessages,
        ExternalIds, InactivityProbe, IsConnected, LocalGateway, LocalIp, LocalNetmask, MaxBackoff, OtherConfig, Role,
        Status, Target, Type,
    ];
}
