using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Weft.Topology;

namespace Weft.Agent.Facts;

/// <summary>This node's part of the logical network at one revision. Immutable: readers on any thread see one revision whole.</summary>
public sealed record Slice
{
    /// <summary>The Service of the cluster's DNS, by the name that every cluster gives it.</summary>
    public const string ClusterDnsService = "kube-system/kube-dns";

    /// <summary>No state at all: nothing was ever received.</summary>
    public static readonly Slice Empty = new();

    /// <summary>The epoch that <see cref="Revision"/> belongs to; empty when nothing was received.</summary>
    public string Epoch { get; init; } = "";

    /// <summary>The revision.</summary>
    public long Revision { get; init; }

    /// <summary>Every item by its reference.</summary>
    public ImmutableDictionary<ItemRef, TopologyItem> Items { get; init; } = ImmutableDictionary<ItemRef, TopologyItem>.Empty;

    /// <summary>True once a whole snapshot was received, now or before a restart.</summary>
    public bool IsKnown => Epoch.Length > 0;

    /// <summary>The cluster's settings, or null before the first snapshot.</summary>
    public ClusterSettings? Settings => Find<ClusterSettings>(ItemKind.ClusterSettings, ClusterSettings.TheId);

    /// <summary>The node with this name, or null.</summary>
    public NodeEndpoint? Node(string name) => Find<NodeEndpoint>(ItemKind.NodeEndpoint, name);

    /// <summary>The port of <c>namespace/name</c>, or null.</summary>
    public LogicalPort? Port(string id) => Find<LogicalPort>(ItemKind.LogicalPort, id);

    /// <summary>The switch with this id, or null.</summary>
    public LogicalSwitch? Switch(string id) => Find<LogicalSwitch>(ItemKind.LogicalSwitch, id);

    /// <summary>The item, when it is there and of this type.</summary>
    public T? Find<T>(ItemKind kind, string id)
        where T : TopologyItem => Items.GetValueOrDefault(new ItemRef(kind, id)) as T;

    /// <summary>All items of a type, in no order.</summary>
    public IEnumerable<T> All<T>()
        where T : TopologyItem => typeof(T) == typeof(Network) || typeof(T) == typeof(NodeEndpoint)
            ? (T[])Few.GetOrAdd(typeof(T), static (_, items) => items.Values.OfType<T>().ToArray(), Items)
            : Items.Values.OfType<T>();

    /// <summary>The items of a kind in a tenant's network: ports, switches, routers, names of Services, or the network itself. In no order.</summary>
    public IEnumerable<T> In<T>(int networkKey)
        where T : TopologyItem => IndexByItems.GetValue(Items, static items => NetworkIndex.Of(items.Values)).All<T>(networkKey);

    /// <summary>The ports of the cluster's DNS Service, in no order.</summary>
    public IEnumerable<LoadBalancer> ClusterDns => (LoadBalancer[])Few.GetOrAdd(
        typeof(LoadBalancer), static (_, items) => items.Values.OfType<LoadBalancer>().Where(b => b.Service == ClusterDnsService).ToArray(), Items);

    /// <summary>Keeps what was found among the items before, as far as the changes do not concern it: else each change would cost a look at every item.</summary>
    internal void Inherit(Slice before, IReadOnlyCollection<ItemRef> changed)
    {
        if (ReferenceEquals(Items, before.Items))
        {
            return;
        }

        if (IndexByItems.TryGetValue(before.Items, out var index))
        {
            IndexByItems.AddOrUpdate(Items, index.With(changed.Select(c => (before.Items.GetValueOrDefault(c), Items.GetValueOrDefault(c)))));
        }

        if (FewByItems.TryGetValue(before.Items, out var found))
        {
            foreach (var (type, items) in found)
            {
                if (!changed.Any(c => Concerns(c, type)))
                {
                    Few.TryAdd(type, items);
                }
            }
        }
    }

    private static bool Concerns(ItemRef item, Type type) =>
        type == typeof(Network) ? item.Kind == ItemKind.Network
        : type == typeof(NodeEndpoint) ? item.Kind == ItemKind.NodeEndpoint
        : item.Kind == ItemKind.LoadBalancer && item.Id.StartsWith(ClusterDnsService + "/", StringComparison.Ordinal);

    // Asked for once for each Service, and few among many items. Kept with the items that they are among: a copy of the record has other items.
    private ConcurrentDictionary<Type, Array> Few => FewByItems.GetValue(Items, static _ => new ConcurrentDictionary<Type, Array>());

    private static readonly ConditionalWeakTable<ImmutableDictionary<ItemRef, TopologyItem>, ConcurrentDictionary<Type, Array>> FewByItems = [];

    private static readonly ConditionalWeakTable<ImmutableDictionary<ItemRef, TopologyItem>, NetworkIndex> IndexByItems = [];
}
