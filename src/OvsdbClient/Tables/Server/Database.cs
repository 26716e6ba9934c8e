namespace Weft.Ovsdb.Server;

/// <summary>A database of the server, in the server's own database <c>_Server</c> (ovsdb-server(5)).</summary>
public sealed class Database : Table<Database>, ITable
{
    /// <summary>The name of the database that holds this table.</summary>
    public const string DatabaseName = "_Server";

    /// <summary><c>name</c></summary>
    public static readonly Column<Database, string> Name = Text("name");

    /// <summary><c>model</c>: <c>standalone</c>, <c>clustered</c> or <c>relay</c>.</summary>
    public static readonly Column<Database, string> Model = Text("model");

    /// <summary><c>connected</c>: false in a server that lost its cluster.</summary>
    public static readonly Column<Database, bool> Connected = Flag("connected");

    /// <summary><c>leader</c>: true in standalone servers too.</summary>
    public static readonly Column<Database, bool> Leader = Flag("leader");

    /// <summary><c>schema</c>: the schema as JSON; empty until a server has joined its cluster.</summary>
    public static readonly Column<Database, string?> Schema = OptionalText("schema");

    /// <summary><c>cid</c>: the cluster's identity.</summary>
    public static readonly Column<Database, Guid?> ClusterId = OptionalReference("cid");

    /// <summary><c>sid</c>: the server's identity in the cluster.</summary>
    public static readonly Column<Database, Guid?> ServerId = OptionalReference("sid");

    /// <summary><c>index</c>: the newest log entry that the server has.</summary>
    public static readonly Column<Database, long?> Index = OptionalInteger("index");

    private Database()
    {
    }

    /// <inheritdoc/>
    public static string TableName => "Database";

    /// <inheritdoc/>
    public static IReadOnlyList<Column> Columns { get; } = [Name, Model, Connected, Leader, Schema, ClusterId, ServerId, Index];
}
