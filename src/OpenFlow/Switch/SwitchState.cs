namespace Weft.OpenFlow.Switch;

/// <summary>What a supervised connection is doing.</summary>
public enum SwitchState
{
    /// <summary>Not started, or disposed, or refused for good. Nothing follows.</summary>
    Stopped,

    /// <summary>Opening the socket. Next: <see cref="Handshaking"/>, or <see cref="Backoff"/>.</summary>
    Connecting,

    /// <summary>Waiting for hello, features. Next: <see cref="Live"/>, <see cref="Backoff"/>, or <see cref="Stopped"/> when 1.3 is not on offer.</summary>
    Handshaking,

    /// <summary>Requests are answered and events come. Next: <see cref="Backoff"/>.</summary>
    Live,

    /// <summary>Waiting for the next try. Next: <see cref="Connecting"/>.</summary>
    Backoff,
}

/// <summary>A change of state, and why.</summary>
/// <param name="State">The new state.</param>
/// <param name="Reason">For Backoff and Stopped: the first thing that went wrong; null otherwise.</param>
public sealed record SwitchStateChange(SwitchState State, Exception? Reason);
