using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Weft.Lab.Net;
using Weft.Lab.Probes;
using Weft.TestSupport;

namespace Weft.Lab.Tests.EndToEnd;

/// <summary>Every way to a Service from every place: who answers, and whom the server sees.</summary>
/// <remarks>Two nodes; the endpoint, a pod or the node itself, is on node1. Services have no selector, their slices are written here.</remarks>
public sealed class ServiceMatrixTests
{
    private const int Port = 8000;
    private const int PodPort = 80;
    private const int HostPort = 8081;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Silence = TimeSpan.FromMilliseconds(700);

    private TestLab _lab = null!;
    private TestPod _pod1 = null!;
    private TestPod _pod2 = null!;
    private readonly List<ProbeServer> _servers = [];
    private readonly Dictionary<string, IPAddress[]> _clusterIps = [];

    private enum Client
    {
        Pod1,
        Pod2,
        Host1,
        Host2,
        Outside,
    }

    private enum Way
    {
        ClusterIp,
        NodePort1,
        NodePort2,
        LoadBalancer1,
        LoadBalancer2,
        ExternalIp1,
        ExternalIp2,
    }

    private sealed record Cell(Client Client, Way Way, bool HostEndpoint, bool Local, bool Udp, bool V6);

    private static IEnumerable<Cell> Cells =>
        from hostEndpoint in new[] { false, true }
        from local in new[] { false, true }
        from udp in new[] { false, true }
        from v6 in new[] { false, true }
        from way in Enum.GetValues<Way>()
        from client in Enum.GetValues<Client>()
        select new Cell(client, way, hostEndpoint, local, udp, v6);

