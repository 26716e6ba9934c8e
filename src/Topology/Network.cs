using System.Text.Json.Serialization;

namespace Weft.Topology;

/// <summary>An isolated address space: the default network, or a tenant's Vpc.</summary>
public sealed record Network : TopologyItem
{
    /// <summary>Key of the default network.</summary>
    public const int DefaultKey = 1;

    /// <summary>Id of the default network.</summary>
    public const string DefaultId = "default";

    /// <summary>The number in OpenFlow metadata and in the tunnel key, 1 to 16,777,215. Never reused while a node may hold flows for it.</summary>
    public required int Key { get; init; }

    /// <summary>Whether pods of this network may leave the cluster through their node's address.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public bool NatOutside { get; init; } = true;
}

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
}

/// <summary>A range of a logical switch.</summary>
/// <param name="Cidr">For example <c>10.244.1.0/24</c>.</param>
/// <param name="Gateway">The router's address in it, for example <c>10.244.1.1</c>.</param>
public sealed record SwitchSubnet(string Cidr, string Gateway);
