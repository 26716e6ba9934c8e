using System.Net;

namespace Weft.Lab.Probes;

/// <summary>How an attempt to reach something ended.</summary>
public enum ProbeOutcome
{
    /// <summary>It answered.</summary>
    Connected,

    /// <summary>It said no at once: TCP reset, or ICMP port unreachable.</summary>
    Refused,

    /// <summary>Nothing came in time.</summary>
    TimedOut,

    /// <summary>No route, or a router or switch said that it does not go there.</summary>
    Unreachable,
}

/// <summary>What a probe saw.</summary>
/// <param name="Outcome">How it ended.</param>
/// <param name="Server">The name that the server gave; empty when it gave none.</param>
/// <param name="SeenClient">The address from which the server saw the question come; null when it did not say.</param>
/// <param name="Elapsed">From the first packet to the answer or the end of the waiting.</param>
public sealed record ProbeResult(ProbeOutcome Outcome, string Server, IPEndPoint? SeenClient, TimeSpan Elapsed)
{
    /// <inheritdoc/>
    public override string ToString() => Outcome == ProbeOutcome.Connected
        ? $"connected to '{Server}', seen as {SeenClient} ({Elapsed.TotalMilliseconds:0.0} ms)"
        : $"{Outcome} after {Elapsed.TotalMilliseconds:0} ms";
}
