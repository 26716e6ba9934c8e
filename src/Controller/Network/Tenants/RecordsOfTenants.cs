using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using Weft.Controller.Allocation;
using Weft.Topology;

namespace Weft.Controller.Network;

/// <summary>Writes the records of tenants' networks. Pure.</summary>
internal static class RecordsOfTenants
{
    public static Topology.Network Network(VpcState vpc) => new()
    {
        Id = vpc.Id,
        Key = vpc.Key,
        NatOutside = vpc.Source!.Spec?.NatOutgoing ?? true,
        SharedServices = (vpc.Source.Spec?.SharedServices ?? []).Select(s => $"{s.Namespace}/{s.Name}").Distinct().ToEquatableArray(),
        Peers = vpc.Peers.Select(p => new NetworkPeer(p.Vpc.Key, p.Local, p.Remote)).ToEquatableArray(),
    };

    /// <summary>The MAC address of a pod: the one it asked for, or one from its address, so that who keeps the address keeps the MAC, too.</summary>
    public static string MacOf(AddressClaim claim)
    {
        if (claim.Mac is not null)
        {
            return claim.Mac;
        }

        var bytes = IPAddress.Parse(claim.Addresses.FirstOrDefault(a => !Cidr.IsV6(a)) ?? claim.Addresses[0]).GetAddressBytes();
        var tail = bytes.Length == 4 ? bytes : SHA256.HashData(bytes)[..4];
        return "0a:58:" + string.Join(':', tail.Select(b => b.ToString("x2", CultureInfo.InvariantCulture)));
    }

    public static LogicalRouter Router(VpcState vpc) => new()
    {
        Id = vpc.Id,
        NetworkKey = vpc.Key,
        Switches = vpc.Subnets.Select(s => s.Id).ToEquatableArray(),
        Routes = (vpc.Source!.Spec?.StaticRoutes ?? [])
            .Select(r => Cidr.TryNormalise(r.Cidr, out var cidr) && Cidr.Address(r.NextHopIP) is { } hop ? new StaticRoute(cidr, hop) : null)
            .OfType<StaticRoute>().ToEquatableArray(),
    };

    public static LogicalSwitch Switch(SubnetState subnet) => new()
    {
        Id = subnet.Id,
        NetworkKey = subnet.Vpc!.Key,
        Subnets = subnet.Ranges.Select(r => new SwitchSubnet(r.Cidr, r.Gateway.ToString())).ToEquatableArray(),
        Mtu = subnet.Source!.Spec?.Mtu ?? 0,
        Private = subnet.Source.Spec?.Private ?? false,
        Allowed = (subnet.Source.Spec?.AllowSubnets ?? []).Select(a => Cidr.TryNormalise(a, out var cidr) ? cidr : null).OfType<string>().ToEquatableArray(),
    };
}
