namespace Weft.Controller.Publish;

/// <summary>Knows which network keys some node may still hold flows for: every node must have said that it is past their end.</summary>
/// <remarks>A node that is silent may still forward with what it has, so it counts until it reports or its Node is deleted. Safe to use from any
/// thread.</remarks>
public sealed class KeyUse(Publisher publisher, NodeReports reports)
{
    private readonly System.Collections.Concurrent.ConcurrentDictionary<int, long> _endedAt = new();

    /// <summary>Says that a network left the topology with the revision that was just committed.</summary>
    public void Ended(int key) => _endedAt[key] = publisher.Read(n => n.Revision);

    /// <summary>Whether a node may still hold flows with the key of a network that ended, here or before this controller started.</summary>
    public bool MayStillBeUsed(int key)
    {
        // One that this controller never knew was never in its epoch: whoever is in it has dropped it.
        var endedAt = _endedAt.GetValueOrDefault(key);
        return publisher.Read(n => n.NodeNames.ToArray())
            .Any(node => reports.Find(node) is not { } report || report.Epoch != publisher.Epoch || report.Revision < endedAt);
    }
}
