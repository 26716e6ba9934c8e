using System.Collections.Immutable;
using Newtonsoft.Json;

namespace Weft.Ovsdb;

/// <summary>Keeps one replica up to date over one connection after another.</summary>
/// <remarks>Started by the supervisor, fed by the reading thread of the connection; never both for different connections.</remarks>
internal sealed class ReplicaMonitor(string id, string database, DatabaseReplica replica)
{
    private MonitorPlan? _plan;
    private ImmutableDictionary<string, ImmutableArray<Condition>?>? _conditions;
    private bool _mayResume;

    /// <summary>The identity that notifications carry.</summary>
    public string Id => id;

    /// <summary>The method in use on the present connection.</summary>
    public MonitorMethod Method { get; private set; }

    /// <summary>What the server was asked for last.</summary>
    public MonitorSelection Selection { get; private set; } = MonitorSelection.None;

    /// <summary>True when the server was asked for a monitor; a selection of nothing asks for none.</summary>
    public bool IsActive => _plan is { Layouts.Count: > 0 };

    /// <summary>Asks for the tables, with the newest method that the server knows, and applies the reply.</summary>
    /// <returns>True when the replica was continued, false when it was replaced.</returns>
    public async Task<bool> StartAsync(
        OvsdbConnection connection, DatabaseSchema schema, MonitorSelection selection, MonitorMethod newest, CancellationToken cancellationToken)
    {
        Selection = selection;
        var plan = MonitorPlan.Make(schema, selection);
        var conditions = ConditionsOf(selection);
        var continued = _plan is null ? null : plan.Continue(_plan);
        var since = _mayResume && continued is not null && SameConditions(conditions) ? replica.Current?.LastTransaction ?? Guid.Empty : Guid.Empty;
        _plan = continued ?? plan;
        _conditions = conditions;
        _mayResume = false;
        for (Method = newest; ; Method--)
        {
            try
            {
                var resumed = await MonitorAsync(connection, _plan, selection, since, cancellationToken).ConfigureAwait(false);
                _mayResume = true;
                return resumed;
            }
            catch (OvsdbRequestException e) when (e.Error == "unknown method" && Method > MonitorMethod.Monitor)
            {
                // An older server: ask the older way.
            }
        }
    }

    /// <summary>Changes the conditions of followed tables on the live connection. The resulting changes are applied before this completes.</summary>
    public async Task ChangeConditionsAsync(OvsdbConnection connection, MonitorSelection selection, CancellationToken cancellationToken)
    {
        Selection = selection;
        var conditions = ConditionsOf(selection);
        var changed = conditions.Where(c => !Same(c.Value, _conditions!.GetValueOrDefault(c.Key))).ToArray();
        if (changed.Length == 0 || Method == MonitorMethod.Monitor)
        {
            _conditions = conditions;
            return;
        }

        // Until the server has answered, a break leaves rows of both conditions: only a whole snapshot is right then.
        _mayResume = false;
        _conditions = conditions;
        await connection.CallAsync(
            "monitor_cond_change",
            w =>
            {
                w.Text(id).Text(id).BeginObject();
                foreach (var (table, where) in changed.Where(c => _plan!.Layouts.ContainsKey(c.Key)))
                {
                    w.Member(table).BeginArray().BeginObject().Member("where");
                    WriteWhere(w, where);
                    w.EndObject().EndArray();
                }

                w.EndObject();
            },
            r =>
            {
                r.Skip();
                return true;
            },
            cancellationToken,
            apply: _ => _mayResume = true).ConfigureAwait(false);
    }

    /// <summary>Reads the updates of a notification; the reader stands on what follows the monitor's id in its parameters.</summary>
    public Action ReadUpdate(string method, OvsdbJsonReader reader)
    {
        var plan = _plan ?? throw reader.Wrong($"\"{method}\" before the reply to the monitor's request");
        var transaction = replica.Current!.LastTransaction;
        var updates = new UpdateReader(plan, replica.Current);
        if (method == "update3")
        {
            transaction = reader.Uuid();
            reader.Next();
        }

        if (method == "update")
        {
            updates.ReadUpdates(reader);
        }
        else
        {
            updates.ReadUpdates2(reader);
        }

        reader.NextExpect(JsonToken.EndArray, "the end of an update's parameters");
        return () => replica.Apply(plan, updates.Changes, transaction);
    }

