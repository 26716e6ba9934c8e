namespace Weft.Agent.CniServer.Leases;

/// <summary>No lease can be given; the message has the counts and the remedy.</summary>
public sealed class LeaseException(string message, bool isTransient = false, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The same request can succeed a little later without anybody's help.</summary>
    public bool IsTransient { get; } = isTransient;

    /// <summary>Who holds the fixed address that was asked for, when that is the reason.</summary>
    public Lease? Holder { get; init; }
}
