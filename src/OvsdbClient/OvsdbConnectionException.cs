namespace Weft.Ovsdb;

/// <summary>A connection could not be made or was lost. All calls that wait on it end with the same first reason.</summary>
public sealed class OvsdbConnectionException : OvsdbException
{
    /// <summary>Describes why the connection is gone.</summary>
    public OvsdbConnectionException(string message, Exception? inner = null, bool isTransient = true, bool mayHaveBeenApplied = false)
        : base(message, inner)
    {
        IsTransient = isTransient;
        MayHaveBeenApplied = mayHaveBeenApplied;
    }

    /// <inheritdoc/>
    public override bool IsTransient { get; }

    /// <summary>True when the request had been handed to the connection: the server may have carried it out.
    /// <see cref="OvsdbClient.CommitOnceAsync"/> finds out.</summary>
    public bool MayHaveBeenApplied { get; }
}
