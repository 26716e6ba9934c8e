namespace Weft.Ovsdb.OpenVSwitch;

/// <summary>A network device within a port. Table <c>Interface</c> of ovs-vswitchd.conf.db(5).</summary>
public sealed class Interface : Table<Interface>, ITable
{
    /// <summary><c>admin_state</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Interface, string?> AdminState = OptionalText("admin_state");

    /// <summary><c>bfd</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Interface, OvsdbMap<string, string>> Bfd = TextMap("bfd");

    /// <summary><c>bfd_status</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Interface, OvsdbMap<string, string>> BfdStatus = TextMap("bfd_status");

    /// <summary><c>duplex</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Interface, string?> Duplex = OptionalText("duplex");

    /// <summary><c>error</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Interface, string?> Error = OptionalText("error");

    /// <summary><c>external_ids</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Interface, OvsdbMap<string, string>> ExternalIds = TextMap("external_ids");

    /// <summary><c>ifindex</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Interface, long?> Ifindex = OptionalInteger("ifindex");

    /// <summary><c>ingress_policing_burst</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Interface, long> IngressPolicingBurst = Integer("ingress_policing_burst");

    /// <summary><c>ingress_policing_kpkts_burst</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Interface, long> IngressPolicingKpktsBurst = Integer("ingress_policing_kpkts_burst");

    /// <summary><c>ingress_policing_kpkts_rate</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Interface, long> IngressPolicingKpktsRate = Integer("ingress_policing_kpkts_rate");

    /// <summary><c>ingress_policing_rate</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Interface, long> IngressPolicingRate = Integer("ingress_policing_rate");

    /// <summary><c>lacp_current</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Interface, bool?> LacpCurrent = OptionalFlag("lacp_current");

    /// <summary><c>link_resets</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Interface, long?> LinkResets = OptionalInteger("link_resets");

    /// <summary><c>link_speed</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Interface, long?> LinkSpeed = OptionalInteger("link_speed");

    /// <summary><c>link_state</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Interface, string?> LinkState = OptionalText("link_state");

    /// <summary><c>lldp</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Interface, OvsdbMap<string, string>> Lldp = TextMap("lldp");

    /// <summary><c>mac</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Interface, string?> Mac = OptionalText("mac");

    /// <summary><c>mac_in_use</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Interface, string?> MacInUse = OptionalText("mac_in_use");

    /// <summary><c>mtu</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Interface, long?> Mtu = OptionalInteger("mtu");

    /// <summary><c>mtu_request</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Interface, long?> MtuRequest = OptionalInteger("mtu_request");

    /// <summary><c>name</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Interface, string> Name = Text("name");

    /// <summary><c>ofport</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Interface, long?> OfPort = OptionalInteger("ofport");

    /// <summary><c>ofport_request</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Interface, long?> OfPortRequest = OptionalInteger("ofport_request");

    /// <summary><c>options</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Interface, OvsdbMap<string, string>> Options = TextMap("options");

    /// <summary><c>other_config</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Interface, OvsdbMap<string, string>> OtherConfig = TextMap("other_config");

    /// <summary><c>statistics</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Interface, OvsdbMap<string, long>> Statistics = Map<string, long>("statistics");

    /// <summary><c>status</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Interface, OvsdbMap<string, string>> Status = TextMap("status");

    /// <summary><c>type</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Interface, string> Type = Text("type");

    private Interface()
    {
    }

    /// <inheritdoc/>
    public static string TableName => "Interface";

    /// <inheritdoc/>
    public static IReadOnlyList<Column> Columns { get; } =
    [
        AdminState, Bfd, BfdStatus, Duplex, Error, ExternalIds, Ifindex, IngressPolicingBurst,
        IngressPolicingKpktsBurst, IngressPolicingKpktsRate, IngressPolicingRate, LacpCurrent, LinkResets, LinkSpeed,
        LinkState, Lldp, Mac, MacInUse, Mtu, MtuRequest, Name, OfPort, OfPortRequest, Options, OtherConfig,
        Statistics, Status, Type,
    ];
}
