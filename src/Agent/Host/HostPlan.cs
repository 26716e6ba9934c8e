using Weft.Topology;

namespace Weft.Agent.Host;

/// <summary>What the host must look like, apart from Open vSwitch.</summary>
public sealed record HostPlan
{
    /// <summary>The host's side of the node's logical switch; Open vSwitch makes it.</summary>
    public string GatewayInterface { get; init; } = "weft-gw0";

    /// <summary>Its MAC address, lower case with colons, or null: as it is.</summary>
    public string? GatewayMac { get; init; }

    /// <summary>Its MTU in bytes; 0: as it is.</summary>
    public int Mtu { get; init; }

    /// <summary>Its addresses with the prefix length of their pod CIDR, for example <c>10.244.1.1/24</c>.</summary>
    public EquatableArray<string> GatewayAddresses { get; init; } = [];

    /// <summary>Routes through the gateway interface: the pod CIDRs of other nodes.</summary>
    public EquatableArray<HostRoute> Routes { get; init; } = [];

    /// <summary>CIDRs whose traffic takes the node's address when it leaves the cluster.</summary>
    public EquatableArray<string> MasqueradeSources { get; init; } = [];

    /// <summary>Destinations (CIDRs or addresses) to which nobody's address is changed: cluster CIDRs, addresses of nodes.</summary>
    public EquatableArray<string> NeverMasquerade { get; init; } = [];

    /// <summary>Destinations (CIDRs) that pods may ask for in vain, such as Services without endpoints: refused at once, with a reset or ICMP.</summary>
    public EquatableArray<string> Refuse { get; init; } = [];

    /// <summary>Node ports of IPv4, <c>tcp 30080</c>: packets to the host's own addresses with them are sent to <see cref="NodePortAddresses"/>.</summary>
    public EquatableArray<string> NodePorts4 { get; init; } = [];

    /// <summary>Node ports of IPv6.</summary>
    public EquatableArray<string> NodePorts6 { get; init; } = [];

    /// <summary>The addresses behind the gateway interface that stand for the host's own, IPv4 first; empty: none, and node ports do not work.</summary>
    public EquatableArray<string> NodePortAddresses { get; init; } = [];

    /// <summary>Load balancer addresses that this host answers for on its link.</summary>
    public EquatableArray<string> Announced { get; init; } = [];

    /// <summary>The host's own address on that link; empty: it announces nothing.</summary>
    public string UplinkAddress { get; init; } = "";

    /// <summary>The mark of connections that came in at the gateway interface; 0: none is marked.</summary>
    public uint ReturnMark { get; init; }

    /// <summary>The routing table for the host's answers in such connections.</summary>
    public int ReturnTable { get; init; }

    /// <summary>The next hops of that table, one for each family.</summary>
    public EquatableArray<string> ReturnHops { get; init; } = [];

    /// <summary>IPv4 and IPv6 forwarding must be on for the families that <see cref="GatewayAddresses"/> has.</summary>
    public bool Forward { get; init; } = true;
}

/// <summary>A route through the gateway interface.</summary>
/// <param name="Destination">CIDR.</param>
/// <param name="Gateway">Next hop; it counts as on the link.</param>
public sealed record HostRoute(string Destination, string Gateway);
