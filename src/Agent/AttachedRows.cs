using System.Collections.Concurrent;
using Weft.Agent.Facts;
using Weft.Agent.Sync;

namespace Weft.Agent;

/// <summary>Which pods' ports have rows in OVSDB, and which of these somebody else removed or changed.</summary>
/// <remarks><see cref="Note"/> is safe for concurrent use; all else is called by the agent's loop only.</remarks>
internal sealed class AttachedRows(BridgeRows rows)
{
    private readonly ConcurrentDictionary<string, bool> _attached = new(StringComparer.Ordinal);
    private List<string> _lost = [];

    /// <summary>The port has its rows: from now on they are put right.</summary>
    public void Note(string portId) => _attached[portId] = true;

    /// <summary>The port is about to go, with its rows.</summary>
    public void Forget(string portId) => _attached.TryRemove(portId, out _);

    /// <summary>Compares the rows with the facts. What is in the facts is forgotten first when it goes: rows that go before were taken by somebody else.</summary>
    public void Compare(NodeFacts facts, Dictionary<string, BridgePort> found) => _lost = [.. facts.Ports
        .Where(p => _attached.ContainsKey(p.Key) && (!found.TryGetValue(p.Key, out var row) || row.Attachment != p.Value.Attachment || row.Limit != p.Value.Attachment.IngressLimit))
        .Select(p => p.Key)];

    /// <summary>Puts right what the last comparison found; what fails is tried again by the next call.</summary>
    public async Task RestoreAsync(NodeFacts facts, CancellationToken ct)
    {
        await rows.RestorePortsAsync([.. _lost.Where(facts.Ports.ContainsKey).Select(id => facts.Ports[id])], ct).ConfigureAwait(false);
        _lost = [];
    }
}
