using Weft.Agent.CniServer;
using Weft.Topology;

namespace Weft.Agent.Plan.Pipeline;

/// <summary>Conntrack zones. Zone 0 is the host's own. Keys have 24 bits and zones 16, so each node gives the networks that it has blocks of zones.</summary>
public static class ConntrackZones
{
    /// <summary>The default network's.</summary>
    public const ushort Default = 1000;

    /// <summary>Source translation of pods that reach themselves through a Service.</summary>
    public const ushort Hairpin = 999;

    /// <summary>Source translation of what comes in at the gateway and must come back through this node.</summary>
    public const ushort Gateway = 998;

    /// <summary>The number of blocks that a node can give to tenants' networks.</summary>
    public const int LastBlock = (ushort.MaxValue - FirstOfTenants) / PerTenant;

    private const ushort FirstOfTenants = 2000;
    private const int PerTenant = 4;

    /// <summary>The zone of an attachment's network.</summary>
    public static ushort Of(Attachment attachment) => attachment.NetworkKey == Network.DefaultKey ? Default : Tenant(attachment.ZoneBlock, 0);

    /// <summary>Where a tenant's network meets the node: its pods' addresses and their aliases.</summary>
    public static ushort EdgeOf(Attachment attachment) => Tenant(attachment.ZoneBlock, 1);

    /// <summary>As <see cref="Hairpin"/>, of an attachment's network.</summary>
    public static ushort HairpinOf(Attachment attachment) => attachment.NetworkKey == Network.DefaultKey ? Hairpin : Tenant(attachment.ZoneBlock, 2);

    /// <summary>The zones of a block.</summary>
    public static IEnumerable<ushort> OfBlock(int block) => Enumerable.Range(0, PerTenant - 1).Select(i => Tenant(block, i));

    /// <summary>What to report of a node with pods of so many tenant networks: null until nine tenths of <see cref="LastBlock"/>.</summary>
    public static string? NearLimit(int networks) => networks < LastBlock / 10 * 9
        ? null
        : $"pods of {networks} tenant networks are here, and conntrack has zones for {LastBlock}: the node takes no pod of another network after that; move pods to other nodes";

    private static ushort Tenant(int block, int use)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(block, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(block, LastBlock);
        return (ushort)(FirstOfTenants + ((block - 1) * PerTenant) + use);
    }
}
