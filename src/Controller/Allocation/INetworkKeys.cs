namespace Weft.Controller.Allocation;

/// <summary>Network keys that are unique after any crash, the same for an owner as long as it exists, and not given again while a node may use them.</summary>
/// <remarks>Safe to use from any thread; calls are carried out one after the other. For the leader only.</remarks>
public interface INetworkKeys
{
    /// <summary>Gives keys to owners that have none and lets those of owners that are gone rest, then go. Does nothing when nothing changed, so
    /// it may be called as often as one likes: after every change of the owners, and now and then so that rested keys become free.</summary>
    /// <param name="owners">All owners that exist now; only when their watch is in sync.</param>
    /// <param name="mayStillBeUsed">Whether some node may still hold flows with the key (<see cref="Publish.KeyUse"/>).</param>
    /// <param name="ct">Stops; what was already stored stays stored.</param>
    /// <returns>The keys, all stored.</returns>
    /// <exception cref="Weft.Kubernetes.KubernetesException">The ledger could not be read or written: call again.</exception>
    Task<KeyAssignment> ReconcileAsync(IReadOnlyCollection<NetworkOwner> owners, Func<int, bool> mayStillBeUsed, CancellationToken ct);

    /// <summary>Reads the ledger again at the next call. Call it when leadership begins: another controller may have written.</summary>
    void Forget();
}
