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
