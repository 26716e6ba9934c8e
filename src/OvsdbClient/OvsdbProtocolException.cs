namespace Weft.Ovsdb;

/// <summary>The peer sent something that is not OVSDB, or not what the schema says. The connection ends with it.</summary>
public sealed class OvsdbProtocolException : OvsdbException
{
    /// <summary>Says what was wrong, and where.</summary>
    public OvsdbProtocolException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    /// <summary>True: a new connection starts from a new snapshot.</summary>
    public override bool IsTransient => true;
}
