using Weft.Agent.CniServer;
using Weft.Agent.Facts;
using Weft.Agent.Plan.Pipeline;
using Weft.Agent.Sync;
using Weft.Topology;

namespace Weft.Agent;

/// <summary>Gives a tenant's network its conntrack zones when its first pod comes; every port of it carries their number through restarts.</summary>
/// <remarks>The numbers go round, so that a network's zones rest as long as possible. Not thread-safe; owned by the agent's loop.</remarks>
internal sealed class ZoneBlocks
{
    private int _last;

    /// <summary>The attachment with its network's block.</summary>
    /// <param name="attachment">A pod of any network; the default one has no block.</param>
    /// <param name="ports">The attached ports.</param>
    /// <param name="zones">Empties zones before their first use: what an earlier network left in one must not be taken for this one's.</param>
    /// <exception cref="InvalidOperationException">This node has pods of as many networks as there are blocks.</exception>
    public Attachment In(Attachment attachment, IEnumerable<AttachedPort> ports, ZoneFlushes zones)
    {
        if (attachment.NetworkKey == Network.DefaultKey)
        {
            return attachment;
        }

        var tenants = ports.Select(p => p.Attachment).Where(a => a.NetworkKey != Network.DefaultKey).ToList();
        if (tenants.Find(a => a.NetworkKey == attachment.NetworkKey) is { } known)
        {
            return attachment with { ZoneBlock = known.ZoneBlock };
        }

        var used = tenants.Select(a => a.ZoneBlock).ToHashSet();
        if (Next(used) is not { } block)
        {
            throw new InvalidOperationException($"this node has pods of {used.Count} tenant networks, and conntrack zones for no more: move pods to another node");
        }

        _last = block;
        used.Add(block);
        ConntrackZones.OfBlock(block).ToList().ForEach(zones.Before);
        if (Next(used) is { } following)
        {
            ConntrackZones.OfBlock(following).ToList().ForEach(zones.After);
        }

        return attachment with { ZoneBlock = block };
    }

    private int? Next(HashSet<int> used)
    {
        for (var i = 0; i < ConntrackZones.LastBlock; i++)
        {
            var block = ((_last + i) % ConntrackZones.LastBlock) + 1;
            if (!used.Contains(block))
            {
                return block;
            }
        }

        return null;
    }
}