    private static ImmutableDictionary<string, ImmutableArray<Condition>?> ConditionsOf(MonitorSelection selection) =>
        selection.Tables.Values.Where(t => t.Where is not null).ToImmutableDictionary(t => t.Table, t => t.Where, StringComparer.Ordinal)
            .AddRange(selection.Tables.Values.Where(t => t.Where is null).Select(t => KeyValuePair.Create(t.Table, (ImmutableArray<Condition>?)null)));

    private static bool Same(ImmutableArray<Condition>? left, ImmutableArray<Condition>? right) =>
        left is { } l && right is { } r ? l.SequenceEqual(r) : left is null && right is null;

    private bool SameConditions(ImmutableDictionary<string, ImmutableArray<Condition>?> conditions) =>
        _conditions is not null && conditions.Count == _conditions.Count
        && conditions.All(c => _conditions.TryGetValue(c.Key, out var other) && Same(c.Value, other));

    private static void WriteWhere(OvsdbJsonWriter writer, ImmutableArray<Condition>? where)
    {
        if (where is { Length: > 0 } any)
        {
            writer.Conditions(any);
        }
        else
        {
            writer.BeginArray().Flag(where is null).EndArray();
        }
    }

    private Task<bool> MonitorAsync(
        OvsdbConnection connection, MonitorPlan plan, MonitorSelection selection, Guid since, CancellationToken cancellationToken)
    {
        if (plan.Layouts.Count == 0)
        {
            replica.Replace(plan, [], Guid.Empty);
            return Task.FromResult(false);
        }

        var name = Method switch
        {
            MonitorMethod.MonitorCondSince => "monitor_cond_since",
            MonitorMethod.MonitorCond => "monitor_cond",
            _ => "monitor",
        };
        return CallAsync(connection, name, plan, selection, since, cancellationToken);
    }

    private async Task<bool> CallAsync(
        OvsdbConnection connection, string name, MonitorPlan plan, MonitorSelection selection, Guid since, CancellationToken cancellationToken)
    {
        var reply = await connection.CallAsync(
            name,
            w =>
            {
                w.Text(database).Text(id);
                WriteRequests(w, plan, selection);
                if (Method == MonitorMethod.MonitorCondSince)
                {
                    w.Text(since.ToString("D"));
                }
            },
            r => ReadReply(r, plan),
            cancellationToken,
            apply: r =>
            {
                if (r.Found)
                {
                    replica.Apply(plan, r.Changes, r.Transaction);
                }
                else
                {
                    replica.Replace(plan, r.Changes, r.Transaction);
                }
            }).ConfigureAwait(false);
        return reply.Found;
    }

    private void WriteRequests(OvsdbJsonWriter writer, MonitorPlan plan, MonitorSelection selection)
    {
        writer.BeginObject();
        foreach (var layout in plan.Layouts.Values)
        {
            writer.Member(layout.Name).BeginArray().BeginObject().Member("columns").Texts(layout.Columns);
            if (Method != MonitorMethod.Monitor && selection.Tables.TryGetValue(layout.Name, out var table) && table.Where is { } where)
            {
                writer.Member("where");
                WriteWhere(writer, where);
            }

            writer.EndObject().EndArray();
        }

        writer.EndObject();
    }

    private Reply ReadReply(OvsdbJsonReader reader, MonitorPlan plan)
    {
        if (Method != MonitorMethod.MonitorCondSince)
        {
            var whole = new UpdateReader(plan, null);
            if (Method == MonitorMethod.Monitor)
            {
                whole.ReadUpdates(reader);
            }
            else
            {
                whole.ReadUpdates2(reader);
            }

            return new Reply(false, Guid.Empty, whole.Changes);
        }

        reader.Expect(JsonToken.StartArray, "the reply to monitor_cond_since");
        reader.Next();
        var found = reader.Flag("whether the server found the last transaction");
        reader.Next();
        var transaction = reader.Uuid();
        reader.Next();
        var updates = new UpdateReader(plan, found ? replica.Current : null);
        updates.ReadUpdates2(reader);
        reader.NextExpect(JsonToken.EndArray, "the end of the reply to monitor_cond_since");
        return new Reply(found, transaction, updates.Changes);
    }

    private sealed record Reply(bool Found, Guid Transaction, Dictionary<TableLayout, List<(Guid Uuid, Row? Old, Row? New)>> Changes);
}
