namespace Weft.Ovsdb;

/// <summary>Where a supervised connection stands.</summary>
public enum SessionState
{
    /// <summary>Waits for the moment that <see cref="ReconnectPolicy"/> gave. Then <see cref="Connecting"/>.</summary>
    Backoff,

    /// <summary>Waits for a socket, and for TLS. An open one leads to <see cref="Handshaking"/>, a failure or the time-out to
    /// <see cref="Backoff"/>, or at once to <see cref="Connecting"/> with the next endpoint while some have not been tried.</summary>
    Connecting,

    /// <summary>Asks whether this server may be used (the <c>_Server</c> database: connected, and leader if only that will do) and for the schema.
    /// Both right lead to <see cref="Resyncing"/>, anything else to <see cref="Backoff"/> with the reason.</summary>
    Handshaking,

    /// <summary>Asks for the followed tables: monitor_cond_since with the last known transaction, by an older server refused monitor_cond,
    /// by a still older one monitor. The reply leads to <see cref="Live"/>; until then readers see the old snapshot.</summary>
    Resyncing,

    /// <summary>Follows changes and takes transactions. A broken or silent connection, a lost leader, a changed schema or a cancelled monitor
    /// lead to <see cref="Backoff"/>; all requests that wait end with the first reason.</summary>
    Live,

    /// <summary>The end, reached only by <see cref="OvsdbClient.DisposeAsync"/>.</summary>
    Stopped,
}

/// <summary>A change of state, for logs.</summary>
/// <param name="From">The state before.</param>
/// <param name="To">The state after.</param>
/// <param name="Endpoint">The endpoint in use or last used.</param>
/// <param name="Reason">Why; null for the expected next step.</param>
public sealed record SessionTransition(SessionState From, SessionState To, OvsdbEndpoint Endpoint, string? Reason);
