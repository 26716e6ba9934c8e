using System.Net;
using System.Net.Sockets;
using Weft.Lab.Cluster;
using Weft.Lab.Net;
using Weft.Lab.Probes;
using Weft.TestSupport;

namespace Weft.Lab.Tests.EndToEnd;

/// <summary>Packets between pods, nodes and the world, over each tunnel type.</summary>
[TestFixture("geneve", "gnv")]
[TestFixture("gre", "gre")]
[TestFixture("vxlan", "vx")]
public sealed class ConnectivityTests(string tunnel, string name)
{
    private const int TcpMaxSegment = 2;

    private static readonly AddressFamily[] Families = [AddressFamily.InterNetwork, AddressFamily.InterNetworkV6];

    private TestLab _lab = null!;
    private TestPod[] _pods = [];
    private ProbeServer[] _servers = [];

    [OneTimeSetUp]
    public async Task StartLab()
    {
        _lab = await TestLab.UpAsync(name, tunnel, nodes: 2);
        _pods = await _lab.PodsAsync("node1", "node1", "node2", "node2");
        _servers = await Task.WhenAll(_pods.Select(p => p.ServeAsync()));
    }

    [OneTimeTearDown]
    public async Task EndLab()
    {
        foreach (var server in _servers)
        {
            await server.DisposeAsync();
        }

        if (_lab is not null)
        {
            await _lab.DisposeAsync();
        }
    }

    [Test]
    public async Task The_last_key_of_24_bits_and_the_first_keep_equal_addresses_apart_in_the_tunnel()
    {
        await _lab.KubectlAsync("create", "configmap", "weft-network-keys", "-n", "weft-system", "--from-literal=next=16777215");
        var pods = new List<TenantPod>();
        foreach (var tenant in (string[])["last", "first"])
        {
            await _lab.TenantAsync(tenant, "10.0.0.0/24", "fd00:a::/64");
            pods.AddRange(await Task.WhenAll(_lab.TenantPodAsync(tenant, "a", "node1"), _lab.TenantPodAsync(tenant, "b", "node2")));
        }

        Assert.That((await _lab.KubectlAsync("get", "vpc", "last", "first", "-o", "jsonpath={.items[*].status.networkKey}")).Split(' '), Is.EqualTo(new[] { "16777215", "16" }));
        var servers = await Task.WhenAll(pods.Select(p => p.ServeAsync()));
        foreach (var (from, to) in new[] { (pods[0], pods[1]), (pods[3], pods[2]) })
        {
            foreach (var family in Families)
            {
                await Eventually.True($"{from} reaches {to}", async () =>
                    await from.Probe.TcpAsync(new IPEndPoint(to.Address(family), 80), TimeSpan.FromMilliseconds(500)) is { Outcome: ProbeOutcome.Connected } r && r.Server == to.Id, TimeSpan.FromSeconds(10));
            }
        }

        foreach (var server in servers)
        {
            await server.DisposeAsync();
        }

        foreach (var pod in pods)
        {
            await _lab.DeleteTenantPodAsync(pod.Tenant, pod.Name);
        }
    }

    [Test]
    public async Task Every_pod_reaches_every_other_with_ping_TCP_and_UDP_and_is_seen_with_its_own_address()
    {
        var attempts =
            from source in _pods
            from target in _pods
            where source != target
            from family in Families
            from protocol in (string[])["ping", "tcp", "udp"]
            select ReachAsync(source, target, family, protocol);
        var wrong = (await Task.WhenAll(attempts)).Where(w => w is not null);
        Assert.That(wrong, Is.Empty);
    }

