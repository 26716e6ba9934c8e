using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Weft.Lab.Net;
using Weft.Lab.Probes;
using Weft.TestSupport;

namespace Weft.Lab.Tests.EndToEnd;

/// <summary>What Services promise beyond reachability: affinity, balance, refusal, moved UDP flows, health checks.</summary>
public sealed partial class ServiceBehaviourTests
{
    private const string Services = "/api/v1/namespaces/default/services";
    private const string Slices = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";

    // The marker and the feature of learned flows (docs/design/pipeline.md).
    private const string AffinityMarker = "0x5745080000000000/0xffffff0000000000";

    private readonly List<ProbeServer> _servers = [];
    private TestLab _lab = null!;
    private TestPod _one = null!;
    private TestPod _two = null!;
    private TestPod _client = null!;

    private NetnsProbe Host => new(_lab.Cluster.Layout.Node("node1"));

    private NetnsProbe Outside => new(_lab.Cluster.Layout.Outside);

    [OneTimeSetUp]
    public async Task StartLab()
    {
        _lab = await TestLab.UpAsync("sb");
        var pods = await _lab.PodsAsync("node1", "node2", "node1");
        (_one, _two, _client) = (pods[0], pods[1], pods[2]);
        _servers.Add(await _one.ServeAsync());
        _servers.Add(await _two.ServeAsync());
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
    public async Task Affinity_holds_when_an_endpoint_is_added_and_ends_with_its_timeout()
    {
        var address = await CreateAsync("sticky", """ "sessionAffinity":"ClientIP","sessionAffinityConfig":{"clientIP":{"timeoutSeconds":2}} """);
        var to = new IPEndPoint(address, 8000);
        await SetEndpointsAsync("sticky", (_one, true));
        await ConnectedAsync(_client.Probe, to);
        var before = await TranslationsAsync();
        await SetEndpointsAsync("sticky", (_one, true), (_two, true));
        await Eventually.True("both endpoints of both ports in the switch", async () => await TranslationsAsync() == before + 2);
        for (var i = 0; i < 30; i++)
        {
            Assert.That((await _client.Probe.TcpAsync(to)).Server, Is.EqualTo(_one.Name), "the client keeps its endpoint");
        }

        await Eventually.True("the learned flow gone", async () =>
            !(await _lab.OvsAsync("node1", "ovs-ofctl", "-O", "OpenFlow13", "dump-flows", "br-int", "table=40")).Contains("idle_timeout=2,", StringComparison.Ordinal), TimeSpan.FromSeconds(15));

        // The next choice is a new one; that every one of 20 falls on the same endpoint happens once in half a million times.
        var seen = new HashSet<string>();
        for (var i = 0; i < 20 && seen.Count < 2; i++)
        {
            seen.Add((await _client.Probe.TcpAsync(to)).Server);
            await _lab.OvsAsync("node1", "ovs-ofctl", "-O", "OpenFlow13", "del-flows", "br-int", $"cookie={AffinityMarker},table=40,ip");
        }

        Assert.That(seen, Is.EquivalentTo(new[] { _one.Name, _two.Name }));
    }

    [Test]
    public async Task A_client_whose_endpoint_went_gets_another_one_in_spite_of_affinity()
    {
        var address = await CreateAsync("fickle", """ "sessionAffinity":"ClientIP" """);
        var to = new IPEndPoint(address, 8000);
        await SetEndpointsAsync("fickle", (_one, true));
        await ConnectedAsync(_client.Probe, to);
        await SetEndpointsAsync("fickle", (_two, true));
        await Eventually.True("the other endpoint answers", async () => (await _client.Probe.TcpAsync(to)).Server == _two.Name);
    }

    [Test]
    public async Task A_UDP_flow_moves_within_a_second_when_its_endpoint_goes_and_when_the_first_one_comes()
    {
        var to = new IPEndPoint(await CreateAsync("udp"), 8000);
        await Eventually.True("refused, there is no endpoint", async () => (await _client.Probe.UdpAsync(to)).Outcome == ProbeOutcome.Refused);
        using var socket = await _client.Probe.OpenAsync(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        await socket.ConnectAsync(to);
        Assert.That(await AskAsync(socket), Is.Empty, "nobody is there");

        await SetEndpointsAsync("udp", (_one, true));
        await Eventually.True("the first endpoint answers the flow that began before it came", async () => await AskAsync(socket) == _one.Name, TimeSpan.FromSeconds(2));
        await SetEndpointsAsync("udp", (_two, true));
        await Eventually.True("the flow moved", async () => await AskAsync(socket) == _two.Name, TimeSpan.FromSeconds(2));
    }

    [Test]
    public async Task Ending_endpoints_are_used_when_there_are_no_others()
    {
        var to = new IPEndPoint(await CreateAsync("ending"), 8000);
        await SetEndpointsAsync("ending", (_one, false), (_two, true));
        for (var i = 0; i < 20; i++)
        {
            var result = await ConnectedAsync(_client.Probe, to);
            Assert.That(result.Server, Is.EqualTo(_two.Name), "an ending endpoint gets no new connection while another is ready");
        }

        await SetEndpointsAsync("ending", (_one, false));
        await Eventually.True("the ending one answers", async () => (await _client.Probe.TcpAsync(to)).Server == _one.Name);
    }

    [Test]
    public async Task A_client_stays_in_its_zone_as_the_hints_say_while_every_endpoint_has_one()
    {
        var to = new IPEndPoint(await CreateAsync("zoned"), 8000);
        await SetEndpointsAsync("zoned", (_one, true), (_two, true));
        await HintAsync("zoned", "east", "west");
        await Eventually.True("both: the node is in no zone", async () => (await SeenAsync(to)).Length == 2);
        try
        {
            await SetZonesAsync("east", "west");
            await Eventually.True("only the endpoint of the client's zone", async () => await SeenAsync(to) is [var name] && name == _one.Name);
            await HintAsync("zoned", "west", "east");
            await Eventually.True("only the other one", async () => await SeenAsync(to) is [var name] && name == _two.Name);
            await HintAsync("zoned", "west", null);
            await Eventually.True("both: one endpoint has no hint", async () => (await SeenAsync(to)).Length == 2);
        }
        finally
        {
            await SetZonesAsync(null, null);
        }

        async Task SetZonesAsync(string? first, string? second)
        {
            foreach (var (node, zone) in new[] { ("node1", first), ("node2", second) })
            {
                await _lab.Api.PatchAsync($"/api/v1/nodes/{node}", new JsonObject { ["metadata"] = new JsonObject { ["labels"] = new JsonObject { ["topology.kubernetes.io/zone"] = zone } } }, CancellationToken.None);
            }
        }

        async Task HintAsync(string slice, params string?[] zones)
        {
            var endpoints = (await _lab.Api.GetAsync($"{Slices}/{slice}", CancellationToken.None))["endpoints"]!.DeepClone().AsArray();
            for (var i = 0; i < zones.Length; i++)
            {
                endpoints[i]!.AsObject().Remove("hints");
                if (zones[i] is { } zone)
                {
                    endpoints[i]!["hints"] = new JsonObject { ["forZones"] = new JsonArray(new JsonObject { ["name"] = zone }) };
                }
            }

            await _lab.Api.PatchAsync($"{Slices}/{slice}", new JsonObject { ["endpoints"] = endpoints }, CancellationToken.None);
        }

        // That 20 choices between two fall on one happens once in half a million times.
        async Task<string[]> SeenAsync(IPEndPoint service)
        {
            var seen = new HashSet<string>();
            for (var i = 0; i < 20; i++)
            {
                seen.Add((await ConnectedAsync(_client.Probe, service)).Server);
            }

            return [.. seen];
        }
    }

    [Test]
    public async Task A_Service_without_endpoints_refuses_everybody_at_once([Values(false, true)] bool udp)
    {
        var name = udp ? "none-udp" : "none-tcp";
        var nodePort = udp ? 30801 : 30800;
        var clusterIp = await CreateAsync(name, $""" "type":"NodePort","externalIPs":["198.51.100.{(udp ? 220 : 200)}"] """, nodePort);
        var external = IPAddress.Parse($"198.51.100.{(udp ? 220 : 200)}");
        await _lab.Cluster.Layout.Outside.IpAsync(CancellationToken.None, $"route add {external} via 172.30.0.11");
        // The route comes before the rules that refuse.
        await Eventually.True("the host knows that the address is to be refused", async () =>
            (await TestLab.InAsync(_lab.Cluster.Layout.Node("node1"), "nft", "list", "set", "inet", "weft", "refused4")).Contains(external.ToString(), StringComparison.Ordinal));
        (string What, NetnsProbe Probe, IPEndPoint To)[] ways =
        [
            ("pod to ClusterIP", _client.Probe, new IPEndPoint(clusterIp, 8000)),
            ("pod to external address", _client.Probe, new IPEndPoint(external, 8000)),
            ("pod to node port", _client.Probe, new IPEndPoint(IPAddress.Parse("172.30.0.11"), nodePort)),
            ("host to ClusterIP", Host, new IPEndPoint(clusterIp, 8000)),
            ("host to external address", Host, new IPEndPoint(external, 8000)),
            ("host to node port", Host, new IPEndPoint(IPAddress.Parse("172.30.0.11"), nodePort)),
            ("outside to external address", Outside, new IPEndPoint(external, 8000)),
            ("outside to node port", Outside, new IPEndPoint(IPAddress.Parse("172.30.0.11"), nodePort)),
        ];
        var results = await Task.WhenAll(ways.Select(async w => (w.What, Result: udp ? await w.Probe.UdpAsync(w.To, TimeSpan.FromSeconds(6)) : await w.Probe.TcpAsync(w.To))));
        // A kernel sends one ICMP error a second to one host (icmp_ratelimit), and three ways are asked from each.
        var soon = TimeSpan.FromSeconds(udp ? 5 : 1);
        Assert.That(
            results.Where(r => r.Result.Outcome != ProbeOutcome.Refused || r.Result.Elapsed > soon).Select(r => $"{r.What}: {r.Result}"),
            Is.Empty);
    }

    [Test]
    public async Task An_endpoint_outside_of_the_cluster_is_reached_from_everywhere()
    {
        _servers.Add(await ProbeServer.StartAsync(_lab.Cluster.Layout.Outside, "abroad", [8088], [8088]));
        var clusterIp = await CreateAsync("abroad", """ "type":"NodePort" """, 30810);
        await PutSliceAsync("abroad", 8088, [("172.30.0.200", null, true)]);
        await ConnectedAsync(_client.Probe, new IPEndPoint(clusterIp, 8000));
        foreach (var (what, probe, to) in new[]
        {
            ("pod", _client.Probe, new IPEndPoint(clusterIp, 8000)),
            ("host", Host, new IPEndPoint(clusterIp, 8000)),
            ("other node by node port", new NetnsProbe(_lab.Cluster.Layout.Node("node2")), new IPEndPoint(IPAddress.Parse("172.30.0.11"), 30810)),
            ("outside by node port", Outside, new IPEndPoint(IPAddress.Parse("172.30.0.11"), 30810)),
        })
        {
            var result = await probe.TcpAsync(to);
            Assert.That((result.Outcome, result.Server, result.SeenClient?.Address), Is.EqualTo((ProbeOutcome.Connected, "abroad", IPAddress.Parse("172.30.0.11"))), $"{what}: {result}");
        }
    }

    [Test]
    public async Task The_health_check_port_says_where_endpoints_are()
    {
        await CreateAsync("checked", """ "type":"LoadBalancer","externalTrafficPolicy":"Local","healthCheckNodePort":30820 """, 30821);
        await SetEndpointsAsync("checked", (_one, true));
        await Eventually.True("node1 healthy, node2 not", async () =>
            await HealthAsync("172.30.0.11") is (200, 1) && await HealthAsync("172.30.0.12") is (503, 0));
        await SetEndpointsAsync("checked", (_two, true));
        await Eventually.True("node2 healthy, node1 not", async () =>
            await HealthAsync("172.30.0.11") is (503, 0) && await HealthAsync("172.30.0.12") is (200, 1));
        await _lab.Api.DeleteAsync($"{Services}/checked", CancellationToken.None);
        await Eventually.True("nobody listens any more", async () =>
            (await Outside.TcpAsync(new IPEndPoint(IPAddress.Parse("172.30.0.11"), 30820))).Outcome == ProbeOutcome.Refused);
    }

    [Test]
    public async Task A_load_balancer_gets_an_address_of_the_pool_that_another_node_takes_over_when_its_node_fails()
    {
        await CreateAsync("pooled", """ "type":"LoadBalancer","ipFamilyPolicy":"RequireDualStack" """, 30830);
        await SetEndpointsAsync("pooled", (_one, true), (_two, true));
        await PutSliceAsync("pooled", 80, [(_two.V6.ToString(), "node2", true)], suffix: "-6", v6: true);
        IPAddress[] given = [];
        await Eventually.True("two addresses in the status", async () => (given = await IngressAsync("pooled")).Length == 2);
        Assert.That(given.Select(a => a.ToString()), Has.Some.StartsWith("172.30.0.2").And.Some.StartsWith("fd00:172:30::e"));
        foreach (var address in given)
        {
            await ConnectedAsync(Outside, new IPEndPoint(address, 8000));
        }

        var before = await Eventually.Some("one node answers for both", () => AnnouncerAsync(given));
        var other = before == "node1" ? "node2" : "node1";
        await SetReadyAsync(before, false);
        try
        {
            await Eventually.True("the other node answers for both", async () => await AnnouncerAsync(given) == other);
            foreach (var address in given)
            {
                // What the outside knew of the address was corrected by the announcement, not forgotten by time: that takes 30 s at least.
                var mac = await MacAsync(other);
                await Eventually.True($"the outside knows that {address} is at {mac} now", async () => await NeighbourAsync(address) == mac, TimeSpan.FromSeconds(10));
                await ConnectedAsync(Outside, new IPEndPoint(address, 8000));
            }

            Assert.That(await IngressAsync("pooled"), Is.EquivalentTo(given), "the addresses stay");
        }
        finally
        {
            await SetReadyAsync(before, true);
        }

        await Eventually.True("back again", async () => await AnnouncerAsync(given) == before);
        await _lab.Api.DeleteAsync($"{Services}/pooled", CancellationToken.None);
        await Eventually.True("nobody answers any more", async () => await AnnouncerAsync(given) is null);
    }

    [Test]
    public async Task Connections_are_shared_evenly([Values(3, 10, 100)] int endpoints)
    {
        // Endpoints are ports of one pod: who was chosen is what the switch counted. The client's ports follow each other, as a system takes them.
        const int connections = 10_000;
        var name = $"even-{endpoints}";
        var to = new IPEndPoint(await CreateAsync(name, """ "type":"NodePort" """, 30900 + endpoints), 8000);
        for (var i = 0; i < endpoints; i++)
        {
            await PutSliceAsync(name, 10_000 + i, [(_two.V4.ToString(), "node2", true)], suffix: $"-{i}");
        }

        await Eventually.True("all endpoints in the group", async () => (await ChosenAsync(10_000)).Count == endpoints, TimeSpan.FromSeconds(20));
        var before = await ChosenAsync(10_000);
        using var cancel = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await Parallel.ForEachAsync(Enumerable.Range(0, 20), cancel.Token, async (part, ct) =>
        {
            for (var i = 0; i < connections / 20; i++)
            {
                using var socket = await _client.Probe.OpenAsync(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
                socket.Bind(new IPEndPoint(IPAddress.Any, 20_000 + (part * connections / 20) + i));
                var error = await ConnectAsync(socket, to, ct);
                Assert.That(error, Is.EqualTo(SocketError.ConnectionRefused), "the pod answers, and listens on none of these ports");
            }
        });
        Dictionary<int, long> counted = [];
        await Eventually.True("every connection counted", async () =>
        {
            counted = (await ChosenAsync(10_000)).ToDictionary(c => c.Key, c => c.Value - before[c.Key]);
            return counted.Values.Sum() >= connections * 0.99;
        }, TimeSpan.FromSeconds(20));
        var share = counted.Values.Sum() / (double)endpoints;
        var (least, most) = (counted.Values.Min() / share, counted.Values.Max() / share);
        await TestContext.Progress.WriteLineAsync($"{endpoints} endpoints, {counted.Values.Sum()} connections: least {least:0.00}, most {most:0.00} of the share");
        Assert.That(least, Is.GreaterThan(0.75));
        Assert.That(most, Is.LessThan(1.25));
    }

    [GeneratedRegex(@"nat\(dst=[0-9.]+:(\d+)\)")]
    private static partial Regex Translation { get; }

    [GeneratedRegex(@"n_packets=(\d+),.*nat\(dst=[0-9.]+:(\d+)\)")]
    private static partial Regex SlotCount { get; }

    [GeneratedRegex(@"bucket(\d+):packet_count=(\d+)")]
    private static partial Regex BucketCount { get; }

    private async Task<int> TranslationsAsync() =>
        Translation.Count(await _lab.OvsAsync("node1", "ovs-ofctl", "-O", "OpenFlow13", "dump-flows", "br-int", "table=42"));

    /// <summary>New connections by endpoint port, from the groups whose endpoints have ports of a range, and the slots of these ports.</summary>
    private async Task<Dictionary<int, long>> ChosenAsync(int firstPort)
    {
        var groups = (await _lab.OvsAsync("node1", "ovs-ofctl", "-O", "OpenFlow13", "dump-groups", "br-int")).Split('\n');
        var stats = (await _lab.OvsAsync("node1", "ovs-ofctl", "-O", "OpenFlow13", "dump-group-stats", "br-int")).Split('\n');
        var counts = new Dictionary<int, long>();
        foreach (var group in groups.Where(g => g.Contains($":{firstPort})", StringComparison.Ordinal)))
        {
            var id = group.Trim().Split(',')[0] + ",";
            var ports = Translation.Matches(group).Select(m => int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture)).ToList();
            foreach (Match bucket in BucketCount.Matches(stats.Single(s => s.Contains(id, StringComparison.Ordinal))))
            {
                var port = ports[int.Parse(bucket.Groups[1].Value, CultureInfo.InvariantCulture)];
                counts[port] = counts.GetValueOrDefault(port) + long.Parse(bucket.Groups[2].Value, CultureInfo.InvariantCulture);
            }
        }

        foreach (Match slot in SlotCount.Matches(await _lab.OvsAsync("node1", "ovs-ofctl", "-O", "OpenFlow13", "dump-flows", "br-int", "table=42")))
        {
            if (int.Parse(slot.Groups[2].Value, CultureInfo.InvariantCulture) is var port && counts.ContainsKey(port))
            {
                counts[port] += long.Parse(slot.Groups[1].Value, CultureInfo.InvariantCulture);
            }
        }

        return counts;
    }

    private async Task<(int Status, int Endpoints)> HealthAsync(string node)
    {
        using var socket = await Outside.OpenAsync(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        await socket.ConnectAsync(IPEndPoint.Parse($"{node}:30820"), limit.Token);
        await socket.SendAsync("GET / HTTP/1.1\r\nHost: node\r\n\r\n"u8.ToArray(), limit.Token);
        await using var stream = new NetworkStream(socket);
        using var reader = new StreamReader(stream);
        var text = await reader.ReadToEndAsync(limit.Token);
        var body = JsonNode.Parse(text[text.IndexOf("\r\n\r\n", StringComparison.Ordinal)..])!;
        Assert.That((string)body["service"]!["name"]!, Is.EqualTo("checked"));
        return (int.Parse(text.AsSpan(9, 3), CultureInfo.InvariantCulture), (int)body["localEndpoints"]!);
    }

    private static async Task<SocketError> ConnectAsync(Socket socket, IPEndPoint to, CancellationToken ct)
    {
        try
        {
            await socket.ConnectAsync(to, ct);
            return SocketError.Success;
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode;
        }
    }

    private static async Task<string> AskAsync(Socket socket)
    {
        var buffer = new byte[200];
        using var limit = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        try
        {
            await socket.SendAsync("?"u8.ToArray(), limit.Token);
            var length = await socket.ReceiveAsync(buffer, limit.Token);
            return System.Text.Encoding.UTF8.GetString(buffer, 0, length).Split(' ')[0];
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            return "";
        }
    }

    private async Task<IPAddress[]> IngressAsync(string service) =>
        [.. ((await _lab.Api.GetAsync($"{Services}/{service}", CancellationToken.None))["status"]?["loadBalancer"]?["ingress"]?.AsArray() ?? [])
            .Select(i => IPAddress.Parse((string)i!["ip"]!))];

    /// <summary>The node that answers for all of the addresses; null when none does, or several do.</summary>
    private async Task<string?> AnnouncerAsync(IPAddress[] addresses)
    {
        var answering = new List<string>();
        foreach (var node in new[] { "node1", "node2" })
        {
            var entries = await TestLab.InAsync(_lab.Cluster.Layout.Node(node), "ip", "neigh", "show", "proxy")
                + await TestLab.InAsync(_lab.Cluster.Layout.Node(node), "ip", "-6", "neigh", "show", "proxy");
            if (addresses.All(a => entries.Contains($"{a} dev", StringComparison.Ordinal)))
            {
                answering.Add(node);
            }
        }

        return answering is [var one] ? one : null;
    }

    private async Task<string> MacAsync(string node)
    {
        var words = (await TestLab.InAsync(_lab.Cluster.Layout.Node(node), "ip", "-o", "link", "show", "br-phy")).Split(' ').ToList();
        return words[words.IndexOf("link/ether") + 1];
    }

    private async Task<string> NeighbourAsync(IPAddress address)
    {
        var words = (await TestLab.InAsync(_lab.Cluster.Layout.Outside, "ip", "neigh", "show", address.ToString())).Split(' ').ToList();
        return words[words.IndexOf("lladdr") + 1];
    }

    /// <summary>Says of a node what Kubernetes does when its kubelet is gone, and takes it back. The lab's kubelet says it only at its start.</summary>
    private async Task SetReadyAsync(string node, bool ready)
    {
        var conditions = (await _lab.Api.GetAsync($"/api/v1/nodes/{node}", CancellationToken.None))["status"]!["conditions"]!.DeepClone().AsArray();
        conditions.First(c => (string)c!["type"]! == "Ready")!["status"] = ready ? "True" : "Unknown";
        await _lab.Api.PatchAsync($"/api/v1/nodes/{node}/status", new JsonObject { ["status"] = new JsonObject { ["conditions"] = conditions } }, CancellationToken.None);
    }

    private static async Task<ProbeResult> ConnectedAsync(NetnsProbe probe, IPEndPoint to)
    {
        ProbeResult? result = null;
        await Eventually.True($"an answer from {to}", async () => (result = await probe.TcpAsync(to, TimeSpan.FromMilliseconds(500))).Outcome == ProbeOutcome.Connected);
        return result!;
    }

    private async Task<IPAddress> CreateAsync(string name, string spec = "", int nodePort = 0)
    {
        var node = nodePort > 0 ? $",\"nodePort\":{nodePort}" : "";
        var service = await _lab.Api.CreateAsync(Services, JsonNode.Parse($$$"""
            {"apiVersion":"v1","kind":"Service","metadata":{"name":"{{{name}}}"},
             "spec":{ {{{(spec.Length > 0 ? spec + "," : "")}}} "ports":[{"name":"t","port":8000{{{node}}}},{"name":"u","port":8000,"protocol":"UDP"{{{node}}}}]} }
            """)!.AsObject(), CancellationToken.None);
        return IPAddress.Parse((string)service["spec"]!["clusterIP"]!);
    }

    private Task SetEndpointsAsync(string service, params (TestPod Pod, bool Ready)[] endpoints) =>
        PutSliceAsync(service, 80, [.. endpoints.Select(e => (e.Pod.V4.ToString(), (string?)e.Pod.Node, e.Ready))]);

    private async Task PutSliceAsync(string service, int port, (string Address, string? Node, bool Ready)[] endpoints, string suffix = "", bool v6 = false)
    {
        var slice = new JsonObject
        {
            ["apiVersion"] = "discovery.k8s.io/v1",
            ["kind"] = "EndpointSlice",
            ["metadata"] = new JsonObject { ["name"] = service + suffix, ["labels"] = new JsonObject { ["kubernetes.io/service-name"] = service } },
            ["addressType"] = v6 ? "IPv6" : "IPv4",
            ["ports"] = new JsonArray([.. new[] { ("t", "TCP"), ("u", "UDP") }.Select(p => new JsonObject { ["name"] = p.Item1, ["protocol"] = p.Item2, ["port"] = port })]),
            ["endpoints"] = new JsonArray([.. endpoints.Select(e =>
            {
                var endpoint = new JsonObject
                {
                    ["addresses"] = new JsonArray(e.Address),
                    ["conditions"] = new JsonObject { ["ready"] = e.Ready, ["serving"] = true, ["terminating"] = !e.Ready },
                };
                if (e.Node is not null)
                {
                    endpoint["nodeName"] = e.Node;
                }

                return endpoint;
            })]),
        };
        if (await _lab.Api.FindAsync($"{Slices}/{service}{suffix}", CancellationToken.None) is null)
        {
            await _lab.Api.CreateAsync(Slices, slice, CancellationToken.None);
        }
        else
        {
            await _lab.Api.PatchAsync($"{Slices}/{service}{suffix}", new JsonObject { ["endpoints"] = slice["endpoints"]!.DeepClone() }, CancellationToken.None);
        }
    }
}
