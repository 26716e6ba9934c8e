using Newtonsoft.Json;

namespace Weft.Ovsdb;

/// <summary>Gives each notification of the server to whom it belongs.</summary>
internal sealed class SessionNotifications(IReadOnlyList<ReplicaMonitor> monitors, Func<string, OvsdbLock?> findLock) : INotificationHandler
{
    private TaskCompletionSource? _cancelled;

    /// <summary>Completes when the server cancels a monitor from now on (monitor_canceled, ovsdb-server(7) 4.1.7).</summary>
    public Task MonitorCancelledAsync(CancellationToken cancellationToken) =>
        (_cancelled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task.WaitAsync(cancellationToken);

    public Action? Read(string method, OvsdbJsonReader reader)
    {
        switch (method)
        {
            case "update" or "update2" or "update3":
                var monitor = Find(reader, method) ?? throw reader.Wrong("an update of a monitor that nobody asked for");
                return monitor.ReadUpdate(method, reader);
            case "monitor_canceled":
                Find(reader, method);
                reader.NextExpect(JsonToken.EndArray, "the end of monitor_canceled");
                return () => Volatile.Read(ref _cancelled)?.TrySetResult();
            case "locked" or "stolen":
                reader.Expect(JsonToken.StartArray, $"the parameters of \"{method}\"");
                reader.Next();
                var name = reader.Text("a lock's name");
                reader.NextExpect(JsonToken.EndArray, $"the end of \"{method}\"");
                return () => findLock(name)?.Set(method == "locked");
            default:
                // A newer server's; nothing that we asked for depends on it.
                reader.Skip();
                return null;
        }
    }

    private ReplicaMonitor? Find(OvsdbJsonReader reader, string method)
    {
        reader.Expect(JsonToken.StartArray, $"the parameters of \"{method}\"");
        reader.Next();
        var id = reader.Text("a monitor's id");
        foreach (var monitor in monitors)
        {
            if (monitor.Id == id)
            {
                if (method != "monitor_canceled")
                {
                    reader.Next();
                }

                return monitor;
            }
        }

        return null;
    }
}