    [Test]
    public async Task Packets_between_nodes_are_encapsulated()
    {
        var (from, to) = (_pods[0], _pods[2]);
        var (filter, mark) = tunnel switch
        {
            "geneve" => ("udp port 6081", "Geneve"),
            "vxlan" => ("udp port 4789", "VXLAN"),
            _ => ("ip proto 47", "GREv0"),
        };
        await using var tunnelled = await Capture.StartAsync(_lab.Cluster.Layout.Underlay, "node1", filter);
        await using var bare = await Capture.StartAsync(_lab.Cluster.Layout.Underlay, "node1", $"host {to.V4} or host {to.V6}");

        var v4 = await from.Probe.PingAsync(to.V4);
        var v6 = await from.Probe.PingAsync(to.V6);

        Assert.That((v4.Outcome, v6.Outcome), Is.EqualTo((ProbeOutcome.Connected, ProbeOutcome.Connected)));
        await tunnelled.SeesAsync($"the IPv4 ping inside {tunnel}", $"{from.V4} > {to.V4}", "echo request");
        await tunnelled.SeesAsync($"the IPv6 ping inside {tunnel}", $"{from.V6} > {to.V6}", "echo request");
        Assert.Multiple(() =>
        {
            Assert.That(tunnelled.Text, Does.Contain(mark));
            Assert.That(bare.Text, Does.Not.Contain("echo"), "a pod's packet on the underlay without encapsulation");
        });
    }

    [Test]
    public async Task A_ping_of_9000_bytes_that_must_fragment_is_answered()
    {
        var wrong = new List<string>();
        foreach (var (from, to) in ((TestPod, TestPod)[])[(_pods[0], _pods[1]), (_pods[0], _pods[2])])
        {
            foreach (var family in Families)
            {
                var result = await from.Probe.PingAsync(to.Address(family), payload: 9000);
                if (result.Outcome != ProbeOutcome.Connected)
                {
                    wrong.Add($"{from} -> {to.Address(family)}: {result}");
                }
            }
        }

        Assert.That(wrong, Is.Empty);
    }

    [TestCase(AddressFamily.InterNetwork)]
    [TestCase(AddressFamily.InterNetworkV6)]
    public async Task A_TCP_transfer_across_nodes_uses_full_segments_that_fit_the_underlay(AddressFamily family)
    {
        const int Size = 8 << 20;
        var (from, to) = (_pods[0], _pods[2]);
        var fragments = family == AddressFamily.InterNetwork ? "ip[6:2] & 0x3fff != 0" : "ip6[6] == 44 or ip[6:2] & 0x3fff != 0";
        await using var capture = await Capture.StartAsync(_lab.Cluster.Layout.Underlay, "node1", fragments);
        var (segment, received) = await TransferAsync(from, to, family, Size);
        var mtu = await MtuAsync(from.Netns, "eth0");
        var headers = family == AddressFamily.InterNetwork ? 40 : 60;

        Assert.Multiple(() =>
        {
            Assert.That(received, Is.EqualTo(Size));
            // TCP options (timestamps) take up to 12 more.
            Assert.That(segment, Is.InRange(mtu - headers - 12, mtu - headers), $"the pods' MTU is {mtu}");
            Assert.That(mtu, Is.InRange(1400, 1500 - 24), "the pods' MTU leaves room for the tunnel's headers");
            Assert.That(capture.Text, Does.Not.Contain(" > "), "fragments on the underlay");
        });
    }

    [Test]
    public async Task Nodes_reach_pods_and_pods_reach_nodes_without_NAT()
    {
        var wrong = new List<string>();
        foreach (var node in (string[])["node1", "node2"])
        {
            var netns = _lab.Cluster.Layout.Node(node);
            var own = await AddressesAsync(netns);
            await using var server = await ProbeServer.StartAsync(netns, node, [8080], [8080]);
            foreach (var family in Families)
            {
                var nodeAddress = NodeAddress(node, family);
                foreach (var pod in _pods)
                {
                    var toPod = await new NetnsProbe(netns).TcpAsync(new IPEndPoint(pod.Address(family), 80));
                    if (toPod.SeenClient is null || !own.Contains(toPod.SeenClient.Address.ToString()))
                    {
                        wrong.Add($"{node} -> {pod}: {toPod}, expected one of {string.Join(", ", own)}");
                    }

                    var toNode = await pod.Probe.TcpAsync(new IPEndPoint(nodeAddress, 8080));
                    if (!pod.Address(family).Equals(toNode.SeenClient?.Address))
                    {
                        wrong.Add($"{pod} -> {node} ({nodeAddress}): {toNode}");
                    }

                    var overUdp = await pod.Probe.UdpAsync(new IPEndPoint(nodeAddress, 8080));
                    if (!pod.Address(family).Equals(overUdp.SeenClient?.Address))
                    {
                        wrong.Add($"{pod} -> {node} ({nodeAddress}) UDP: {overUdp}");
                    }
                }
            }
        }

        Assert.That(wrong, Is.Empty);
    }

