using System.Collections.Immutable;
using Weft.Topology;

namespace Weft.Agent.Facts;

/// <summary>The items of tenants' networks, by kind and network. Immutable: the next one is made from this one by what changed, so that a pod costs the same among one network and among thousands.</summary>
internal sealed class NetworkIndex
{
    private readonly ImmutableDictionary<(Type Kind, int Key), ImmutableDictionary<string, TopologyItem>> _items;

    private NetworkIndex(ImmutableDictionary<(Type, int), ImmutableDictionary<string, TopologyItem>> items) => _items = items;

    /// <summary>The index of these items.</summary>
    public static NetworkIndex Of(IEnumerable<TopologyItem> items) =>
        new NetworkIndex(ImmutableDictionary<(Type, int), ImmutableDictionary<string, TopologyItem>>.Empty).With(items.Select(i => ((TopologyItem?)null, (TopologyItem?)i)));

    /// <summary>The index after changes.</summary>
    /// <param name="changes">Each item before, or null when it is new, and after, or null when it is gone.</param>
    public NetworkIndex With(IEnumerable<(TopologyItem? Before, TopologyItem? After)> changes)
    {
        var items = _items.ToBuilder();
        foreach (var (before, after) in changes)
        {
            if (before is not null && KeyOf(before) is { } left && items.TryGetValue((before.GetType(), left), out var old))
            {
                var rest = old.Remove(before.Id);
                if (rest.IsEmpty)
                {
                    items.Remove((before.GetType(), left));
                }
                else
                {
                    items[(before.GetType(), left)] = rest;
                }
            }

            if (after is not null && KeyOf(after) is { } entered)
            {
                var all = items.GetValueOrDefault((after.GetType(), entered)) ?? ImmutableDictionary.Create<string, TopologyItem>(StringComparer.Ordinal);
                items[(after.GetType(), entered)] = all.SetItem(after.Id, after);
            }
        }

        return new NetworkIndex(items.ToImmutable());
    }

    /// <summary>The items of a kind in a tenant's network, in no order.</summary>
    public IEnumerable<T> All<T>(int key)
        where T : TopologyItem => _items.TryGetValue((typeof(T), key), out var found) ? found.Values.Cast<T>() : [];

    // The default network's items are many, and nobody asks for all of them.
    private static int? KeyOf(TopologyItem item) => item switch
    {
        LogicalPort port => port.NetworkKey,
        LogicalSwitch lswitch => lswitch.NetworkKey,
        LogicalRouter router => router.NetworkKey,
        DnsName name => name.NetworkKey,
        Network network => network.Key,
        _ => Network.DefaultKey,
    } is > Network.DefaultKey and var key ? key : null;
}
