using System.Text.Json.Serialization;

namespace Weft.Topology;

/// <summary>Addresses that one selector stands for. Shared by every rule with the same selector.</summary>
public sealed record AddressSet : TopologyItem
{
    /// <summary>Single addresses (<c>10.0.0.1</c>) or CIDRs, without duplicates, any order.</summary>
    public EquatableArray<string> Addresses { get; init; } = [];
}

/// <summary>Logical ports on this node that one selector stands for.</summary>
public sealed record PortSet : TopologyItem
{
    /// <summary>Ids of <see cref="LogicalPort"/>s of this node.</summary>
    public EquatableArray<string> Ports { get; init; } = [];
}

/// <summary>Endpoints of one port of one Service, one family.</summary>
public sealed record EndpointSet : TopologyItem
{
    /// <summary>The endpoints, without duplicates, any order.</summary>
    public EquatableArray<Endpoint> Endpoints { get; init; } = [];
}

/// <summary>One endpoint of a Service port.</summary>
public sealed record Endpoint
{
    /// <summary>Its address, in the Service's network.</summary>
    public required string Address { get; init; }

    /// <summary>Its port, 1 to 65535.</summary>
    public required int Port { get; init; }

    /// <summary>The node it runs on, or null when it is outside the cluster.</summary>
    public string? Node { get; init; }

    /// <summary>Whether it takes new connections.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public bool Ready { get; init; } = true;

    /// <summary>Whether it still answers, although it may be terminating.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public bool Serving { get; init; } = true;

    /// <summary>Whether its pod is being deleted.</summary>
    public bool Terminating { get; init; }

    /// <summary>Zones that should use it (topology hints); empty = all.</summary>
    public EquatableArray<string> ForZones { get; init; } = [];

    /// <summary>Nodes that should use it (PreferSameNode hints); empty = all.</summary>
    public EquatableArray<string> ForNodes { get; init; } = [];
}

/// <summary>Changes the members of a set without repeating it. Adding what is there and removing what is not are no errors.</summary>
public sealed record SetPatch
{
    /// <summary>The set's kind: <see cref="ItemKind.AddressSet"/>, <see cref="ItemKind.PortSet"/> or <see cref="ItemKind.EndpointSet"/>.</summary>
    public required ItemKind Kind { get; init; }

    /// <summary>The set's id.</summary>
    public required string Id { get; init; }

    /// <summary>Addresses or port ids to add.</summary>
    public EquatableArray<string> Add { get; init; } = [];

    /// <summary>Addresses or port ids to remove.</summary>
    public EquatableArray<string> Remove { get; init; } = [];

    /// <summary>Endpoints to add; one with the same address and port is replaced.</summary>
    public EquatableArray<Endpoint> AddEndpoints { get; init; } = [];

    /// <summary>Endpoints to remove, by address and port.</summary>
    public EquatableArray<Endpoint> RemoveEndpoints { get; init; } = [];
}