    [Test]
    public async Task A_pod_reaches_the_world_with_its_nodes_address()
    {
        var wrong = new List<string>();
        await using var server = await ProbeServer.StartAsync(_lab.Cluster.Layout.Outside, "outside", [80], [80]);
        foreach (var pod in (TestPod[])[_pods[0], _pods[2]])
        {
            foreach (var world in (string[])["203.0.113.10", "172.30.0.200", "2001:db8:113::10", "fd00:172:30::200"])
            {
                var to = new IPEndPoint(IPAddress.Parse(world), 80);
                foreach (var result in (ProbeResult[])[await pod.Probe.TcpAsync(to), await pod.Probe.UdpAsync(to)])
                {
                    if (!NodeAddress(pod.Node, to.AddressFamily).Equals(result.SeenClient?.Address))
                    {
                        wrong.Add($"{pod} -> {world}: {result}");
                    }
                }
            }
        }

        Assert.That(wrong, Is.Empty);
    }

    [Test]
    public async Task A_closed_port_is_refused_at_once()
    {
        var result = await _pods[0].Probe.TcpAsync(new IPEndPoint(_pods[2].V4, 81));
        Assert.That(result.Outcome, Is.EqualTo(ProbeOutcome.Refused), result.ToString());
    }

    private static async Task<string?> ReachAsync(TestPod from, TestPod to, AddressFamily family, string protocol)
    {
        var target = new IPEndPoint(to.Address(family), 80);
        var result = protocol switch
        {
            "ping" => await from.Probe.PingAsync(target.Address),
            "tcp" => await from.Probe.TcpAsync(target),
            _ => await from.Probe.UdpAsync(target),
        };
        var right = result.Outcome == ProbeOutcome.Connected
            && (protocol == "ping" || (result.Server == to.Name && from.Address(family).Equals(result.SeenClient?.Address)));
        return right ? null : $"{protocol} {from} -> {to}, {family}: {result}";
    }

    private static async Task<(int Segment, int Received)> TransferAsync(TestPod from, TestPod to, AddressFamily family, int size)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        using var listener = await to.Probe.OpenAsync(family, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(to.Address(family), 5001));
        listener.Listen();
        using var client = await from.Probe.OpenAsync(family, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(new IPEndPoint(to.Address(family), 5001), limit.Token);
        using var server = await listener.AcceptAsync(limit.Token);

        var sending = SendAllAsync(client, size, limit.Token);
        var received = 0;
        var buffer = new byte[65536];
        int length;
        while ((length = await server.ReceiveAsync(buffer, limit.Token)) > 0)
        {
            received += length;
        }

        await sending;
        var option = new byte[4];
        server.GetRawSocketOption((int)ProtocolType.Tcp, TcpMaxSegment, option);
        return (BitConverter.ToInt32(option), received);
    }

    private static async Task SendAllAsync(Socket socket, int size, CancellationToken ct)
    {
        var buffer = new byte[65536];
        for (var sent = 0; sent < size;)
        {
            sent += await socket.SendAsync(buffer.AsMemory(0, Math.Min(buffer.Length, size - sent)), ct);
        }

        socket.Shutdown(SocketShutdown.Send);
    }

    private static async Task<int> MtuAsync(Netns netns, string device) =>
        int.Parse((await netns.RunInsideAsync(() => File.ReadAllText("/proc/sys/net/ipv6/conf/" + device + "/mtu"))).Trim(),
            System.Globalization.CultureInfo.InvariantCulture);

    private static async Task<string[]> AddressesAsync(Netns netns) =>
        [.. (await TestLab.InAsync(netns, "ip", "-o", "addr", "show")).Split('\n')
            .Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(w => w.Length > 3)
            .Select(w => w[3].Split('/')[0])];

    private static IPAddress NodeAddress(string node, AddressFamily family)
    {
        var host = 10 + int.Parse(node["node".Length..], System.Globalization.CultureInfo.InvariantCulture);
        return IPAddress.Parse(family == AddressFamily.InterNetwork ? $"172.30.0.{host}" : $"fd00:172:30::{host}");
    }
}
