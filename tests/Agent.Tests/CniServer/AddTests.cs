using System.Text.Json;
using Weft.Agent.CniServer;

namespace Weft.Agent.Tests.CniServer;

public sealed class AddTests
{
    private CniBench _bench = null!;

    [SetUp]
    public async Task SetUp() => _bench = await CniBench.StartAsync();

    [TearDown]
    public async Task TearDown() => await _bench.DisposeAsync();

    [Test]
    public async Task Add_makes_the_interface_with_addresses_routes_and_MAC()
    {
        var reply = await _bench.CallAsync("ADD");
        Assert.That(reply.ExitCode, Is.Zero, reply.Output);
        var link = await _bench.Pod.IpAsync("link show eth0");
        var addresses = await _bench.Pod.IpAsync("addr show eth0 scope global");
        var routes = await _bench.Pod.IpAsync("route") + await _bench.Pod.IpAsync("-6 route");
        Assert.Multiple(() =>
        {
            Assert.That(link, Does.Contain("mtu 1400").And.Contain("0a:58:0a:0a:00:02").And.Contain("state UP"));
            Assert.That(addresses, Does.Contain("10.10.0.2/24").And.Contain("fd00:10::2/64").And.Not.Contain("tentative"));
            Assert.That(routes, Does.Contain("default via 10.10.0.1 dev eth0").And.Contain("default via fd00:10::1 dev eth0"));
        });
        Assert.That((await _bench.Pod.RunAsync("cat /proc/sys/net/ipv6/conf/eth0/accept_dad")).Trim(), Is.EqualTo("0"), "the link-local address is not tested for duplicates either");
        Assert.That(await _bench.Pod.RunAsync("ethtool -k eth0"), Does.Contain("tx-checksumming: off").And.Contain("tx-tcp-segmentation: off").And.Contain("tx-scatter-gather: off"));
        var attachment = _bench.Network.Attachments.Single();
        Assert.That(await _bench.Node.IpAsync($"link show {attachment.HostInterface}"), Does.Contain("UP"));
        Assert.That(attachment.Addresses, Is.EqualTo(new[] { "10.10.0.2", "fd00:10::2" }));
    }

    [TestCase("0.3.1", """{"cniVersion":"0.3.1","interfaces":[{"name":"HOST"},{"name":"eth0","mac":"0a:58:0a:0a:00:02","sandbox":"NETNS"}],"ips":[{"version":"4","interface":1,"address":"10.10.0.2/24","gateway":"10.10.0.1"},{"version":"6","interface":1,"address":"fd00:10::2/64","gateway":"fd00:10::1"}],"routes":[{"dst":"0.0.0.0/0","gw":"10.10.0.1"},{"dst":"::/0","gw":"fd00:10::1"}],"dns":{}}""")]
    [TestCase("0.4.0", """{"cniVersion":"0.4.0","interfaces":[{"name":"HOST"},{"name":"eth0","mac":"0a:58:0a:0a:00:02","sandbox":"NETNS"}],"ips":[{"version":"4","interface":1,"address":"10.10.0.2/24","gateway":"10.10.0.1"},{"version":"6","interface":1,"address":"fd00:10::2/64","gateway":"fd00:10::1"}],"routes":[{"dst":"0.0.0.0/0","gw":"10.10.0.1"},{"dst":"::/0","gw":"fd00:10::1"}],"dns":{}}""")]
    [TestCase("1.0.0", """{"cniVersion":"1.0.0","interfaces":[{"name":"HOST"},{"name":"eth0","mac":"0a:58:0a:0a:00:02","sandbox":"NETNS"}],"ips":[{"interface":1,"address":"10.10.0.2/24","gateway":"10.10.0.1"},{"interface":1,"address":"fd00:10::2/64","gateway":"fd00:10::1"}],"routes":[{"dst":"0.0.0.0/0","gw":"10.10.0.1"},{"dst":"::/0","gw":"fd00:10::1"}],"dns":{}}""")]
    [TestCase("1.1.0", """{"cniVersion":"1.1.0","interfaces":[{"name":"HOST","mtu":1400},{"name":"eth0","mac":"0a:58:0a:0a:00:02","mtu":1400,"sandbox":"NETNS"}],"ips":[{"interface":1,"address":"10.10.0.2/24","gateway":"10.10.0.1"},{"interface":1,"address":"fd00:10::2/64","gateway":"fd00:10::1"}],"routes":[{"dst":"0.0.0.0/0","gw":"10.10.0.1"},{"dst":"::/0","gw":"fd00:10::1"}],"dns":{}}""")]
    public async Task The_result_has_the_format_of_the_callers_version(string version, string expected)
    {
        var reply = await _bench.CallAsync("ADD", config: CniBench.Config(version));
        var host = _bench.Network.Attachments.Single().HostInterface;
        Assert.That(reply.Output, Is.EqualTo(expected.Replace("HOST", host, StringComparison.Ordinal).Replace("NETNS", _bench.Pod.Path, StringComparison.Ordinal)));
    }

