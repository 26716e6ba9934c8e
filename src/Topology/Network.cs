using System.Text.Json.Serialization;

namespace Weft.Topology;

/// <summary>An isolated address space: the default network, or a tenant's Vpc.</summary>
public sealed record Network : TopologyItem
{
    /// <summary>Key of the default network.</summary>
    public const int DefaultKey = 1;

    /// <summary>The key in a tunnel of what came from outside for a tenant's Service: the default network's packets that may enter a tenant's. No network has it.</summary>
    public const int PublishedKey = 2;

    /// <summary>Id of the default network.</summary>
    public const string DefaultId = "default";

    /// <summary>The number in OpenFlow metadata and in the tunnel key, 1 to 16,777,215. Never reused while a node may hold flows for it.</summary>
    public required int Key { get; init; }

    /// <summary>Whether pods of this network may leave the cluster through their node's address.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public bool NatOutside { get; init; } = true;

    /// <summary>Services of the default network (<c>namespace/name</c>) that this network's pods reach by their ClusterIP.</summary>
    public EquatableArray<string> SharedServices { get; init; } = [];

    /// <summary>The networks that are joined with this one.</summary>
    public EquatableArray<NetworkPeer> Peers { get; init; } = [];
}

/// <summary>A network that is joined with another. It is not transitive.</summary>
/// <param name="Key">The other network's key.</param>
/// <param name="Local">Ranges of this side that take part.</param>
/// <param name="Remote">Ranges of the other side that take part.</param>
public sealed record NetworkPeer(int Key, EquatableArray<string> Local, EquatableArray<string> Remote);

/// <summary>A logical router. It joins the switches of one network.</summary>
public sealed record LogicalRouter : TopologyItem
{
    /// <summary>The network's key.</summary>
    public required int NetworkKey { get; init; }

    /// <summary>Ids of the switches that it joins.</summary>
    public EquatableArray<string> Switches { get; init; } = [];

    /// <summary>Static routes: destination CIDR to next-hop address within the network.</summary>
    public EquatableArray<StaticRoute> Routes { get; init; } = [];
}

/// <summary>A route of a logical router.</summary>
/// <param name="Destination">CIDR.</param>
/// <param name="NextHop">An address of the network.</param>
public sealed record StaticRoute(string Destination, string NextHop);

/// <summary>A logical switch: one layer-2 segment with its subnets.</summary>
public sealed record LogicalSwitch : TopologyItem
{
    /// <summary>The network's key.</summary>
    public required int NetworkKey { get; init; }

    /// <summary>The node whose pods it holds (default network), or null when it spans all nodes (tenants).</summary>
    public string? Node { get; init; }

    /// <summary>Its ranges with their gateways; at most a few, both families.</summary>
    public EquatableArray<SwitchSubnet> Subnets { get; init; } = [];

    /// <summary>MTU that its pods' interfaces have at most, bytes; 0: what the underlay leaves.</summary>
    public int Mtu { get; init; }

    /// <summary>Only the switch itself and <see cref="Allowed"/> reach its pods.</summary>
    public bool Private { get; init; }

    /// <summary>Ranges that reach the pods of a private switch all the same.</summary>
    public EquatableArray<string> Allowed { get; init; } = [];
}

/// <summary>A range of a logical switch.</summary>
/// <param name="Cidr">For example <c>10.244.1.0/24</c>.</param>
/// <param name="Gateway">The router's address in it, for example <c>10.244.1.1</c>.</param>
public sealed record SwitchSubnet(string Cidr, string Gateway);
