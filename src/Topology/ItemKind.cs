namespace Weft.Topology;

/// <summary>The kinds of items, in the order in which a delta applies them: referents before references.</summary>
public enum ItemKind
{
    Unknown = 0,
    ClusterSettings,
    Network,
    LogicalRouter,
    LogicalSwitch,
    NodeEndpoint,
    LogicalPort,
    AddressSet,
    PortSet,
    EndpointSet,
    LoadBalancer,
    Policy,
    DnsName,
}

/// <summary>Names an item: its kind and id.</summary>
public readonly record struct ItemRef(ItemKind Kind, string Id)
{
    /// <summary>The reference to <paramref name="item"/>.</summary>
    public static ItemRef Of(TopologyItem item) => new(KindOf(item), item.Id);

    /// <summary>The kind of an item; <see cref="ItemKind.Unknown"/> for one that this version does not know.</summary>
    public static ItemKind KindOf(TopologyItem item) => item switch
    {
        ClusterSettings => ItemKind.ClusterSettings,
        Network => ItemKind.Network,
        LogicalRouter => ItemKind.LogicalRouter,
        LogicalSwitch => ItemKind.LogicalSwitch,
        NodeEndpoint => ItemKind.NodeEndpoint,
        LogicalPort => ItemKind.LogicalPort,
        AddressSet => ItemKind.AddressSet,
        PortSet => ItemKind.PortSet,
        EndpointSet => ItemKind.EndpointSet,
        LoadBalancer => ItemKind.LoadBalancer,
        Policy => ItemKind.Policy,
        DnsName => ItemKind.DnsName,
        _ => ItemKind.Unknown,
    };

    /// <inheritdoc/>
    public override string ToString() => $"{Kind}/{Id}";
}
