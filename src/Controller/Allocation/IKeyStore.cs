namespace Weft.Controller.Allocation;

/// <summary>Where the ledger is kept.</summary>
internal interface IKeyStore
{
    /// <summary>Reads it as it is stored now; an empty one when there is none.</summary>
    Task<StoredKeys> ReadAsync(CancellationToken ct);

    /// <summary>Stores it if what is stored is still the version that was read, and sets the new version.</summary>
    /// <returns>False when it is not: nothing was written. An exception means that it is unknown whether it was written.</returns>
    Task<bool> TryWriteAsync(StoredKeys keys, CancellationToken ct);
}
