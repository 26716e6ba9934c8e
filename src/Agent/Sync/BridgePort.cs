using Weft.Agent.CniServer;

namespace Weft.Agent.Sync;

/// <summary>A port of the integration bridge as OVSDB shows it.</summary>
/// <param name="Name">The interface's name.</param>
/// <param name="OfPort">Its OpenFlow number; null while vswitchd has not taken it, -1 when it could not.</param>
/// <param name="Error">What vswitchd says is wrong with it, or null.</param>
/// <param name="Attachment">The pod interface that it is, or null for infrastructure and foreign ports.</param>
/// <param name="RequestedOfPort">The number that was asked for, or null.</param>
/// <param name="Limit">What its QoS rows let through to the pod, or null.</param>
/// <param name="IsSpare">It was made in advance and has no pod yet.</param>
public sealed record BridgePort(string Name, long? OfPort, string? Error, Attachment? Attachment, long? RequestedOfPort, BandwidthLimit? Limit = null, bool IsSpare = false);
