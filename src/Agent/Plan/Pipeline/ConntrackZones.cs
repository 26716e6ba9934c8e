using Weft.Topology;

namespace Weft.Agent.Plan.Pipeline;

/// <summary>Conntrack zones. Zone 0 is the host's own; every network has one of its own.</summary>
public static class ConntrackZones
{
    /// <summary>The default network's.</summary>
    public const ushort Default = 1000;

    /// <summary>Source translation of pods that reach themselves through a Service.</summary>
    public const ushort Hairpin = 999;

    /// <summary>Source translation of what comes in at the gateway and must come back through this node.</summary>
    public const ushort Gateway = 998;

    /// <summary>The zone of a network: <see cref="Default"/> plus its key less one.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The key has no zone: there are 65,535.</exception>
    public static ushort Of(int networkKey)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(networkKey, Network.DefaultKey);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(networkKey, ushort.MaxValue - Default);
        return (ushort)(Default + networkKey - Network.DefaultKey);
    }
}
