using System.Collections.Immutable;
using System.Net;
using Weft.Agent.CniServer;
using Weft.Agent.Names;
using Weft.Topology;

namespace Weft.Agent.Facts;

/// <summary>Everything that the plan is computed from. Immutable; equal facts give equal plans.</summary>
public sealed record NodeFacts
{
    /// <summary>This node's name.</summary>
    public required string NodeName { get; init; }

    /// <summary>The controller's view of this node.</summary>
    public Slice Slice { get; init; } = Slice.Empty;

    /// <summary>Whether the data path can make advertisements of neighbour solicitations by itself; else the agent does.</summary>
    public bool SwitchAdvertises { get; init; } = true;

    /// <summary>Interfaces that are (about to be) ports of the bridge, by <see cref="AttachedPort.Id"/>.</summary>
    public ImmutableDictionary<string, AttachedPort> Ports { get; init; } = ImmutableDictionary<string, AttachedPort>.Empty;

    /// <summary>The ports of a network's pods that are here.</summary>
    public IEnumerable<AttachedPort> PortsOf(int networkKey) => Ports.Values.Where(p => p.Attachment.NetworkKey == networkKey);

    /// <summary>What pods learned from name servers, for rules with domain names.</summary>
    public LearnedNames Names { get; init; } = LearnedNames.Empty;

    /// <summary>This node as the controller knows it, or null.</summary>
    public NodeEndpoint? Self => Slice.Node(NodeName);

    /// <summary>This node's pod subnets with their gateway addresses, IPv4 first.</summary>
    public IEnumerable<PodSubnet> Subnets => PodSubnet.Of(Self);
}

/// <summary>An attachment with its OpenFlow port number.</summary>
/// <param name="Attachment">The interface.</param>
/// <param name="OfPort">1 to 32767.</param>
public sealed record AttachedPort(Attachment Attachment, int OfPort)
{
    /// <summary><c>containerId/ifName</c>: what identifies an attachment.</summary>
    public string Id => IdOf(Attachment.ContainerId, Attachment.IfName);

    /// <summary>Makes an id.</summary>
    public static string IdOf(string containerId, string ifName) => containerId + "/" + ifName;
}

/// <summary>A pod CIDR of a node of the default network and its gateway: the first address after the network's own.</summary>
/// <param name="Cidr">The range.</param>
/// <param name="Gateway">The address that <c>weft-gw0</c> of that node owns.</param>
public sealed record PodSubnet(IPNetwork Cidr, IPAddress Gateway)
{
    /// <summary>The subnets of a node, IPv4 first; what does not parse is left out.</summary>
    public static IEnumerable<PodSubnet> Of(NodeEndpoint? node) => (node?.PodCidrs ?? [])
        .Select(c => IPNetwork.TryParse(c, out var cidr) ? cidr : (IPNetwork?)null)
        .OfType<IPNetwork>()
        .OrderBy(c => c.BaseAddress.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6)
        .Select(c => new PodSubnet(c, Addresses.First(c)));
}
