namespace Weft.Agent.CniServer;

/// <summary>Ports of the integration bridge that wait for pods. Safe for concurrent calls.</summary>
public interface ISparePorts
{
    /// <summary>MTU of pods' interfaces, bytes; null while the node's address or the cluster's settings are not known.</summary>
    int? Mtu { get; }

    /// <summary>TX checksum offload must be off on the pod's side (userspace data path).</summary>
    bool DisableTxOffload { get; }

    /// <summary>The spare ports that the bridge has, also those of an earlier agent, and whether the switch has opened them.</summary>
    IReadOnlyCollection<(string Name, bool IsOpen)> Known { get; }

    /// <summary>Makes ports of interfaces that exist. Returns when the switch has opened them all.</summary>
    /// <exception cref="PodNetworkException">The switch or its database refused or did not answer; <see cref="CloseAsync"/> takes away what there is of them.</exception>
    Task OpenAsync(IReadOnlyList<string> names, CancellationToken ct);

    /// <summary>Removes ports that got no pod. Unknown ones are no error.</summary>
    /// <exception cref="PodNetworkException">The database refused or did not answer.</exception>
    Task CloseAsync(IReadOnlyList<string> names, CancellationToken ct);
}
