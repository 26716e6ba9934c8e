using System.Net;
using System.Security.Cryptography;
using System.Text;
using Weft.Agent.Host.Netlink;
using Weft.Topology;

namespace Weft.Agent.CniServer;

/// <summary>How a pod's interface must look.</summary>
internal sealed record PodInterface
{
    /// <summary>The host side's name.</summary>
    public required string HostName { get; init; }

    /// <summary>The host side was made in advance.</summary>
    public bool IsSpare { get; init; }

    /// <summary>The name inside the pod.</summary>
    public required string Name { get; init; }

    /// <summary>The path of the pod's network namespace.</summary>
    public required string Netns { get; init; }

    public required string Mac { get; init; }

    /// <summary>Bytes.</summary>
    public required int Mtu { get; init; }

    public bool DisableTxOffload { get; init; }

    /// <summary>What the pod may send; null: no limit.</summary>
    public BandwidthLimit? EgressLimit { get; init; }

    /// <summary>IPv4 first.</summary>
    public EquatableArray<PodAddress> Addresses { get; init; } = [];

    /// <summary>What Kubernetes is told instead of <see cref="Addresses"/>: addresses by which only this node reaches a tenant pod. Empty: the pod has none.</summary>
    public EquatableArray<string> Aliases { get; init; } = [];

    /// <summary><c>w</c> and 10 hex digits of SHA-256(containerId + "/" + ifName).</summary>
    public static string HostNameOf(string containerId, string ifName) =>
        "w" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{containerId}/{ifName}")).AsSpan(0, 5));

    /// <summary>A name for a host side that is made before anybody knows whose it will be.</summary>
    public static string NewHostName() => "w" + RandomNumberGenerator.GetHexString(10, lowercase: true);

    /// <summary>Whether a name is one of those that <see cref="HostNameOf"/> and <see cref="NewHostName"/> give.</summary>
    public static bool IsHostName(string name) => name.Length == 11 && name[0] == 'w' && !name.AsSpan(1).ContainsAnyExcept("0123456789abcdef");
}

/// <summary>An address of a pod.</summary>
/// <param name="Address">With the subnet's prefix length.</param>
/// <param name="Gateway">The default route's next hop, or null when no subnet holds the address.</param>
internal sealed record PodAddress(InterfaceAddress Address, IPAddress? Gateway);
