namespace Weft.Agent.Sync;

/// <summary>Conntrack zones that must be empty before flows use them. Those that come next are emptied in advance, so that no pod pays for it.</summary>
/// <remarks>
/// The requests have no answers; the switch does them in order, so one is done when anything that was sent after it on the same connection is.
/// Not thread-safe; owned by the agent's loop.
/// </remarks>
public sealed class ZoneFlushes
{
    private readonly List<ushort> _before = [];
    private readonly List<ushort> _after = [];
    private readonly HashSet<ushort> _emptied = [];
    private readonly List<ushort> _unconfirmed = [];
    private readonly Func<ushort, CancellationToken, Task> _flush;
    private int _connection;

    internal ZoneFlushes(Func<ushort, CancellationToken, Task> flush) => _flush = flush;

    /// <summary>The next flows use a zone: it is emptied before them, unless it is already.</summary>
    public void Before(ushort zone)
    {
        if (!_emptied.Remove(zone))
        {
            _after.Remove(zone);
            _before.Add(zone);
        }
    }

    /// <summary>Empties a zone that nothing uses once the next flows are in effect.</summary>
    public void After(ushort zone)
    {
        if (!_emptied.Contains(zone) && !_before.Contains(zone) && !_after.Contains(zone))
        {
            _after.Add(zone);
        }
    }

    /// <summary>To be called before flows are sent.</summary>
    /// <param name="connection">Which connection this is: what was sent on another may be lost.</param>
    internal async Task BeforeFlowsAsync(int connection, CancellationToken ct)
    {
        if (connection != _connection)
        {
            _connection = connection;
            _emptied.ExceptWith(_unconfirmed);
            _before.AddRange(_unconfirmed);
            _unconfirmed.Clear();
        }

        await SendAsync(_before, ct).ConfigureAwait(false);
    }

    /// <summary>The switch did something that was sent later.</summary>
    internal void Confirm() => _unconfirmed.Clear();

    /// <summary>To be called when flows are in effect.</summary>
    internal async Task AfterFlowsAsync(CancellationToken ct)
    {
        _emptied.UnionWith(_after);
        await SendAsync(_after, ct).ConfigureAwait(false);
    }

    private async Task SendAsync(List<ushort> zones, CancellationToken ct)
    {
        _unconfirmed.AddRange(zones);
        var sent = zones.ToList();
        zones.Clear();
        foreach (var zone in sent)
        {
            await _flush(zone, ct).ConfigureAwait(false);
        }
    }
}
