namespace Weft.Cni;

/// <summary>A failure as the CNI specification words it (section 5, "Error").</summary>
/// <param name="code">One of <see cref="CniErrorCode"/>.</param>
/// <param name="message">One line: what is wrong.</param>
/// <param name="details">What to do about it.</param>
internal sealed class CniError(int code, string message, string details) : Exception(message)
{
    public int Code { get; } = code;

    public string Details { get; } = details;
}

/// <summary>The codes of CNI specification 1.1.0, section 5, that the plugin itself answers with.</summary>
internal static class CniErrorCode
{
    public const int IncompatibleVersion = 1;
    public const int InvalidEnvironment = 4;
    public const int InputOutput = 5;
    public const int DecodingFailure = 6;
    public const int InvalidConfiguration = 7;
    public const int TryAgainLater = 11;
}