    [OneTimeSetUp]
    public async Task StartLab()
    {
        _lab = await TestLab.UpAsync("mx");
        var pods = await _lab.PodsAsync("node1", "node1", "node2");
        var server = pods[0];
        (_pod1, _pod2) = (pods[1], pods[2]);
        _servers.Add(await server.ServeAsync());
        _servers.Add(await ProbeServer.StartAsync(_lab.Cluster.Layout.Node("node1"), "node1", [HostPort], [HostPort]));
        foreach (var (hostEndpoint, local) in from h in new[] { false, true } from l in new[] { false, true } select (h, l))
        {
            await CreateAsync(hostEndpoint, local, server);
        }

        await Eventually.True("the Services are in the switches", async () =>
            (await Task.WhenAll(Cells.Where(c => c is { Client: Client.Pod2, Way: Way.ExternalIp2, Udp: false }).Select(ProbeAsync))).All(r => r.Outcome == ProbeOutcome.Connected),
            TimeSpan.FromSeconds(20));
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
    public async Task Every_way_from_every_place_has_the_expected_answer_and_client_address()
    {
        var wrong = new System.Collections.Concurrent.ConcurrentBag<string>();
        await Parallel.ForEachAsync(Cells, new ParallelOptions { MaxDegreeOfParallelism = 24 }, async (cell, _) =>
        {
            var (outcome, seen) = Expected(cell);
            var result = await ProbeAsync(cell);
            if (result.Outcome != outcome || !Equals(result.SeenClient?.Address, seen))
            {
                wrong.Add($"{cell}: {result}; expected {outcome}, seen as {seen}");
            }
        });
        Assert.That(string.Join('\n', wrong.Order()), Is.Empty, $"{wrong.Count} of {Cells.Count()} cells");
    }

    private Task<ProbeResult> ProbeAsync(Cell cell)
    {
        var probe = new NetnsProbe(cell.Client switch
        {
            Client.Pod1 => _pod1.Netns,
            Client.Pod2 => _pod2.Netns,
            Client.Host1 => _lab.Cluster.Layout.Node("node1"),
            Client.Host2 => _lab.Cluster.Layout.Node("node2"),
            _ => _lab.Cluster.Layout.Outside,
        });
        var to = TargetOf(cell);
        var patience = Expected(cell).Outcome == ProbeOutcome.Connected ? Patience : Silence;
        return cell.Udp ? probe.UdpAsync(to, patience) : probe.TcpAsync(to, patience);
    }

    private IPEndPoint TargetOf(Cell cell) => cell.Way switch
    {
        Way.ClusterIp => new(_clusterIps[NameOf(cell.HostEndpoint, cell.Local)][cell.V6 ? 1 : 0], Port),
        Way.NodePort1 => new(NodeAddress(1, cell.V6), NodePort(cell.HostEndpoint, cell.Local, cell.Udp)),
        Way.NodePort2 => new(NodeAddress(2, cell.V6), NodePort(cell.HostEndpoint, cell.Local, cell.Udp)),
        var way => new(Virtual(cell.HostEndpoint, cell.Local, way, cell.V6), Port),
    };

    /// <summary>What must happen, by the rules of docs/design/services.md.</summary>
    private (ProbeOutcome Outcome, IPAddress? Seen) Expected(Cell cell)
    {
        var isRemoteEntry = cell.Way is Way.NodePort2 or Way.LoadBalancer2 or Way.ExternalIp2;
        var nothing = (ProbeOutcome.TimedOut, (IPAddress?)null);
        switch (cell.Client)
        {
            case Client.Outside when cell.Way == Way.ClusterIp:
                return (ProbeOutcome.Unreachable, null);
            case Client.Outside when isRemoteEntry:
                return cell.Local ? nothing : (ProbeOutcome.Connected, Gateway(2, cell.V6));
            case Client.Outside:
                return (ProbeOutcome.Connected, OutsideAddress(cell.V6));
            case Client.Pod1:
                return (ProbeOutcome.Connected, AddressOf(_pod1, cell.V6));
            case Client.Pod2:
                return cell is { Way: Way.ClusterIp, Local: true } ? nothing : (ProbeOutcome.Connected, AddressOf(_pod2, cell.V6));
            case Client.Host1 when cell.Way == Way.NodePort2:
                return cell.Local ? nothing : (ProbeOutcome.Connected, Gateway(2, cell.V6));
            case Client.Host1 when cell.HostEndpoint:
                return (ProbeOutcome.Connected, IPAddress.Parse(cell.V6 ? "fd57:4546:5400::72" : "169.254.87.72"));
            case Client.Host1:
                return (ProbeOutcome.Connected, cell.Way == Way.NodePort1 ? NodeAddress(1, cell.V6) : Gateway(1, cell.V6));
            case Client.Host2 when cell is { Way: Way.ClusterIp, Local: true }:
                return nothing;
            default:
                return (ProbeOutcome.Connected, cell.Way is Way.NodePort1 or Way.NodePort2 ? NodeAddress(2, cell.V6) : Gateway(2, cell.V6));
        }
    }

    private async Task CreateAsync(bool hostEndpoint, bool local, TestPod server)
    {
        var name = NameOf(hostEndpoint, local);
        var policy = local ? "Local" : "Cluster";
        string Addresses(Way one, Way two) => string.Join(',', from w in new[] { one, two } from v6 in new[] { false, true } select $"\"{Virtual(hostEndpoint, local, w, v6)}\"");
        var ingress = string.Join(',', Addresses(Way.LoadBalancer1, Way.LoadBalancer2).Split(',').Select(a => $"{{\"ip\":{a}}}"));
        var service = await _lab.Api.CreateAsync("/api/v1/namespaces/default/services", JsonNode.Parse($$$"""
            {"apiVersion":"v1","kind":"Service","metadata":{"name":"{{{name}}}"},"spec":{"type":"LoadBalancer","ipFamilyPolicy":"RequireDualStack",
             "internalTrafficPolicy":"{{{policy}}}","externalTrafficPolicy":"{{{policy}}}","externalIPs":[{{{Addresses(Way.ExternalIp1, Way.ExternalIp2)}}}],
             "ports":[{"name":"t","port":{{{Port}}},"nodePort":{{{NodePort(hostEndpoint, local, udp: false)}}}},
                      {"name":"u","port":{{{Port}}},"protocol":"UDP","nodePort":{{{NodePort(hostEndpoint, local, udp: true)}}}}]}}
            """)!.AsObject(), CancellationToken.None);
        _clusterIps[name] = [.. service["spec"]!["clusterIPs"]!.AsArray().Select(a => IPAddress.Parse((string)a!)).OrderBy(a => a.AddressFamily == AddressFamily.InterNetworkV6)];
        await _lab.Api.PatchAsync($"/api/v1/namespaces/default/services/{name}/status", JsonNode.Parse($$$"""
            {"status":{"loadBalancer":{"ingress":[{{{ingress}}}]} } }
            """)!.AsObject(), CancellationToken.None);
        foreach (var v6 in new[] { false, true })
        {
            var address = hostEndpoint ? NodeAddress(1, v6) : AddressOf(server, v6);
            var port = hostEndpoint ? HostPort : PodPort;
            await _lab.Api.CreateAsync("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", JsonNode.Parse($$$"""
                {"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","metadata":{"name":"{{{name}}}-{{{(v6 ? 6 : 4)}}}","labels":{"kubernetes.io/service-name":"{{{name}}}"}},
                 "addressType":"{{{(v6 ? "IPv6" : "IPv4")}}}","endpoints":[{"addresses":["{{{address}}}"],"nodeName":"node1","conditions":{"ready":true}}],
                 "ports":[{"name":"t","port":{{{port}}},"protocol":"TCP"},{"name":"u","port":{{{port}}},"protocol":"UDP"}]}
                """)!.AsObject(), CancellationToken.None);
        }

        await _lab.Cluster.Layout.Outside.IpAsync(CancellationToken.None,
        [
            .. from way in new[] { Way.LoadBalancer1, Way.LoadBalancer2, Way.ExternalIp1, Way.ExternalIp2 }
               from v6 in new[] { false, true }
               select $"route add {Virtual(hostEndpoint, local, way, v6)} via {NodeAddress(way is Way.LoadBalancer1 or Way.ExternalIp1 ? 1 : 2, v6)}",
        ]);
    }

    private static string NameOf(bool hostEndpoint, bool local) => $"{(hostEndpoint ? "host" : "pod")}-{(local ? "local" : "cluster")}";

    private static int Number(bool hostEndpoint, bool local) => (hostEndpoint ? 2 : 0) + (local ? 1 : 0);

    private static int NodePort(bool hostEndpoint, bool local, bool udp) => 30000 + (Number(hostEndpoint, local) * 2) + (udp ? 1 : 0);

    private static IPAddress Virtual(bool hostEndpoint, bool local, Way way, bool v6)
    {
        var host = (Number(hostEndpoint, local) * 10) + (int)way;
        return IPAddress.Parse(v6 ? $"2001:db8:77::{host:x}" : $"198.51.100.{host}");
    }

    private static IPAddress NodeAddress(int node, bool v6) => IPAddress.Parse(v6 ? $"fd00:172:30::{10 + node}" : $"172.30.0.{10 + node}");

    private static IPAddress OutsideAddress(bool v6) => IPAddress.Parse(v6 ? "fd00:172:30::200" : "172.30.0.200");

    private static IPAddress AddressOf(TestPod pod, bool v6) => v6 ? pod.V6 : pod.V4;

    // The first address of the node's range, as the nodes' pods show.
    private IPAddress Gateway(int node, bool v6)
    {
        var bytes = AddressOf(node == 1 ? _pod1 : _pod2, v6).GetAddressBytes();
        bytes[^1] = 1;
        if (v6)
        {
            bytes.AsSpan(8, 7).Clear();
        }

        return new IPAddress(bytes);
    }
}