    [Test]
    public async Task A_second_add_gives_the_same_result()
    {
        var first = await _bench.CallAsync("ADD");
        var second = await _bench.CallAsync("ADD");
        Assert.That(second, Is.EqualTo(first));
        Assert.That(_bench.Service.Leases, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task A_half_done_add_is_completed()
    {
        var first = await _bench.CallAsync("ADD");
        await _bench.Pod.IpAsync("addr flush dev eth0");
        await _bench.Pod.IpAsync("link set eth0 down");
        Assert.That(await _bench.CallAsync("ADD"), Is.EqualTo(first));
        Assert.That(await _bench.Pod.IpAsync("addr show eth0"), Does.Contain("10.10.0.2/24").And.Contain("fd00:10::2/64"));
        Assert.That(await _bench.Pod.IpAsync("route"), Does.Contain("default via 10.10.0.1"));
    }

    [Test]
    public async Task A_refusing_switch_undoes_link_and_lease()
    {
        _bench.Network.OnAttach = (_, _) => throw new PodNetworkException(CniErrorCode.TryAgainLater, "the switch does not answer", "start it");
        var reply = await _bench.CallAsync("ADD");
        Assert.That(reply.ExitCode, Is.EqualTo(1));
        Assert.That(reply.Output, Is.EqualTo("""{"cniVersion":"1.0.0","code":11,"msg":"the switch does not answer","details":"start it"}"""));
        await AssertNothingIsLeftAsync();
    }

    [Test]
    public async Task A_taken_interface_name_undoes_lease_and_port()
    {
        await _bench.Pod.IpAsync("link add eth0 type veth peer name other");
        var reply = await _bench.CallAsync("ADD");
        Assert.That(CodeOf(reply.Output), Is.EqualTo(CniErrorCode.Interface));
        Assert.That(reply.Output, Does.Contain("exists already"));
        Assert.That(_bench.Network.Attachments, Is.Empty);
        Assert.That(_bench.Service.Leases, Is.Empty);
        Assert.That(await _bench.Node.IpAsync("-br link show type veth"), Is.Empty);
    }

    [Test]
    public async Task A_slow_switch_ends_with_the_reason_and_undoes_everything()
    {
        await _bench.RestartAsync(new CniLimits { Command = TimeSpan.FromMilliseconds(300) });
        _bench.Network.OnAttach = (_, ct) => Task.Delay(Timeout.Infinite, ct);
        var reply = await _bench.CallAsync("ADD");
        Assert.That(CodeOf(reply.Output), Is.EqualTo(CniErrorCode.TryAgainLater));
        Assert.That(reply.Output, Does.Contain("was not done within"));
        await AssertNothingIsLeftAsync();
    }

    [Test]
    public async Task A_failing_second_add_leaves_the_working_pod_alone()
    {
        await _bench.CallAsync("ADD");
        _bench.Network.OnAttach = (_, _) => throw new PodNetworkException(CniErrorCode.TryAgainLater, "the switch does not answer");
        Assert.That((await _bench.CallAsync("ADD")).ExitCode, Is.EqualTo(1));
        Assert.That(_bench.Network.Attachments, Has.Count.EqualTo(1));
        Assert.That(_bench.Service.Leases, Has.Count.EqualTo(1));
        Assert.That(await _bench.Pod.IpAsync("addr show eth0"), Does.Contain("10.10.0.2/24"));
    }

    [Test]
    public async Task A_namespace_that_was_replaced_gets_a_new_interface_with_the_same_address()
    {
        await _bench.CallAsync("ADD");
        await using var other = await Host.TestNamespace.CreateAsync();
        var reply = await _bench.CallAsync("ADD", netns: other.Path);
        Assert.That(reply.ExitCode, Is.Zero, reply.Output);
        Assert.That(await other.IpAsync("addr show eth0"), Does.Contain("10.10.0.2/24"));
        Assert.That(await _bench.Pod.IpAsync("-br link"), Does.Not.Contain("eth0"));
    }

    [Test]
    public async Task Capabilities_choose_address_and_MAC()
    {
        var config = CniBench.Config(extra: """,  "runtimeConfig":{"ips":["10.10.0.77/24"],"mac":"0A:58:11:22:33:44"}""");
        var reply = await _bench.CallAsync("ADD", config: config);
        Assert.That(reply.ExitCode, Is.Zero, reply.Output);
        Assert.That(await _bench.Pod.IpAsync("addr show eth0"), Does.Contain("10.10.0.77/24").And.Contain("fd00:10::2/64").And.Contain("0a:58:11:22:33:44"));
    }

    [Test]
    public async Task The_controllers_addresses_and_MAC_come_first()
    {
        _bench.Network.FixedAddresses = ["10.10.0.9"];
        _bench.Network.FixedMac = "0a:58:01:02:03:04";
        var reply = await _bench.CallAsync("ADD");
        Assert.That(reply.ExitCode, Is.Zero, reply.Output);
        Assert.That(await _bench.Pod.IpAsync("addr show eth0"), Does.Contain("10.10.0.9/24").And.Contain("0a:58:01:02:03:04").And.Not.Contain("fd00:10"));
    }

    [Test]
    public async Task An_earlier_container_of_the_same_pod_gives_its_fixed_address_up()
    {
        _bench.Network.FixedAddresses = ["10.10.0.9"];
        await _bench.CallAsync("ADD", container: "old");
        await using var other = await Host.TestNamespace.CreateAsync();
        var foreign = await _bench.CallAsync("ADD", container: "foreign", pod: "other", netns: other.Path);
        Assert.That(CodeOf(foreign.Output), Is.EqualTo(CniErrorCode.TryAgainLater));
        Assert.That(foreign.Output, Does.Contain("address 10.10.0.9 is held by container old/eth0 of pod default/web"));
        var reply = await _bench.CallAsync("ADD", container: "new", netns: other.Path);
        Assert.That(reply.ExitCode, Is.Zero, reply.Output);
        Assert.That(_bench.Network.Attachments.Select(a => a.ContainerId), Is.EqualTo(new[] { "new" }));
        Assert.That(await _bench.Pod.IpAsync("-br link"), Does.Not.Contain("eth0"));
    }

    [TestCase("nonsense", null, CniErrorCode.NoAddress, "gives pod default/web the address 'nonsense', which is none")]
    [TestCase("10.10.0.9", "x", CniErrorCode.InvalidConfiguration, "'x' is no unicast MAC address")]
    public async Task Nonsense_of_the_controller_is_named(string address, string? mac, int code, string message)
    {
        _bench.Network.FixedAddresses = [address];
        _bench.Network.FixedMac = mac;
        var reply = await _bench.CallAsync("ADD");
        Assert.That(CodeOf(reply.Output), Is.EqualTo(code), reply.Output);
        Assert.That(reply.Output, Does.Contain(message));
        await AssertNothingIsLeftAsync();
    }

    [Test]
    public async Task A_bad_subnet_is_named()
    {
        _bench.Network.Subnets = [new("10.10.0.0/24", "10.11.0.1")];
        var reply = await _bench.CallAsync("ADD");
        Assert.That(reply.Output, Does.Contain("gateway '10.11.0.1' is not an address of 10.10.0.0/24"));
        await AssertNothingIsLeftAsync();
    }

    [Test]
    public async Task An_address_outside_of_every_subnet_is_a_host_address()
    {
        _bench.Network.FixedAddresses = ["192.168.7.7"];
        Assert.That((await _bench.CallAsync("ADD")).ExitCode, Is.Zero);
        Assert.That(await _bench.Pod.IpAsync("addr show eth0"), Does.Contain("192.168.7.7/32"));
    }

    [Test]
    public async Task Exhaustion_says_the_counts()
    {
        _bench.Network.Subnets = [new("10.10.0.0/30", "10.10.0.1")];
        await using var other = await Host.TestNamespace.CreateAsync();
        Assert.That((await _bench.CallAsync("ADD")).ExitCode, Is.Zero);
        var reply = await _bench.CallAsync("ADD", container: "c2", netns: other.Path);
        Assert.That(CodeOf(reply.Output), Is.EqualTo(CniErrorCode.NoAddress));
        Assert.That(reply.Output, Does.Contain("no address is free in 10.10.0.0/30: 1 of 1 are in use, 0 rest"));
    }

    [Test]
    public async Task A_hundred_adds_at_once_get_a_hundred_addresses()
    {
        var namespaces = new List<Host.TestNamespace>();
        try
        {
            for (var i = 0; i < 100; i++)
            {
                namespaces.Add(await Host.TestNamespace.CreateAsync());
            }

            var replies = await Task.WhenAll(namespaces.Select((n, i) => _bench.CallAsync("ADD", container: $"c{i}", pod: $"p{i}", netns: n.Path)));
            Assert.That(replies.Where(r => r.ExitCode != 0).Select(r => r.Output), Is.Empty);
            Assert.That(_bench.Service.Leases.SelectMany(l => l.Addresses).Distinct().Count(), Is.EqualTo(200));
            var removed = await Task.WhenAll(namespaces.Select((n, i) => _bench.CallAsync("DEL", container: $"c{i}", netns: n.Path)));
            Assert.That(removed.Where(r => r.ExitCode != 0).Select(r => r.Output), Is.Empty);
            Assert.That(_bench.Service.Leases, Is.Empty);
            Assert.That(await _bench.Node.IpAsync("-br link show type veth"), Is.Empty);
        }
        finally
        {
            foreach (var netns in namespaces)
            {
                await netns.DisposeAsync();
            }
        }
    }

    private static int CodeOf(string output) => JsonDocument.Parse(output).RootElement.GetProperty("code").GetInt32();

    private async Task AssertNothingIsLeftAsync()
    {
        Assert.That(_bench.Network.Attachments, Is.Empty);
        Assert.That(_bench.Service.Leases, Is.Empty);
        Assert.That(await _bench.Node.IpAsync("-br link show type veth"), Is.Empty);
        Assert.That(await _bench.Pod.IpAsync("-br link"), Does.Not.Contain("eth0"));
    }
}
