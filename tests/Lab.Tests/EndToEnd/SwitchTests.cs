using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Weft.Lab.Net;
using Weft.Lab.Probes;
using Weft.TestSupport;

namespace Weft.Lab.Tests.EndToEnd;

/// <summary>What the switch lets through, answers by itself, and tells to somebody who looks at it.</summary>
public sealed partial class SwitchTests
{
    private TestLab _lab = null!;
    private TestPod _a = null!;
    private TestPod _neighbour = null!;
    private TestPod _remote = null!;

    [OneTimeSetUp]
    public async Task StartLab()
    {
        _lab = await TestLab.UpAsync("sw");
        var pods = await _lab.PodsAsync("node1", "node1", "node2");
        (_a, _neighbour, _remote) = (pods[0], pods[1], pods[2]);
    }

    [OneTimeTearDown]
    public async Task EndLab()
    {
        if (_lab is not null)
        {
            await _lab.DisposeAsync();
        }
    }

    [TestCase("10.10.250.9/32", "address", TestName = "A_foreign_IPv4_address_is_dropped_and_counted")]
    [TestCase("fd00:10:10:fa::9/128", "address", TestName = "A_foreign_IPv6_address_is_dropped_and_counted")]
    [TestCase("02:00:00:00:00:99", "mac", TestName = "A_foreign_MAC_is_dropped_and_counted")]
    public async Task A_pod_that_is_not_itself_is_dropped_and_counted(string forged, string kind)
    {
        var liar = await _lab.PodAsync("node1");
        var v6 = forged.Contains("fd00", StringComparison.Ordinal);
        var target = v6 ? _neighbour.V6 : _neighbour.V4;
        Assert.That((await liar.Probe.PingAsync(target)).Outcome, Is.EqualTo(ProbeOutcome.Connected), "before it lied");
        await using var seen = await Capture.StartAsync(_neighbour.Netns, "eth0", "icmp or icmp6[icmp6type] == 128");
        var before = await DroppedBySpoofGuardAsync();

        string[] ping = ["ping", "-c", "5", "-i", "0.05", "-W", "1", target.ToString()];
        if (kind == "mac")
        {
            await liar.Netns.IpAsync(CancellationToken.None, $"link set eth0 address {forged}");
        }
        else
        {
            await liar.Netns.IpAsync(CancellationToken.None, $"addr add {forged} dev eth0{(v6 ? " nodad" : "")}");
            ping = [.. ping, "-I", forged.Split('/')[0]];
        }

        string[] command = [.. liar.Netns.Wrap([Shell.Find("ping"), .. ping.Skip(1)])];
        var result = await Shell.TryRunAsync(command[0], command[1..], null, null, TimeSpan.FromSeconds(20), CancellationToken.None);

        Assert.That(result.ExitCode, Is.Not.Zero, $"the forged ping was answered: {result.Output}");
        await Eventually.True("drops counted by SpoofGuard", async () => await DroppedBySpoofGuardAsync() > before);
        Assert.That(seen.Text, Does.Not.Contain("echo request"), "forged packets reached the other pod");
        await _lab.DeletePodAsync(liar.Name);
    }

    [Test]
    public async Task ARP_and_neighbour_discovery_are_answered_locally_and_no_broadcast_leaves_the_node()
    {
        await using var wire = await Capture.StartAsync(_lab.Cluster.Layout.Underlay, "node1", "udp port 6081");
        await using var others = await Capture.StartAsync(_neighbour.Netns, "eth0", "arp or icmp6 or broadcast");
        await _a.Netns.IpAsync(CancellationToken.None, "neigh flush dev eth0");

        var pings = new[]
        {
            await _a.Probe.PingAsync(_neighbour.V4), await _a.Probe.PingAsync(_neighbour.V6),
            await _a.Probe.PingAsync(_remote.V4), await _a.Probe.PingAsync(_remote.V6),
        };
        // Nobody has these; and everybody would.
        await Task.WhenAll(
            _a.Probe.PingAsync(IPAddress.Parse("10.10.0.253"), timeout: TimeSpan.FromSeconds(1)),
            ShoutAsync("ping", "-b", "-c", "3", "-i", "0.1", "-W", "1", "255.255.255.255", "-I", "eth0"),
            ShoutAsync("ping", "-c", "3", "-i", "0.1", "-W", "1", "ff02::1%eth0"));

        Assert.That(pings.Select(p => p.Outcome), Is.All.EqualTo(ProbeOutcome.Connected), string.Join("; ", pings.Select(p => p.ToString())));
        await wire.SeesAsync("the tunnelled ping", $"{_a.V4} > {_remote.V4}");
        Assert.Multiple(() =>
        {
            Assert.That(wire.Text, Does.Not.Contain("ARP"), "ARP in the tunnel");
            Assert.That(wire.Text, Does.Not.Contain("neighbor solicitation"), "neighbour discovery in the tunnel");
            Assert.That(wire.Text, Does.Not.Contain("ff:ff:ff:ff:ff:ff"), "a broadcast in the tunnel");
            Assert.That(wire.Text, Does.Not.Contain("33:33:"), "a multicast in the tunnel");
            Assert.That(others.Text, Does.Not.Contain($"tell {_a.V4}"), "another pod saw the ARP request");
            Assert.That(others.Text, Does.Not.Contain("255.255.255.255"), "another pod saw the broadcast");
        });
    }

