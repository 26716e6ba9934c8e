using Weft.Agent.CniServer;
using Weft.Agent.Facts;
using Weft.Agent.Plan.Pipeline;

namespace Weft.Agent.Sync;

/// <summary>A port of the integration bridge as OVSDB shows it.</summary>
/// <param name="Name">The interface's name.</param>
/// <param name="OfPort">Its OpenFlow number; null while vswitchd has not taken it, -1 when it could not.</param>
/// <param name="Error">What vswitchd says is wrong with it, or null.</param>
/// <param name="Attachment">The pod interface that it is, or null for infrastructure and foreign ports.</param>
/// <param name="RequestedOfPort">The number that was asked for, or null.</param>
/// <param name="Limit">What its QoS rows let through to the pod, or null.</param>
/// <param name="IsSpare">It was made in advance and has no pod yet.</param>
public sealed record BridgePort(string Name, long? OfPort, string? Error, Attachment? Attachment, long? RequestedOfPort, BandwidthLimit? Limit = null, bool IsSpare = false)
{
    /// <summary>The pod's port that it is, with the number that it has, or else will have; null when it is none or has no number for a pod.</summary>
    public AttachedPort? Attached => Attachment is { } attachment && (PodNumber(OfPort) ?? PodNumber(RequestedOfPort)) is { } number ? new AttachedPort(attachment, number) : null;

    /// <summary>The number that it waits with for a pod, or null.</summary>
    public int? SpareNumber => IsSpare ? PodNumber(OfPort) : null;

    private static int? PodNumber(long? number) => number is > 0 and <= BridgePorts.LastPod and var known ? (int)known : null;
}
