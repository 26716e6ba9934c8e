namespace Weft.Controller.Allocation;

/// <summary>Numbers the times during which one controller leads.</summary>
public interface ITerms
{
    /// <summary>Begins a term. Call it when leadership begins, before the first address is given.</summary>
    /// <returns>A number that is higher than that of every term before, stored.</returns>
    /// <exception cref="Weft.Kubernetes.KubernetesException">It could not be stored: nothing may be given; call again.</exception>
    Task<long> BeginAsync(CancellationToken ct);
}
