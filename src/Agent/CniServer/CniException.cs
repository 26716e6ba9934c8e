namespace Weft.Agent.CniServer;

/// <summary>A failure with a CNI error code (CNI spec 1.1, section "Error").</summary>
public class CniException(int code, string message, string details = "", Exception? inner = null) : Exception(message, inner)
{
    /// <summary>CNI error code, see <see cref="CniErrorCode"/>.</summary>
    public int Code { get; } = code;

    /// <summary>A longer explanation and what to do.</summary>
    public string Details { get; } = details;
}

/// <summary>CNI error codes: below 100 by the specification, the others ours.</summary>
public static class CniErrorCode
{
    public const int IncompatibleVersion = 1;
    public const int UnsupportedField = 2;
    public const int ContainerUnknown = 3;
    public const int InvalidEnvironment = 4;
    public const int InputOutput = 5;
    public const int Decoding = 6;
    public const int InvalidConfiguration = 7;
    public const int TryAgainLater = 11;
    public const int NotAvailable = 50;

    /// <summary>The kernel refused to make or change the pod's interface.</summary>
    public const int Interface = 100;

    /// <summary>No address is free.</summary>
    public const int NoAddress = 101;

    /// <summary>CHECK found a difference.</summary>
    public const int CheckFailed = 102;

    /// <summary>An error of ours; the agent's log has more.</summary>
    public const int Unexpected = 199;
}
