namespace Weft.Ovsdb.OpenVSwitch;

/// <summary>Settings and the name of an OpenFlow table. Table <c>Flow_Table</c> of ovs-vswitchd.conf.db(5).</summary>
public sealed class FlowTable : Table<FlowTable>, ITable
{
    /// <summary><c>external_ids</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<FlowTable, OvsdbMap<string, string>> ExternalIds = TextMap("external_ids");

    /// <summary><c>flow_limit</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<FlowTable, long?> FlowLimit = OptionalInteger("flow_limit");

    /// <summary><c>groups</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<FlowTable, OvsdbSet<string>> Groups = Set<string>("groups");

    /// <summary><c>name</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<FlowTable, string?> Name = OptionalText("name");

    /// <summary><c>overflow_policy</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<FlowTable, string?> OverflowPolicy = OptionalText("overflow_policy");

    /// <summary><c>prefixes</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<FlowTable, OvsdbSet<string>> Prefixes = Set<string>("prefixes");

    private FlowTable()
    {
    }

    /// <inheritdoc/>
    public static string TableName => "Flow_Table";

    /// <inheritdoc/>
    public static IReadOnlyList<Column> Columns { get; } =
    [
        ExternalIds, FlowLimit, Groups, Name, OverflowPolicy, Prefixes,
    ];
}
