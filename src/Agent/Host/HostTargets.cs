using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Weft.Agent.Host.Netlink;

namespace Weft.Agent.Host;

/// <summary>A <see cref="HostPlan"/> whose texts are read. What cannot be read is left out and named: the rest must work nevertheless.</summary>
internal sealed class HostTargets
{
    private readonly List<string> _problems = [];

    public HostTargets(HostPlan plan)
    {
        Plan = plan;
        Addresses = [.. plan.GatewayAddresses.SelectMany(a => Cidr("gateway address", a)).Distinct()];
        Routes = plan.Routes.SelectMany(Route).GroupBy(r => r.Destination).ToDictionary(g => g.Key, g => g.First().Gateway);
        MasqueradeSources = [.. plan.MasqueradeSources.SelectMany(a => CidrOrAddress("masquerade source", a))];
        NeverMasquerade = [.. plan.NeverMasquerade.SelectMany(a => CidrOrAddress("destination without masquerade", a))];
        Refuse = [.. plan.Refuse.SelectMany(a => CidrOrAddress("refused destination", a))];
        NodePorts4 = [.. plan.NodePorts4.SelectMany(NodePort)];
        NodePorts6 = [.. plan.NodePorts6.SelectMany(NodePort)];
        NodePortAddresses = [.. plan.NodePortAddresses.SelectMany(a => CidrOrAddress("address of node ports", a)).Select(a => a.Address)];
        if (plan.GatewayMac is { } mac && (!PhysicalAddress.TryParse(mac, out var parsed) || parsed.GetAddressBytes().Length != 6))
        {
            _problems.Add($"gateway MAC '{mac}' is no MAC address and is passed over");
        }
        else
        {
            GatewayMac = plan.GatewayMac;
        }
    }

    public HostPlan Plan { get; }

    public string? GatewayMac { get; }

    public IReadOnlyList<InterfaceAddress> Addresses { get; }

    /// <summary>Destination to gateway.</summary>
    public IReadOnlyDictionary<InterfaceAddress, IPAddress> Routes { get; }

    public IReadOnlyList<InterfaceAddress> MasqueradeSources { get; }

    public IReadOnlyList<InterfaceAddress> NeverMasquerade { get; }

    public IReadOnlyList<InterfaceAddress> Refuse { get; }

    /// <summary>IPv4 node ports in nft's words, <c>tcp . 30080</c>.</summary>
    public IReadOnlyList<string> NodePorts4 { get; }

    /// <inheritdoc cref="NodePorts4"/>
    public IReadOnlyList<string> NodePorts6 { get; }

    /// <summary>What stands for the host's own addresses behind the gateway interface.</summary>
    public IReadOnlyList<IPAddress> NodePortAddresses { get; }

    /// <summary>What was left out, one sentence each.</summary>
    public IReadOnlyList<string> Problems => _problems;

    /// <summary>Whether the host has pods of a family.</summary>
    public bool Has(AddressFamily family) => Addresses.Any(a => a.Address.AddressFamily == family);

    private IEnumerable<(InterfaceAddress Destination, IPAddress Gateway)> Route(HostRoute route)
    {
        foreach (var destination in Cidr("route", route.Destination))
        {
            if (IPAddress.TryParse(route.Gateway, out var gateway) && gateway.AddressFamily == destination.Address.AddressFamily)
            {
                yield return (destination.Network, gateway);
            }
            else
            {
                _problems.Add($"route to {destination}: gateway '{route.Gateway}' is no address of its family; the route is passed over");
            }
        }
    }

    private IEnumerable<string> NodePort(string text)
    {
        var parts = text.Split(' ');
        if (parts is ["tcp" or "udp" or "sctp", var number] && ushort.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var port))
        {
            return [$"{parts[0]} . {port}"];
        }

        _problems.Add($"node port '{text}' is not tcp, udp or sctp with a number up to 65535 and is passed over");
        return [];
    }

    private IEnumerable<InterfaceAddress> CidrOrAddress(string what, string text) => IPAddress.TryParse(text, out var address)
        ? [new InterfaceAddress(address, address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128)]
        : Cidr(what, text).Select(c => c.Network);

    private IEnumerable<InterfaceAddress> Cidr(string what, string text)
    {
        if (InterfaceAddress.TryParse(text, out var address))
        {
            return [address];
        }

        _problems.Add($"{what} '{text}' is no CIDR and is passed over");
        return [];
    }
}
