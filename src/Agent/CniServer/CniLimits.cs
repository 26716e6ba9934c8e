namespace Weft.Agent.CniServer;

/// <summary>Times that the CNI server keeps.</summary>
public sealed record CniLimits
{
    /// <summary>A whole command, 30 s. Runtimes wait longer (kubelet: two minutes), so the answer with the reason arrives.</summary>
    public TimeSpan Command { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The plugin's request line after it connected, 5 s.</summary>
    public TimeSpan Request { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Taking back what a failed ADD did, 10 s.</summary>
    public TimeSpan Undo { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a released address is not given again, 30 s: until other nodes have forgotten the old pod.</summary>
    public TimeSpan AddressRest { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often leases are compared with what is alive, 10 min: containers that died without DEL give their addresses back.</summary>
    public TimeSpan Reconcile { get; init; } = TimeSpan.FromMinutes(10);
}
