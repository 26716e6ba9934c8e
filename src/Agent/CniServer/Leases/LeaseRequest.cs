using System.Net;
using Weft.Topology;

namespace Weft.Agent.CniServer.Leases;

/// <summary>What a container interface needs.</summary>
public sealed record LeaseRequest
{
    public required string ContainerId { get; init; }

    public required string IfName { get; init; }

    /// <summary><c>namespace/name</c> of the pod.</summary>
    public required string Pod { get; init; }

    /// <summary>The name in the CNI configuration.</summary>
    public string Configuration { get; init; } = "";

    /// <summary>The host side's name when it was made in advance; else empty.</summary>
    public string SpareInterface { get; init; } = "";

    public int NetworkKey { get; init; } = Network.DefaultKey;

    /// <summary>Ranges to choose from: one address of each family that occurs, from the first range of the family that has one.</summary>
    public EquatableArray<SwitchSubnet> Subnets { get; init; } = [];

    /// <summary>Addresses that it must have (the <c>ips</c> capability). Families without one are chosen from the ranges.</summary>
    public IReadOnlyList<IPAddress> Fixed { get; init; } = [];

    /// <summary>The fixed addresses come from the controller: they are taken as they are, outside of every range and without a wait after release.</summary>
    public bool FixedByController { get; init; }
}
