using Weft.Controller.Network;
using Weft.Topology;
using Endpoint = Weft.Topology.Endpoint;

namespace Weft.Controller.Tests.Network;

/// <summary>What an agent has: takes snapshots and deltas as the contract says.</summary>
internal sealed class SliceReader(string node)
{
    private Dictionary<ItemRef, TopologyItem> _items = [];
    private long _revision = -1;

    public int Snapshots { get; private set; }

    public int Deltas { get; private set; }

    /// <summary>The items in a form that compares by content.</summary>
    public SortedDictionary<string, TopologyItem> Items => Normalise(_items.Values);

    public UInt128 Digest => SliceDigest.Of(_items.Values);

    public void CatchUp(LogicalNetwork network)
    {
        if (_revision < 0 || network.Since(node, _revision) is not { } delta)
        {
            _items = network.Snapshot(node).ToDictionary(ItemRef.Of);
            _revision = _items.Count == 0 ? -1 : network.Revision;
            Snapshots++;
            return;
        }

        Deltas++;
        foreach (var item in delta.Upserts)
        {
            _items[ItemRef.Of(item)] = item;
        }

        foreach (var patch in delta.Patches)
        {
            var key = new ItemRef(patch.Kind, patch.Id);
            _items[key] = Patched(_items[key], patch);
        }

        foreach (var gone in delta.Deletes)
        {
            _items.Remove(gone);
        }

        _revision = delta.Revision;
    }

    public static SortedDictionary<string, TopologyItem> Normalise(IEnumerable<TopologyItem> items) =>
        new(items.ToDictionary(i => ItemRef.Of(i).ToString(), Sorted), StringComparer.Ordinal);

    private static TopologyItem Sorted(TopologyItem item) => item switch
    {
        AddressSet set => set with { Addresses = set.Addresses.Order(StringComparer.Ordinal).ToEquatableArray() },
        PortSet set => set with { Ports = set.Ports.Order(StringComparer.Ordinal).ToEquatableArray() },
        EndpointSet set => set with { Endpoints = set.Endpoints.OrderBy(e => e.Address, StringComparer.Ordinal).ThenBy(e => e.Port).ToEquatableArray() },
        _ => item,
    };

    private static TopologyItem Patched(TopologyItem item, SetPatch patch) => item switch
    {
        AddressSet set => set with { Addresses = set.Addresses.Except(patch.Remove).Union(patch.Add).ToEquatableArray() },
        PortSet set => set with { Ports = set.Ports.Except(patch.Remove).Union(patch.Add).ToEquatableArray() },
        EndpointSet set => set with
        {
            Endpoints = set.Endpoints.Where(e => !Names(patch.RemoveEndpoints, e) && !Names(patch.AddEndpoints, e)).Concat(patch.AddEndpoints).ToEquatableArray(),
        },
        _ => throw new InvalidOperationException($"a patch of {item}"),
    };

    private static bool Names(EquatableArray<Endpoint> endpoints, Endpoint e) => endpoints.Any(x => x.Address == e.Address && x.Port == e.Port);
}
