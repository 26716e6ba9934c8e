using Weft.Ovsdb.Server;

namespace Weft.Ovsdb;

/// <summary>Follows what a server says about itself: whether it is in its cluster, leads it, and which schema it has.</summary>
internal sealed class ServerWatch(string database, bool leaderOnly, MonitorMethod newest)
{
    private static readonly MonitorSelection Selection =
        MonitorSelection.None.Add<Database>(Database.Name, Database.Model, Database.Connected, Database.Leader, Database.Schema, Database.ClusterId, Database.ServerId);

    private readonly DatabaseReplica _replica = new([]);
    private string? _schema;

    /// <summary>Receives this watch's notifications.</summary>
    public ReplicaMonitor Monitor => field ??= new ReplicaMonitor("server", Database.DatabaseName, _replica);

    /// <summary>True when the server has a <c>_Server</c> database (Open vSwitch 2.9 and later).</summary>
    public bool IsAvailable { get; private set; }

    /// <summary>Asks the server about itself.</summary>
    /// <exception cref="OvsdbConnectionException">This server cannot be used now; the message says why.</exception>
    public async Task StartAsync(OvsdbConnection connection, CancellationToken cancellationToken)
    {
        try
        {
            var schema = await connection.GetSchemaAsync(Database.DatabaseName, cancellationToken).ConfigureAwait(false);
            await connection.SetDatabaseChangeAwareAsync(true, cancellationToken).ConfigureAwait(false);
            await Monitor.StartAsync(connection, schema, Selection, newest, cancellationToken).ConfigureAwait(false);
            IsAvailable = true;
        }
        catch (OvsdbRequestException e) when (e.Error is "unknown database" or "unknown method")
        {
            // A server from before 2.9: it is alone, and disconnects its clients when the schema changes.
            IsAvailable = false;
            return;
        }

        _schema = Row(_replica.Current!)?.Get(Database.Schema);
        if (Refusal(_replica.Current!) is { } reason)
        {
            throw new OvsdbConnectionException($"{connection.Name}: {reason}");
        }
    }

    /// <summary>Completes with the reason when the server can no longer be used, or has another schema.</summary>
    public async Task<string> RefusalAsync(CancellationToken cancellationToken)
    {
        var snapshot = await _replica.WaitForAsync(s => Refusal(s) is not null, cancellationToken).ConfigureAwait(false);
        return Refusal(snapshot)!;
    }

    private Row<Database>? Row(DatabaseSnapshot snapshot) =>
        snapshot.Rows<Database>().Where(r => r.Get(Database.Name) == database).Select(r => (Row<Database>?)r).FirstOrDefault();

    private string? Refusal(DatabaseSnapshot snapshot)
    {
        if (Row(snapshot) is not { } row)
        {
            return $"the server has no database \"{database}\"; it has {string.Join(", ", snapshot.Rows<Database>().Select(r => r.Get(Database.Name)))}";
        }

        if (!row.Get(Database.Connected))
        {
            return $"the server has lost the cluster of \"{database}\"";
        }

        if (leaderOnly && !row.Get(Database.Leader))
        {
            return $"the server is not the leader of \"{database}\"";
        }

        return row.Get(Database.Schema) is not { Length: > 0 } schema ? $"the server has no schema of \"{database}\" yet"
            : schema != _schema ? $"the schema of \"{database}\" changed"
            : null;
    }
}
