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

    [TestCase("route del 10.11.0.0/24")]
    [TestCase("-6 route del fd00:11::/64")]
    [TestCase("route replace 10.11.0.0/24 via 10.11.0.9 dev weft-gw0 onlink proto 87")]
    [TestCase("addr del 10.10.0.1/24 dev weft-gw0")]
    [TestCase("addr del fd00:10::1/64 dev weft-gw0")]
    [TestCase("addr flush dev weft-gw0")]
    [TestCase("addr add 10.99.0.1/24 dev weft-gw0")]
    [TestCase("link set weft-gw0 down")]
    [TestCase("link set weft-gw0 mtu 1500")]
    [TestCase("link set weft-gw0 address 0a:00:00:00:00:09")]
    [TestCase("route add 10.50.0.0/24 via 10.10.0.9 dev weft-gw0 proto 87")]
    public async Task A_foreign_change_is_repaired_within_a_second_and_reported(string change)
    {
        await _host.ApplyAsync(Plan, CancellationToken.None);
        var before = await StateAsync();
        var repairs = new List<HostChanges>();
        _host.Repaired += repairs.Add;
        await _netns.IpAsync(change);
        await Eventually.True(
            $"repair of: {change}\nwanted:\n{before}",
            async () => repairs.Count > 0 && await StateAsync() == before,
            TimeSpan.FromSeconds(1));
        Assert.That(repairs[0].Applied, Is.Not.Empty);
        Assert.That(repairs.SelectMany(r => r.Problems), Is.Empty);
    }

    [TestCase("nft delete table inet weft")]
    [TestCase("nft flush ruleset")]
    [TestCase("nft flush chain inet weft postrouting")]
    [TestCase("nft add element inet weft inside4 { 8.8.8.8 }")]
    [TestCase("nft insert rule inet weft postrouting accept")]
    public async Task Foreign_changes_of_our_table_are_repaired_within_a_second(string change)
    {
        await _host.ApplyAsync(Plan, CancellationToken.None);
        var before = await _netns.RunAsync("nft list table inet weft");
        await _netns.RunAsync(change);
        await Eventually.True(
            $"repair of: {change}",
            async () => await _netns.RunAsync("nft list table inet weft") == before,
            TimeSpan.FromSeconds(1));
    }

    [Test]
    public async Task What_is_foreign_stays()
    {
        await _netns.RunAsync("nft -f -", "table ip kube { chain c { type filter hook forward priority 0; accept; }; }\n");
        await _netns.IpAsync("addr add 192.168.5.1/24 dev gw-peer");
        await _netns.IpAsync("route add 10.60.0.0/24 dev gw-peer proto static");
        var foreign = await _netns.RunAsync("nft list table ip kube");
        await _host.ApplyAsync(Plan, CancellationToken.None);
        await _host.ApplyAsync(Plan with { Routes = [], NeverMasquerade = [] }, CancellationToken.None);
        Assert.That(await _netns.RunAsync("nft list table ip kube"), Is.EqualTo(foreign));
        Assert.That(await _netns.IpAsync("route"), Does.Contain("10.60.0.0/24").And.Contain("192.168.5.0/24").And.Not.Contain("proto 87"));
    }

    [Test]
    public async Task Nonsense_in_a_plan_is_named_and_the_rest_is_applied()
    {
        var changes = await _host.ApplyAsync(
            Plan with
            {
                GatewayMac = "nonsense",
                GatewayAddresses = ["10.10.0.1/24", "10.10.0.1/99", "x"],
                Routes = [new("10.11.0.0/24", "fd00::1"), new("10.12.0.0", "10.12.0.1"), new("10.13.0.7/24", "10.13.0.1")],
                MasqueradeSources = ["10.10.0.0/24", "; flush ruleset"],
                NeverMasquerade = ["10.0.0.0/8", "}"],
            },
            CancellationToken.None);
        Assert.That(changes.Problems, Is.EquivalentTo(new[]
        {
            "gateway MAC 'nonsense' is no MAC address and is passed over",
            "gateway address '10.10.0.1/99' is no CIDR and is passed over",
            "gateway address 'x' is no CIDR and is passed over",
            "route to 10.11.0.0/24: gateway 'fd00::1' is no address of its family; the route is passed over",
            "route '10.12.0.0' is no CIDR and is passed over",
            "masquerade source '; flush ruleset' is no CIDR and is passed over",
            "destination without masquerade '}' is no CIDR and is passed over",
        }));
        Assert.That(await _netns.IpAsync("route"), Does.Contain("10.13.0.0/24 via 10.13.0.1"));
        Assert.That(await _netns.RunAsync("nft list table inet weft"), Does.Contain("10.10.0.0/24"));
    }

    [Test]
    public async Task A_problem_that_stays_is_reported_once()
    {
        await _netns.IpAsync("link del weft-gw0");
        await _host.ApplyAsync(Plan, CancellationToken.None);
        var reports = new List<HostChanges>();
        _host.Repaired += reports.Add;
        await _netns.IpAsync("link add other type veth peer name other2");
        await _netns.RunAsync("nft delete table inet weft");
        await Eventually.True("the table is repaired", async () => (await _netns.RunAsync("nft list tables")).Contains("inet weft", StringComparison.Ordinal));
        await Eventually.True("the repair is reported", () => reports.Count > 0);
        Assert.That(reports.SelectMany(r => r.Applied), Is.EqualTo(new[] { "nftables table inet weft set" }));
    }

    [Test]
    public async Task Only_the_difference_is_sent()
    {
        await _host.ApplyAsync(Plan, CancellationToken.None);
        var changes = await _host.ApplyAsync(
            Plan with { Routes = [new("10.11.0.0/24", "10.11.0.1"), new("fd00:11::/64", "fd00:11::1"), new("10.13.0.0/24", "10.13.0.1")] },
            CancellationToken.None);
        Assert.That(changes.Applied, Is.EqualTo(new[] { "route to 10.12.0.0/24 via 10.12.0.1 removed", "route to 10.13.0.0/24 via 10.13.0.1 set" }));
    }

    [Test]
    public async Task A_gateway_interface_that_comes_later_or_again_is_completed()
    {
        await _netns.IpAsync("link del weft-gw0");
        var changes = await _host.ApplyAsync(Plan, CancellationToken.None);
        Assert.That(changes.Problems.Single(), Does.Contain("weft-gw0 does not exist"));
        for (var round = 0; round < 2; round++)
        {
            await _netns.IpAsync("link add weft-gw0 type veth peer name gw-peer");
            await _netns.IpAsync("link set gw-peer up");
            await Eventually.True(
                "addresses and routes on the new interface",
                async () => (await _netns.IpAsync("addr show weft-gw0")).Contains("10.10.0.1/24", StringComparison.Ordinal)
                    && (await _netns.IpAsync("-6 route")).Contains("fd00:11::/64", StringComparison.Ordinal)
                    && (await _netns.IpAsync("route")).Contains("10.12.0.0/24", StringComparison.Ordinal),
                TimeSpan.FromSeconds(1));
            await _netns.IpAsync("link del weft-gw0");
        }
    }

    [Test]
    public async Task Router_advertisements_are_kept_when_forwarding_begins()
    {
        await _netns.RunAsync("sysctl -w net.ipv6.conf.gw-peer.accept_ra=1");
        await _host.ApplyAsync(Plan, CancellationToken.None);
        Assert.That(await _netns.RunAsync("sysctl -n net.ipv6.conf.gw-peer.accept_ra"), Is.EqualTo("2\n"));
    }

    [Test]
    public async Task A_thousand_routes_are_set_and_taken_away()
    {
        var routes = Enumerable.Range(0, 1000).Select(i => new HostRoute($"10.{100 + (i / 250)}.{i % 250}.0/24", $"10.{100 + (i / 250)}.{i % 250}.1"))
            .Concat(Enumerable.Range(1, 1000).Select(i => new HostRoute($"fd00:aaaa:{i:x}::/64", $"fd00:aaaa:{i:x}::1")));
        var changes = await _host.ApplyAsync(Plan with { Routes = [.. routes] }, CancellationToken.None);
        Assert.That(changes.Problems, Is.Empty);
        Assert.That((await _host.ApplyAsync(Plan with { Routes = [.. routes] }, CancellationToken.None)).IsClean, Is.True);
        Assert.That((await _netns.IpAsync("route show proto 87")).Split('\n', StringSplitOptions.RemoveEmptyEntries), Has.Length.EqualTo(1000));
        await _host.ApplyAsync(Plan with { Routes = [] }, CancellationToken.None);
        Assert.That(await _netns.IpAsync("route show proto 87") + await _netns.IpAsync("-6 route show proto 87"), Is.Empty);
    }

    private async Task<string> StateAsync()
    {
        // Without link-local addresses and routes, lifetimes and states that the kernel changes by itself.
        var lines = (await _netns.IpAsync("-o link show weft-gw0") + await _netns.IpAsync("-o addr show weft-gw0") + await _netns.IpAsync("route") + await _netns.IpAsync("-6 route"))
            .Split('\n')
            .Where(l => !l.Contains("fe80", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal);
        return string.Join('\n', lines);
    }
}
