using Weft.Topology;
using Endpoint = Weft.Topology.Endpoint;

namespace Weft.Agent.Facts;

/// <summary>Lets equal strings of large sets be one object: a reader of JSON makes a new one each time, and 50,000 endpoints name few nodes.</summary>
/// <remarks>Remembers the last strings it saw, a fixed number: what it misses costs memory, nothing else. Not thread-safe.</remarks>
internal sealed class SharedStrings
{
    private readonly string?[] _seen = new string?[4096];

    /// <summary>An equal item whose frequent strings are shared.</summary>
    public TopologyItem In(TopologyItem item) => item switch
    {
        EndpointSet set => set with { Id = Shared(set.Id), Endpoints = set.Endpoints.Select(In).ToEquatableArray() },
        LoadBalancer balancer => balancer with { Id = Shared(balancer.Id), Endpoints = Shared(balancer.Endpoints) },
        AddressSet set => set with { Addresses = set.Addresses.Select(Shared).ToEquatableArray() },
        _ => item,
    };

    private Endpoint In(Endpoint endpoint) => endpoint with { Address = Shared(endpoint.Address), Node = endpoint.Node is null ? null : Shared(endpoint.Node) };

    private string Shared(string text)
    {
        ref var seen = ref _seen[(uint)text.GetHashCode(StringComparison.Ordinal) % (uint)_seen.Length];
        return seen == text ? seen : seen = text;
    }
}
