using System.Net;
using Weft.Agent.Host.Netlink;

namespace Weft.Agent.Tests.Host;

public sealed class NetlinkTests
{
    private TestNamespace _netns = null!;
    private RouteNetlink _netlink = null!;

    [SetUp]
    public async Task SetUp()
    {
        _netns = await TestNamespace.CreateAsync();
        _netlink = RouteNetlink.Open(_netns.Path);
    }

    [TearDown]
    public async Task TearDown()
    {
        _netlink.Dispose();
        await _netns.DisposeAsync();
    }

    [Test]
    public async Task A_pair_is_made_with_its_peer_in_another_namespace()
    {
        await using var other = await TestNamespace.CreateAsync();
        using var handle = NetworkNamespace.Open(other.Path);
        Execute(b => RouteNetlink.CreateVeth(b, new VethPair { Name = "a0", PeerName = "b0", PeerNamespace = handle, PeerMac = "0a:58:01:02:03:04", Mtu = 1234 }));
        using var there = RouteNetlink.Open(other.Path);
        var here = _netlink.FindLink("a0")!;
        var peer = there.FindLink("b0")!;
        Assert.Multiple(() =>
        {
            Assert.That(here, Has.Property("Kind").EqualTo("veth").And.Property("Mtu").EqualTo(1234).And.Property("IsUp").False);
            Assert.That(peer, Has.Property("Mac").EqualTo("0a:58:01:02:03:04").And.Property("Mtu").EqualTo(1234));
            Assert.That((here.PeerIndex, peer.PeerIndex), Is.EqualTo((peer.Index, here.Index)));
            Assert.That(here.PeerNamespaceId, Is.Not.Null);
        });
    }

    [Test]
    public void Links_are_changed_renamed_and_deleted()
    {
        MakePair();
        var index = _netlink.FindLink("a0")!.Index;
        Execute(b => RouteNetlink.SetLink(b, index, mtu: 1300, mac: "0a:00:00:00:00:07", name: "c0"));
        Execute(b => RouteNetlink.SetLink(b, index, up: true));
        Assert.That(_netlink.FindLink("c0"), Has.Property("Mtu").EqualTo(1300).And.Property("Mac").EqualTo("0a:00:00:00:00:07").And.Property("IsUp").True);
        Assert.That(_netlink.Links().Select(l => l.Name), Is.EquivalentTo(new[] { "lo", "c0", "b0" }));
        Execute(b => RouteNetlink.DeleteLink(b, "c0"));
        Execute(b => RouteNetlink.DeleteLink(b, "c0"));
        Assert.That(_netlink.FindLink("c0"), Is.Null);
    }

    [Test]
    public void Addresses_of_both_families_are_added_listed_and_removed()
    {
        var index = MakePair();
        InterfaceAddress[] addresses = [InterfaceAddress.Parse("10.1.2.3/24"), InterfaceAddress.Parse("fd00::3/64")];
        for (var twice = 0; twice < 2; twice++)
        {
            Execute(b => Array.ForEach(addresses, a => RouteNetlink.AddAddress(b, index, a)));
            Assert.That(_netlink.Addresses(index), Is.EquivalentTo(addresses));
        }

        for (var twice = 0; twice < 2; twice++)
        {
            Execute(b => Array.ForEach(addresses, a => RouteNetlink.DeleteAddress(b, index, a)));
            Assert.That(_netlink.Addresses(index), Is.Empty);
        }
    }

    [Test]
    public async Task Routes_keep_all_their_properties()
    {
        var index = MakePair();
        Execute(b =>
        {
            RouteNetlink.AddAddress(b, index, InterfaceAddress.Parse("10.1.2.3/24"));
            RouteNetlink.AddAddress(b, index, InterfaceAddress.Parse("fd00::3/64"));
        });
        Route[] routes =
        [
            new() { Destination = InterfaceAddress.Parse("10.5.0.0/16"), Gateway = IPAddress.Parse("10.1.2.1"), Interface = index, Mtu = 1300 },
            new() { Destination = InterfaceAddress.Parse("10.6.0.0/16"), Gateway = IPAddress.Parse("172.16.0.1"), Interface = index, OnLink = true, Source = IPAddress.Parse("10.1.2.3") },
            new() { Destination = InterfaceAddress.Parse("10.7.0.0/16"), Interface = index, Table = 1000 },
            new() { Destination = InterfaceAddress.Parse("0.0.0.0/0"), Gateway = IPAddress.Parse("10.1.2.1"), Interface = index },
            new() { Destination = InterfaceAddress.Parse("::/0"), Gateway = IPAddress.Parse("fd00::1"), Interface = index },
            new() { Destination = InterfaceAddress.Parse("fd05::/32"), Gateway = IPAddress.Parse("fd00::1"), Interface = index, Mtu = 1290, Source = IPAddress.Parse("fd00::3") },
        ];
        await _netns.IpAsync("route add 10.9.0.0/16 dev a0 proto static");
        Execute(b => Array.ForEach(routes, r => RouteNetlink.ReplaceRoute(b, r)));
        Assert.That(_netlink.Routes(Route.WeftProtocol), Is.EquivalentTo(routes));
        Assert.That(_netlink.Routes(Route.WeftProtocol, table: 1000), Is.EqualTo(routes[2..3]));
        for (var twice = 0; twice < 2; twice++)
        {
            Execute(b => Array.ForEach(routes, r => RouteNetlink.DeleteRoute(b, r)));
            Assert.That(_netlink.Routes(Route.WeftProtocol), Is.Empty);
        }

        Assert.That(await _netns.IpAsync("route"), Does.Contain("10.9.0.0/16"));
    }

