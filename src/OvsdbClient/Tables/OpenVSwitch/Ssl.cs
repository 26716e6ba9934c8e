namespace Weft.Ovsdb.OpenVSwitch;

/// <summary>Keys and certificates of the switch. Table <c>SSL</c> of ovs-vswitchd.conf.db(5).</summary>
public sealed class Ssl : Table<Ssl>, ITable
{
    /// <summary><c>bootstrap_ca_cert</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Ssl, bool> BootstrapCaCert = Flag("bootstrap_ca_cert");

    /// <summary><c>ca_cert</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Ssl, string> CaCert = Text("ca_cert");

    /// <summary><c>certificate</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Ssl, string> Certificate = Text("certificate");

    /// <summary><c>external_ids</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Ssl, OvsdbMap<string, string>> ExternalIds = TextMap("external_ids");

    /// <summary><c>private_key</c>, see ovs-vswitchd.conf.db(5).</summary>
    public static readonly Column<Ssl, string> PrivateKey = Text("private_key");

    private Ssl()
    {
    }

    /// <inheritdoc/>
    public static string TableName => "SSL";

    /// <inheritdoc/>
    public static IReadOnlyList<Column> Columns { get; } =
    [
        BootstrapCaCert, CaCert, Certificate, ExternalIds, PrivateKey,
    ];
}
