using System.Net;
using Weft.Agent.Names;

namespace Weft.Ctl.Nodes;

/// <summary>A port of the integration bridge.</summary>
/// <param name="Name">The interface's name.</param>
/// <param name="OfPort">Its OpenFlow number; -1 when it could not be opened.</param>
/// <param name="Owner"><c>pod</c>, <c>gateway</c>, <c>tunnel</c> or <c>bridge</c>.</param>
/// <param name="Pod"><c>namespace/name</c>, for pods.</param>
/// <param name="Addresses">The pod's addresses in its network.</param>
/// <param name="Mac">The pod's MAC address.</param>
/// <param name="NetworkKey">The pod's network.</param>
public sealed record NodePort(string Name, int OfPort, string Owner, string? Pod, IReadOnlyList<string> Addresses, string? Mac, int NetworkKey)
{
    /// <summary>What name servers told the pod, as its agent knows it.</summary>
    public IReadOnlyDictionary<NameAddress, LearnedAddress> Names { get; init; } = new Dictionary<NameAddress, LearnedAddress>();

    /// <summary>The names that have this address for new connections of the pod.</summary>
    public IEnumerable<string> NamesOf(IPAddress address) => Names.Where(n => n.Value.IsLive && n.Key.Address.Equals(address)).Select(n => n.Key.Name).Order(StringComparer.Ordinal);
}
