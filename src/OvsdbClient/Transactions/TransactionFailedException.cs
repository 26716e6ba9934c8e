namespace Weft.Ovsdb;

/// <summary>The server refused a transaction and its caller did not look at the outcome.</summary>
public sealed class TransactionFailedException : OvsdbException
{
    /// <summary>Describes the refusal.</summary>
    public TransactionFailedException(TransactionError error)
        : base(error.ToString()) => Error = error;

    /// <summary>What failed and why.</summary>
    public TransactionError Error { get; }

    /// <inheritdoc/>
    public override bool IsTransient => Error.IsTransient;
}
