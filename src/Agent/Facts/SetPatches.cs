using Weft.Topology;
using Endpoint = Weft.Topology.Endpoint;

namespace Weft.Agent.Facts;

/// <summary>Applies a <see cref="SetPatch"/> to the set that it names.</summary>
public static class SetPatches
{
    /// <summary>The set after the patch. Adding what is there and removing what is not change nothing.</summary>
    public static TopologyItem Apply(TopologyItem set, SetPatch patch) => set switch
    {
        AddressSet addresses => addresses with { Addresses = Change(addresses.Addresses, patch) },
        PortSet ports => ports with { Ports = Change(ports.Ports, patch) },
        EndpointSet endpoints => endpoints with { Endpoints = ChangeEndpoints(endpoints.Endpoints, patch) },
        _ => set,
    };

    private static EquatableArray<string> Change(EquatableArray<string> members, SetPatch patch)
    {
        var result = new HashSet<string>(members, StringComparer.Ordinal);
        result.UnionWith(patch.Add);
        result.ExceptWith(patch.Remove);
        return result.ToEquatableArray();
    }

    private static EquatableArray<Endpoint> ChangeEndpoints(EquatableArray<Endpoint> members, SetPatch patch)
    {
        var gone = patch.RemoveEndpoints.Concat(patch.AddEndpoints).Select(e => (e.Address, e.Port)).ToHashSet();
        return members.Where(e => !gone.Contains((e.Address, e.Port))).Concat(patch.AddEndpoints).ToEquatableArray();
    }
}