    [Test]
    public void Neighbours_are_set_listed_and_removed()
    {
        var index = MakePair();
        Neighbour[] neighbours =
        [
            new() { Interface = index, Address = IPAddress.Parse("10.1.2.9"), Mac = "0a:00:00:00:00:09" },
            new() { Interface = index, Address = IPAddress.Parse("fd00::9"), Mac = "0a:00:00:00:00:0a" },
        ];
        Execute(b => Array.ForEach(neighbours, n => RouteNetlink.ReplaceNeighbour(b, n)));
        Assert.That(_netlink.Neighbours(index).Where(n => n.State == Neighbour.Permanent), Is.EquivalentTo(neighbours));
        Execute(b => Array.ForEach(neighbours, n => RouteNetlink.DeleteNeighbour(b, n)));
        Execute(b => Array.ForEach(neighbours, n => RouteNetlink.DeleteNeighbour(b, n)));
        Assert.That(_netlink.Neighbours(index).Where(n => n.State == Neighbour.Permanent), Is.Empty);
    }

    [Test]
    public void A_failure_says_operation_errno_and_remedy_and_the_others_are_done()
    {
        var index = MakePair();
        var batch = new NetlinkBatch();
        RouteNetlink.ReplaceRoute(batch, new Route { Destination = InterfaceAddress.Parse("10.5.0.0/16"), Gateway = IPAddress.Parse("172.16.0.1"), Interface = index });
        RouteNetlink.AddAddress(batch, index, InterfaceAddress.Parse("10.1.2.3/24"));
        var error = Assert.Throws<NetlinkException>(() => _netlink.Execute(batch));
        Assert.That(error!.Message, Does.StartWith($"cannot set route 10.5.0.0/16 via 172.16.0.1 dev {index}: ENETUNREACH").And.Contain("give the interface its address first"));
        Assert.That(_netlink.Addresses(index), Has.Count.EqualTo(1));
    }

    [Test]
    public void A_taken_name_and_a_missing_namespace_are_clear()
    {
        MakePair();
        var taken = Assert.Throws<NetlinkException>(() => MakePair());
        Assert.That(taken!.Message, Is.EqualTo("cannot create veth a0 with peer b0: EEXIST; it exists already; remove it or choose another name").Or.Contain("EEXIST, kernel says"));
        var missing = Assert.Throws<NetlinkException>(() => RouteNetlink.Open("/run/netns/none-such"));
        Assert.That(missing!.Message, Does.StartWith("cannot open network namespace /run/netns/none-such: ENOENT"));
        var noNamespace = Assert.Throws<NetlinkException>(() => RouteNetlink.Open("/etc/hostname"));
        Assert.That(noNamespace!.Message, Does.StartWith("cannot use /etc/hostname as a network namespace, which it is not: EINVAL"));
    }

    [Test]
    public void A_dump_larger_than_any_buffer_is_whole()
    {
        for (var start = 0; start < 300; start += 50)
        {
            Execute(b =>
            {
                for (var i = start; i < start + 50; i++)
                {
                    RouteNetlink.CreateVeth(b, new VethPair { Name = $"a{i}", PeerName = $"b{i}" });
                }
            });
        }

        Assert.That(_netlink.Links(), Has.Count.EqualTo(601));
    }

    [Test]
    public async Task The_callers_thread_never_leaves_its_namespace()
    {
        await using var other = await TestNamespace.CreateAsync();
        await other.IpAsync("link add inside type veth peer name inside2");
        var here = new FileInfo("/proc/thread-self/ns/net").LinkTarget;
        var there = NetworkNamespace.Run(other.Path, () => new FileInfo("/proc/thread-self/ns/net").LinkTarget);
        Assert.That(there, Is.Not.EqualTo(here));
        Assert.That(new FileInfo("/proc/thread-self/ns/net").LinkTarget, Is.EqualTo(here));
        Assert.Throws<InvalidOperationException>(() => NetworkNamespace.Run<int>(other.Path, () => throw new InvalidOperationException("from inside")));
    }

    [Test]
    public void Sysctl_writes_only_what_differs_and_knows_missing_keys()
    {
        MakePair();
        var results = NetworkNamespace.Run(_netns.Path, () => (
            Sysctl.Write("net/ipv6/conf/a0/accept_ra", "0"),
            Sysctl.Write("net/ipv6/conf/a0/accept_ra", "0"),
            Sysctl.Read("net/ipv6/conf/a0/accept_ra"),
            Sysctl.Write("net/ipv6/conf/none-such/accept_ra", "0")));
        Assert.That(results, Is.EqualTo((true, false, "0", false)));
        Assert.Throws<SysctlException>(() => NetworkNamespace.Run(_netns.Path, () => Sysctl.Write("net/ipv6/conf/a0/accept_ra", "x")));
    }

    [Test]
    public void Offloads_of_a_missing_interface_are_a_clear_error()
    {
        var error = Assert.Throws<NetlinkException>(() => NetworkNamespace.Run(_netns.Path, () =>
        {
            Offloads.DisableTransmit("none");
            return 0;
        }));
        Assert.That(error!.Message, Does.StartWith("cannot change the offloads of interface none: ENODEV"));
    }

    private int MakePair()
    {
        Execute(b => RouteNetlink.CreateVeth(b, new VethPair { Name = "a0", PeerName = "b0" }));
        var index = _netlink.FindLink("a0")!.Index;
        Execute(b =>
        {
            RouteNetlink.SetLink(b, index, up: true);
            RouteNetlink.SetLink(b, "b0", up: true);
        });
        return index;
    }

    private void Execute(Action<NetlinkBatch> fill)
    {
        var batch = new NetlinkBatch();
        fill(batch);
        _netlink.Execute(batch);
    }
}
