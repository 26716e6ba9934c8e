using Weft.Topology;

namespace Weft.Agent.CniServer;

/// <summary>What the CNI commands need from the rest of the agent. Safe for concurrent calls.</summary>
public interface IPodNetwork
{
    /// <summary>Waits until the controller's slice has this pod on this node.</summary>
    /// <returns>The port and what its interface needs.</returns>
    /// <exception cref="PodNetworkException">The pod is not known here in time, or its network cannot be used; code and message are for the runtime.</exception>
    Task<PodInterfacePlan> FindPodAsync(string podNamespace, string podName, string uid, CancellationToken ct);

    /// <summary>Adds the port to the bridge and its flows to the switch. Returns after the barrier that confirms them.</summary>
    /// <param name="attachment">The interface. Idempotent for the same one.</param>
    /// <param name="interfaceExists">Ends when the host interface exists; flows go to the switch before, the port after that.</param>
    /// <param name="ct">Ends the wait; nothing of the attachment is left then.</param>
    /// <exception cref="PodNetworkException">The switch refused or did not answer; nothing of the attachment is left.</exception>
    Task AttachAsync(Attachment attachment, Task interfaceExists, CancellationToken ct);

    /// <summary>Removes the flows: returns when nothing can reach or leave the interface through the switch. Unknown attachments are no error.</summary>
    Task IsolateAsync(string containerId, string ifName, CancellationToken ct);

    /// <summary>Removes flows and port. Unknown attachments are no error.</summary>
    Task DetachAsync(string containerId, string ifName, string hostInterface, CancellationToken ct);

    /// <summary>Says what is wrong with an attachment (CHECK): port, ofport, flows. Null when all is well.</summary>
    Task<string?> CheckAsync(string containerId, string ifName, CancellationToken ct);

    /// <summary>Every attachment that the switch holds now.</summary>
    IReadOnlyCollection<Attachment> Attachments { get; }

    /// <summary>Why ADD cannot work at the moment (STATUS), or null.</summary>
    string? NotReadyReason { get; }
}

/// <summary>How a pod's interface is made.</summary>
public sealed record PodInterfacePlan
{
    /// <summary>The pod's port as the controller knows it.</summary>
    public required LogicalPort Port { get; init; }

    /// <summary>The subnets to allocate from when <see cref="LogicalPort.Addresses"/> is empty, and to take prefix length and gateway from: IPv4 first.</summary>
    public required EquatableArray<SwitchSubnet> Subnets { get; init; }

    /// <summary>A tenant pod's aliases come from here: the node's own subnets, of the families that the port has. Empty: the pod has none.</summary>
    public EquatableArray<SwitchSubnet> AliasSubnets { get; init; } = [];

    /// <summary>MTU of the pod's interface, bytes.</summary>
    public required int Mtu { get; init; }

    /// <summary>TX checksum offload must be off on the pod's side (userspace data path).</summary>
    public bool DisableTxOffload { get; init; }
}

/// <summary>The pod network's own failures; code and message are for the runtime.</summary>
public sealed class PodNetworkException(int code, string message, string details = "", Exception? inner = null)
    : CniException(code, message, details, inner)
{
}
