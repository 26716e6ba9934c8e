namespace Weft.Ovsdb;

/// <summary>The base of everything this library throws about a server or a connection. Misuse throws the usual CLR exceptions.</summary>
public abstract class OvsdbException : Exception
{
    private protected OvsdbException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    /// <summary>True when the same call may succeed later without a change by the caller.</summary>
    public abstract bool IsTransient { get; }
}
