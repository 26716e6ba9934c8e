using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Weft.Lab.Net;
using Weft.Lab.Probes;
using Weft.TestSupport;

namespace Weft.Lab.Tests.EndToEnd;

/// <summary>One tenant with a public and a private Subnet, a router in a pod, and Services for the world outside, over two nodes.</summary>
public sealed class TenantRoutingTests
{
    private const string Group = "/apis/weft.dev/v1alpha1/";
    private static readonly AddressFamily[] Families = [AddressFamily.InterNetwork, AddressFamily.InterNetworkV6];
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(400);
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(10);

    private TestLab _lab = null!;
    private TenantPod _router = null!;
    private TenantPod[] _open = [];
    private TenantPod[] _private = [];
    private readonly List<ProbeServer> _servers = [];

    [OneTimeSetUp]
    public async Task StartLab()
    {
        _lab = await TestLab.UpAsync("tr", nodes: 2);
        await _lab.TenantAsync("open", "10.0.0.0/24", "fd00:a::/64");
        await _lab.CreateAsync("/api/v1/namespaces", TenantLab.Json("v1", "Namespace", "private", null));
        await _lab.CreateAsync(Group + "subnets", """
            {"apiVersion":"weft.dev/v1alpha1","kind":"Subnet","metadata":{"name":"private"},"spec":{"vpc":"open","cidrs":["10.0.1.0/24","fd00:b::/64"],"namespaces":["private"],
             "private":true,"allowSubnets":["10.0.0.12/32","fd00:a::12/128"]}}
            """);
        await _lab.ConditionAsync("subnets", "private", "True", "Ready");
        _open = await Task.WhenAll(MakeAsync("open", 11, "node1"), MakeAsync("open", 12, "node2"));
        _private = await Task.WhenAll(MakeAsync("private", 11, "node1"), MakeAsync("private", 12, "node2"));
        _router = await MakeAsync("open", 30, "node1");

        // What is behind the router: addresses that only it has.
        foreach (var address in new[] { "192.168.77.1/32", "fd00:77::1/128", "172.30.0.200/32" })
        {
            await TestLab.InAsync(_router.Netns, "ip", "addr", "add", address, "dev", "lo");
        }

        _servers.AddRange(await Task.WhenAll(_open.Concat(_private).Append(_router).Select(p => p.ServeAsync())));
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

    [Test, Order(1)]
    public async Task A_private_Subnet_is_reached_by_itself_and_from_what_it_allows([ValueSource(nameof(Families))] AddressFamily family)
    {
        var (stranger, friend) = (_open[0], _open[1]);
        foreach (var to in _private)
        {
            await ReachesAsync(_private.Single(p => p != to), to, family);
            await ReachesAsync(friend, to, family);
            await ReachesAsync(to, stranger, family);
            foreach (var from in new[] { stranger, _router })
            {
                Assert.That((await from.Probe.TcpAsync(new IPEndPoint(to.Address(family), 80), Short)).Outcome, Is.EqualTo(ProbeOutcome.TimedOut), $"{from} TCP {to}");
                Assert.That((await from.Probe.UdpAsync(new IPEndPoint(to.Address(family), 80), Short)).Outcome, Is.EqualTo(ProbeOutcome.TimedOut), $"{from} UDP {to}");
                Assert.That((await from.Probe.PingAsync(to.Address(family), timeout: Short)).Outcome, Is.EqualTo(ProbeOutcome.TimedOut), $"{from} pings {to}");
            }

            Assert.That(await _lab.AsKubeletAsync(to.Node, new IPEndPoint(to.Alias(family), 80)), Is.All.EqualTo(ProbeOutcome.Connected), $"its kubelet reaches {to}");
        }
    }

    [Test, Order(2)]
    public async Task A_private_Subnet_is_private_behind_a_Service_and_opening_and_closing_it_works_on_live_connections()
    {
        var (stranger, to) = (_open[0], _private[1]);
        await _lab.KubectlAsync("patch", "subnet", "private", "--type=merge", "-p", """{"spec":{"private":false,"allowSubnets":null}}""");
        await Eventually.True("the Subnet is open", async () => (await stranger.Probe.TcpAsync(new IPEndPoint(to.V4, 80), Short)).Outcome == ProbeOutcome.Connected, Soon);
        var service = await ServiceAsync("private", """{"type":"ClusterIP","selector":{"app":"private"},"ports":[{"port":8000,"targetPort":80}]}""");
        var clusterIp = new IPEndPoint(IPAddress.Parse((string)service["spec"]!["clusterIP"]!), 8000);
        await Eventually.True("its Service is open", async () => (await stranger.Probe.TcpAsync(clusterIp, Short)).Outcome == ProbeOutcome.Connected, Soon);
        using var live = await stranger.Probe.OpenAsync(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await live.ConnectAsync(new IPEndPoint(to.V4, 80));

        await _lab.KubectlAsync("patch", "subnet", "private", "--type=merge", "-p", """{"spec":{"private":true,"allowSubnets":["10.0.0.12/32","fd00:a::12/128"]}}""");
        await Eventually.True("the Subnet is closed", async () => (await stranger.Probe.TcpAsync(new IPEndPoint(to.V4, 80), Short)).Outcome == ProbeOutcome.TimedOut, Soon);
        Assert.That((await stranger.Probe.TcpAsync(clusterIp, Short)).Outcome, Is.EqualTo(ProbeOutcome.TimedOut), "its Service, too");
        await ReachesAsync(_open[1], to, AddressFamily.InterNetwork);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await live.SendAsync("?\n"u8.ToArray(), limit.Token);
        Assert.ThrowsAsync<OperationCanceledException>(async () => await live.ReceiveAsync(new byte[16], limit.Token), "the live connection ended, too");
    }

    [Test, Order(3)]
    public async Task A_static_route_leads_to_a_pod_and_what_is_behind_it_answers_and_begins()
    {
        var behind = new[] { IPAddress.Parse("192.168.77.1"), IPAddress.Parse("fd00:77::1") };
        foreach (var address in behind)
        {
            Assert.That((await _open[1].Probe.TcpAsync(new IPEndPoint(address, 80), Short)).Outcome, Is.Not.EqualTo(ProbeOutcome.Connected), "without a route");
        }

        await RoutesAsync("""[{"cidr":"192.168.0.0/16","nextHopIP":"10.0.0.30"},{"cidr":"fd00:77::/64","nextHopIP":"fd00:a::30"}]""");
        foreach (var from in _open)
        {
            foreach (var address in behind)
            {
                var to = new IPEndPoint(address, 80);
                await Eventually.True($"{from} reaches {address}", async () => await from.Probe.TcpAsync(to, Short) is { Outcome: ProbeOutcome.Connected } r && r.Server == _router.Id, Soon);
                Assert.That((await from.Probe.UdpAsync(to)).Outcome, Is.EqualTo(ProbeOutcome.Connected), $"{from} UDP {address}");
                Assert.That((await from.Probe.PingAsync(address)).Outcome, Is.EqualTo(ProbeOutcome.Connected), $"{from} pings {address}");

                // From behind the router: it may send from the routed range, and from nothing else.
                using var socket = await _router.Probe.OpenAsync(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
                socket.Bind(new IPEndPoint(address, 0));
                using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(2));
                await socket.ConnectAsync(new IPEndPoint(from.Address(address.AddressFamily), 80), limit.Token);
            }
        }

        await TestLab.InAsync(_router.Netns, "ip", "addr", "add", "10.0.0.99/32", "dev", "lo");
        using var spoofed = await _router.Probe.OpenAsync(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        spoofed.Bind(new IPEndPoint(IPAddress.Parse("10.0.0.99"), 0));
        using var patience = new CancellationTokenSource(Short);
        Assert.ThrowsAsync<OperationCanceledException>(async () => await spoofed.ConnectAsync(new IPEndPoint(_open[0].V4, 80), patience.Token), "not from another address of the tenant");
    }

    [Test, Order(4)]
    public async Task A_route_comes_before_the_way_outside_and_drops_while_its_pod_is_gone()
    {
        await using var outside = await ProbeServer.StartAsync(_lab.Cluster.Layout.Outside, "outside", [80], []);
        var to = new IPEndPoint(IPAddress.Parse("172.30.0.200"), 80);
        var from = _open[1];
        await RoutesAsync("[]");
        async Task<string> ServerAsync() => await from.Probe.TcpAsync(to, Short) is { Outcome: ProbeOutcome.Connected } r ? r.Server : "";
        await Eventually.True("without a route it is the world outside", async () => await ServerAsync() == "outside", Soon);
        await RoutesAsync("""[{"cidr":"0.0.0.0/0","nextHopIP":"10.0.0.31"},{"cidr":"172.30.0.200/32","nextHopIP":"10.0.0.30"}]""");
        await Eventually.True("the longer route leads to the router", async () => await ServerAsync() == _router.Id, Soon);
        await RoutesAsync("""[{"cidr":"0.0.0.0/0","nextHopIP":"10.0.0.31"}]""");
        await Eventually.True("a route to nobody drops", async () => await ServerAsync().ConfigureAwait(false) == "", Soon);
        await _lab.ConditionAsync("vpcs", "open", "True", "Ready");
        await RoutesAsync("[]");
        await Eventually.True("the way outside is open again", async () => await ServerAsync() == "outside", Soon);
    }

    [Test, Order(5)]
    public async Task A_Service_without_endpoints_is_refused_at_once_inside_and_from_outside()
    {
        await RoutesAsync("[]");
        var service = await ServiceAsync("open", """{"type":"NodePort","ipFamilyPolicy":"RequireDualStack","selector":{"app":"nobody"},"ports":[{"name":"t","port":8000},{"name":"u","port":8000,"protocol":"UDP"}]}""");
        var nodePort = (int)service["spec"]!["ports"]![0]!["nodePort"]!;
        foreach (var address in service["spec"]!["clusterIPs"]!.AsArray().Select(a => IPAddress.Parse((string)a!)))
        {
            foreach (var from in _open)
            {
                Assert.That((await from.Probe.TcpAsync(new IPEndPoint(address, 8000))).Outcome, Is.EqualTo(ProbeOutcome.Refused), $"{from} TCP {address}");
                Assert.That((await from.Probe.UdpAsync(new IPEndPoint(address, 8000))).Outcome, Is.EqualTo(ProbeOutcome.Refused), $"{from} UDP {address}");
            }
        }

        foreach (var node in new[] { "172.30.0.11", "fd00:172:30::12" })
        {
            var result = await new NetnsProbe(_lab.Cluster.Layout.Outside).TcpAsync(new IPEndPoint(IPAddress.Parse(node), nodePort));
            Assert.That(result.Outcome, Is.EqualTo(ProbeOutcome.Refused), $"outside, {node}");
        }
    }

    [Test, Order(6)]
    public async Task From_outside_policies_judge_the_client_and_its_own_address_is_seen_where_it_arrives([ValueSource(nameof(Families))] AddressFamily family)
    {
        var name = "shown" + (family == AddressFamily.InterNetwork ? 4 : 6);
        var pod = await _lab.TenantPodAsync("open", name, "node1", labels: new JsonObject { ["app"] = name });
        await using var server = await pod.ServeAsync();
        var service = await ServiceAsync("open", $$$"""
            {"type":"NodePort","ipFamilies":["{{{(family == AddressFamily.InterNetwork ? "IPv4" : "IPv6")}}}"],"ipFamilyPolicy":"SingleStack","selector":{"app":"{{{name}}}"},"ports":[{"port":8000,"targetPort":80}]}
            """, name);
        var nodePort = (int)service["spec"]!["ports"]![0]!["nodePort"]!;
        IPEndPoint At(int node) => new(IPAddress.Parse(family == AddressFamily.InterNetwork ? $"172.30.0.1{node}" : $"fd00:172:30::1{node}"), nodePort);
        var outside = new NetnsProbe(_lab.Cluster.Layout.Outside);
        await Eventually.True("open from outside", async () => (await outside.TcpAsync(At(1), Short)).Outcome == ProbeOutcome.Connected && (await outside.TcpAsync(At(2), Short)).Outcome == ProbeOutcome.Connected, Soon);
        Assert.That((await outside.TcpAsync(At(1))).SeenClient!.Address, Is.EqualTo(IPAddress.Parse(family == AddressFamily.InterNetwork ? "172.30.0.200" : "fd00:172:30::200")), "the client, where it arrives");

        var path = "/apis/networking.k8s.io/v1/namespaces/open/networkpolicies";
        async Task PolicyAsync(string from)
        {
            await _lab.KubectlAsync("delete", "networkpolicy", "-n", "open", name, "--ignore-not-found");
            await _lab.CreateAsync(path, $$$"""
                {"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"{{{name}}}"},"spec":{"podSelector":{"matchLabels":{"app":"{{{name}}}"}},"ingress":[{"from":[{{{from}}}]}]}}
                """);
        }

        await PolicyAsync("""{"podSelector":{}}""");
        await Eventually.True("the policy closes it to the outside", async () => (await outside.TcpAsync(At(1), Short)).Outcome == ProbeOutcome.TimedOut && (await outside.TcpAsync(At(2), Short)).Outcome == ProbeOutcome.TimedOut, Soon);
        Assert.That((await _open[1].Probe.TcpAsync(new IPEndPoint(pod.Address(family), 80))).Outcome, Is.EqualTo(ProbeOutcome.Connected), "the tenant's own pods come in");
        await PolicyAsync($$$"""{"ipBlock":{"cidr":"{{{(family == AddressFamily.InterNetwork ? "172.30.0.200/32" : "fd00:172:30::200/128")}}}"}}""");
        await Eventually.True("a policy lets the client in", async () => (await outside.TcpAsync(At(1), Short)).Outcome == ProbeOutcome.Connected, Soon);
        await _lab.KubectlAsync("delete", "networkpolicy", "-n", "open", name);
    }

    private static async Task ReachesAsync(TenantPod from, TenantPod to, AddressFamily family)
    {
        var target = new IPEndPoint(to.Address(family), 80);
        await Eventually.True($"{from} TCP {to}", async () => await from.Probe.TcpAsync(target, Short) is { Outcome: ProbeOutcome.Connected } r && r.Server == to.Id, Soon);
        Assert.That((await from.Probe.UdpAsync(target)).Outcome, Is.EqualTo(ProbeOutcome.Connected), $"{from} UDP {to}");
        Assert.That((await from.Probe.PingAsync(target.Address)).Outcome, Is.EqualTo(ProbeOutcome.Connected), $"{from} pings {to}");
    }

    private Task<TenantPod> MakeAsync(string ns, int number, string node) => _lab.TenantPodAsync(
        ns, $"p{number}", node, labels: new JsonObject { ["app"] = ns },
        annotations: new JsonObject { ["weft.dev/ip"] = ns == "open" ? $"10.0.0.{number},fd00:a::{number}" : $"10.0.1.{number},fd00:b::{number}" });

    private Task<string> RoutesAsync(string routes) =>
        _lab.KubectlAsync("patch", "vpc", "open", "--type=merge", "-p", $$$"""{"spec":{"staticRoutes":{{{routes}}}}}""");

    private async Task<JsonObject> ServiceAsync(string ns, string spec, string name = "s")
    {
        var path = $"/api/v1/namespaces/{ns}/services";
        var json = TenantLab.Json("v1", "Service", name, JsonNode.Parse(spec)!.AsObject());
        await _lab.CreateAsync(path, json);
        return (await _lab.Api.GetAsync($"{path}/{name}", CancellationToken.None)).AsObject();
    }
}
