using System.Net.Security;

namespace Weft.OpenFlow;

/// <summary>How a connection behaves. The defaults are safe for a local switch.</summary>
public sealed record OpenFlowOptions
{
    /// <summary>How long connecting and the handshake may take; 5 s.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Silence after which the switch is asked for life, and after which, without an answer, the connection is dead; 5 s.</summary>
    public TimeSpan ProbeInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>When to connect again.</summary>
    public Switch.ReconnectPolicy Reconnect { get; init; } = new();

    /// <summary>Asks for packet-in, port-status and flow-removed also on a bridge's management socket, where OVS sends none by itself; true.</summary>
    public bool ReceiveEvents { get; init; } = true;

    /// <summary>Asks for packet-ins in the NXT_PACKET_IN2 form, which has user data and continuations; true.</summary>
    public bool NiciraPacketIn { get; init; } = true;

    /// <summary>Asks to be told of the group and meter mods of other controllers (<see cref="Switch.OpenFlowSwitch.RequestForwarded"/>), which Open vSwitch can do; false.</summary>
    public bool ForwardRequests { get; init; }

    /// <summary>TLS settings for ssl: endpoints; null uses the system's.</summary>
    public SslClientAuthenticationOptions? Tls { get; init; }

    /// <summary>The clock; the system's by default.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
