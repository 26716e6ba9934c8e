using Newtonsoft.Json;

namespace Weft.Ovsdb;

/// <content>The protocol's requests (RFC 7047 section 4.1 and ovsdb-server(7)).</content>
public sealed partial class OvsdbConnection
{
    /// <summary>The names of the server's databases (list_dbs, RFC 7047 section 4.1.1).</summary>
    public Task<IReadOnlyList<string>> ListDatabasesAsync(CancellationToken cancellationToken = default) =>
        CallAsync<IReadOnlyList<string>>("list_dbs", _ => { }, ReadNames, cancellationToken);

    /// <summary>A database's schema (get_schema, RFC 7047 section 4.1.2).</summary>
    /// <exception cref="OvsdbRequestException">There is no such database.</exception>
    public Task<DatabaseSchema> GetSchemaAsync(string database, CancellationToken cancellationToken = default) =>
        CallAsync("get_schema", w => w.Text(database), SchemaReader.Read, cancellationToken);

    /// <summary>Carries out a transaction (transact, RFC 7047 section 4.1.3). What the server refuses is in the outcome.</summary>
    /// <remarks>Cancelling after sending asks the server to cancel (section 4.1.4), which helps only against a <c>wait</c>:
    /// whether the transaction was carried out is unknown then.</remarks>
    /// <exception cref="OvsdbRequestException">The server refused the request as a whole, for instance for an unknown database.</exception>
    /// <exception cref="OvsdbConnectionException">The connection is gone; see <see cref="OvsdbConnectionException.MayHaveBeenApplied"/>.</exception>
    public Task<TransactionOutcome> TransactAsync(DatabaseSchema schema, Transaction transaction, CancellationToken cancellationToken = default)
    {
        var operations = transaction.Operations.ToArray();
        return CallAsync(
            "transact",
            w =>
            {
                w.Text(schema.Name);
                transaction.WriteTo(w);
            },
            r => OutcomeReader.Read(r, operations, schema),
            cancellationToken,
            id => Notify("cancel", w => w.Number(id)));
    }

    /// <summary>Asks for the server's life signs (echo, RFC 7047 section 4.1.11).</summary>
    public Task EchoAsync(CancellationToken cancellationToken = default) =>
        CallAsync("echo", _ => { }, Skip, cancellationToken);

    /// <summary>Asks to be told of databases that come, go or change, instead of being disconnected (set_db_change_aware, ovsdb-server(7) 4.1.18).</summary>
    public Task SetDatabaseChangeAwareAsync(bool aware, CancellationToken cancellationToken = default) =>
        CallAsync("set_db_change_aware", w => w.Flag(aware), Skip, cancellationToken);

    /// <summary>The server process's identity, new with every start (get_server_id, ovsdb-server(7) 4.1.17).</summary>
    public Task<Guid> GetServerIdAsync(CancellationToken cancellationToken = default) =>
        CallAsync("get_server_id", _ => { }, r => r.Uuid(), cancellationToken);

    /// <summary>Asks for a lock, and waits in its queue when somebody has it (lock, RFC 7047 section 4.1.8). True when it is owned at once.</summary>
    /// <remarks>Names beginning with the database's name and an underscore are customary. The lock goes with the connection.</remarks>
    public Task<bool> LockAsync(string name, CancellationToken cancellationToken = default) => LockAsync("lock", name, cancellationToken);

    /// <summary>Takes a lock from whoever has it (steal, RFC 7047 section 4.1.8).</summary>
    public Task<bool> StealAsync(string name, CancellationToken cancellationToken = default) => LockAsync("steal", name, cancellationToken);

    /// <summary>Gives a lock back, or leaves its queue (unlock, RFC 7047 section 4.1.8).</summary>
    public Task UnlockAsync(string name, CancellationToken cancellationToken = default) =>
        CallAsync("unlock", w => w.Text(name), Skip, cancellationToken);

    /// <summary>Locks or steals; <paramref name="apply"/> is called on the reading thread, before a later notification about the lock.</summary>
    internal Task<bool> LockAsync(string method, string name, Action<bool>? apply, CancellationToken cancellationToken) =>
        CallAsync(method, w => w.Text(name), ReadLocked, cancellationToken, apply: apply);

    /// <summary>Ends a monitor (monitor_cancel, RFC 7047 section 4.1.7).</summary>
    internal Task CancelMonitorAsync(string id, CancellationToken cancellationToken) =>
        CallAsync("monitor_cancel", w => w.Text(id), Skip, cancellationToken);

    private static bool Skip(OvsdbJsonReader reader)
    {
        reader.Skip();
        return true;
    }

    private static IReadOnlyList<string> ReadNames(OvsdbJsonReader reader)
    {
        var names = new List<string>();
        reader.Expect(JsonToken.StartArray, "a list of names");
        while (reader.Next() != JsonToken.EndArray)
        {
            names.Add(reader.Text("a name"));
        }

        return names;
    }

    private static bool ReadLocked(OvsdbJsonReader reader)
    {
        var locked = false;
        reader.Expect(JsonToken.StartObject, "the result of a lock");
        while (reader.NextMember(out var member))
        {
            if (member == "locked")
            {
                locked = reader.Flag("locked");
            }
            else
            {
                reader.Skip();
            }
        }

        return locked;
    }

    private Task<bool> LockAsync(string method, string name, CancellationToken cancellationToken) =>
        LockAsync(method, name, null, cancellationToken);
}
