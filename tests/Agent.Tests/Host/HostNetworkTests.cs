using Microsoft.Extensions.Logging.Abstractions;
using Weft.Agent.Host;
using Weft.TestSupport;

namespace Weft.Agent.Tests.Host;

public sealed class HostNetworkTests
{
    private static readonly HostPlan Plan = new()
    {
        GatewayMac = "0a:58:0a:0a:00:01",
        Mtu = 1400,
        GatewayAddresses = ["10.10.0.1/24", "fd00:10::1/64"],
        Routes = [new("10.11.0.0/24", "10.11.0.1"), new("10.12.0.0/24", "10.12.0.1"), new("fd00:11::/64", "fd00:11::1")],
        MasqueradeSources = ["10.10.0.0/24", "fd00:10::/64"],
        NeverMasquerade = ["10.0.0.0/8", "192.168.1.5", "fd00::/16"],
    };

    private TestNamespace _netns = null!;
    private HostNetwork _host = null!;

    [SetUp]
    public async Task SetUp()
    {
        _netns = await TestNamespace.CreateAsync();
        await _netns.IpAsync("link add weft-gw0 type veth peer name gw-peer");
        await _netns.IpAsync("link set gw-peer up");
        _host = new HostNetwork(TimeProvider.System, NullLogger<HostNetwork>.Instance, _netns.Path);
    }

    [TearDown]
    public async Task TearDown()
    {
        await _host.DisposeAsync();
        await _netns.DisposeAsync();
    }

    [Test]
    public async Task The_first_apply_makes_everything_and_the_second_nothing()
    {
        var first = await _host.ApplyAsync(Plan, CancellationToken.None);
        Assert.That(first.Problems, Is.Empty);
        var second = await _host.ApplyAsync(Plan with { Mtu = 1400 }, CancellationToken.None);
        Assert.That(second.IsClean, Is.True, string.Join("; ", second.Applied.Concat(second.Problems)));

        var link = await _netns.IpAsync("addr show weft-gw0");
        Assert.That(link, Does.Contain("mtu 1400").And.Contain("0a:58:0a:0a:00:01").And.Contain("10.10.0.1/24").And.Contain("fd00:10::1/64 scope global nodad"));
        var routes = await _netns.IpAsync("route") + await _netns.IpAsync("-6 route");
        Assert.That(routes, Does.Contain("10.11.0.0/24 via 10.11.0.1 dev weft-gw0 proto 87 src 10.10.0.1 onlink"));
        Assert.That(routes, Does.Contain("fd00:11::/64 via fd00:11::1 dev weft-gw0 proto 87 src fd00:10::1"));
        Assert.That(await _netns.RunAsync("sysctl -n net.ipv4.ip_forward net.ipv6.conf.all.forwarding"), Is.EqualTo("1\n1\n"));
        Assert.That(await _netns.RunAsync("nft list table inet weft"), Does.Contain("masquerade fully-random"));
    }

    [Test]
    public async Task A_new_agent_finds_nothing_to_change()
    {
        await _host.ApplyAsync(Plan, CancellationToken.None);
        await _host.DisposeAsync();
        _host = new HostNetwork(TimeProvider.System, NullLogger<HostNetwork>.Instance, _netns.Path);
        var changes = await _host.ApplyAsync(Plan, CancellationToken.None);
        Assert.That(changes.IsClean, Is.True, string.Join("; ", changes.Applied.Concat(changes.Problems)));
    }
}