    [Test]
    public async Task Dumped_flows_show_named_tables()
    {
        var text = await _lab.OvsAsync("node1", "ovs-ofctl", "-O", "OpenFlow13", "--names", "dump-flows", "br-int");
        Assert.That(
            (string[])["Classifier", "SpoofGuard", "ArpNd", "Conntrack", "Routing", "Forwarding", "Output"],
            Is.All.Matches<string>(table => text.Contains($"table={table}", StringComparison.Ordinal)),
            text);
    }

    [Test]
    public async Task The_interface_table_tells_which_pod_a_port_is()
    {
        var text = await _lab.OvsAsync("node1", "ovs-vsctl", "--columns=name,external_ids", "list", "interface");
        Assert.Multiple(() =>
        {
            Assert.That(text, Does.Contain($"default/{_a.Name}"));
            Assert.That(text, Does.Contain(_a.Uid));
            Assert.That(text, Does.Contain(_a.V4.ToString()).And.Contain(_a.V6.ToString()));
        });
    }

    [Test]
    public async Task A_traced_packet_between_pods_of_a_node_ends_at_the_other_pods_port()
    {
        var trace = await TraceAsync(_a, _neighbour);
        var port = await OfPortAsync(_neighbour);
        var name = await InterfaceAsync(_neighbour);
        Assert.That(trace, Does.Match($"(?m)^ *-> output to (kernel|native) tunnel|output:(\"?{Regex.Escape(name)}\"?|{port})|output port is {port}"), trace);
        Assert.That(trace, Does.Not.Contain("native tunnel"), trace);
    }

    [Test]
    public async Task A_traced_packet_to_another_node_ends_in_the_tunnel_to_that_node()
    {
        var trace = await TraceAsync(_a, _remote);
        Assert.That(trace, Does.Contain("output port is 32768").And.Contain("172.30.0.12->tun_dst"), trace);
    }

    private async Task<string> TraceAsync(TestPod from, TestPod to)
    {
        // A pod sends to another node's pod by its gateway, to a neighbour directly or by the gateway: it knows which.
        await from.Probe.PingAsync(to.V4);
        var route = await TestLab.InAsync(from.Netns, "ip", "route", "get", to.V4.ToString());
        var hop = ViaPattern().Match(route) is { Success: true } via ? via.Groups[1].Value : to.V4.ToString();
        var neighbour = await TestLab.InAsync(from.Netns, "ip", "neigh", "show", hop);
        var mac = MacPattern().Match(neighbour);
        Assert.That(mac.Success, Is.True, $"{from} has no neighbour {hop}: {neighbour}");
        return await _lab.OvsAsync(from.Node, "ovs-appctl", "ofproto/trace", "br-int",
            $"in_port={await OfPortAsync(from)},tcp,dl_src={await from.MacAsync()},dl_dst={mac.Groups[1].Value},"
            + $"nw_src={from.V4},nw_dst={to.V4},nw_ttl=64,tcp_src=40000,tcp_dst=80,tcp_flags=syn", "--ct-next", "trk,new");
    }

    private async Task<string> InterfaceAsync(TestPod pod) =>
        (await _lab.OvsAsync(pod.Node, "ovs-vsctl", "--bare", "--columns=name", "find", "interface", $"external_ids:weft-pod-uid={pod.Uid}")).Trim();

    private async Task<int> OfPortAsync(TestPod pod) => int.Parse(
        (await _lab.OvsAsync(pod.Node, "ovs-vsctl", "--bare", "--columns=ofport", "find", "interface", $"external_ids:weft-pod-uid={pod.Uid}")).Trim(),
        CultureInfo.InvariantCulture);

    private async Task ShoutAsync(params string[] command)
    {
        string[] whole = [.. _a.Netns.Wrap([Shell.Find(command[0]), .. command[1..]])];
        // Nobody answers, or only the pod itself: the exit code says nothing.
        await Shell.TryRunAsync(whole[0], whole[1..], null, null, TimeSpan.FromSeconds(10), CancellationToken.None);
    }

    private async Task<long> DroppedBySpoofGuardAsync()
    {
        var flows = await _lab.OvsAsync("node1", "ovs-ofctl", "-O", "OpenFlow13", "--names", "dump-flows", "br-int", "table=SpoofGuard");
        return flows.Split('\n').Where(l => l.TrimEnd().EndsWith("actions=drop", StringComparison.Ordinal))
            .Sum(l => long.Parse(PacketsPattern().Match(l).Groups[1].Value, CultureInfo.InvariantCulture));
    }

    [GeneratedRegex(@"via (\S+)")]
    private static partial Regex ViaPattern();

    [GeneratedRegex(@"lladdr (\S+)")]
    private static partial Regex MacPattern();

    [GeneratedRegex(@"n_packets=(\d+)")]
    private static partial Regex PacketsPattern();
}
