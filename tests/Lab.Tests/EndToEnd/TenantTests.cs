using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Weft.Lab.Cluster;
using Weft.Lab.Net;
using Weft.Lab.Probes;
using Weft.TestSupport;

namespace Weft.Lab.Tests.EndToEnd;

/// <summary>Three tenants over three nodes: red and blue have the same ranges and the same addresses, green has the range of the cluster's own pods.</summary>
public sealed partial class TenantTests
{
    private static readonly string[] Nodes = ["node1", "node2", "node3"];
    private static readonly string[] Tenants = ["red", "blue", "green", "default"];
    private static readonly AddressFamily[] Families = [AddressFamily.InterNetwork, AddressFamily.InterNetworkV6];
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(400);

    /// <summary>Every way that a pod could try to a pod of another network, and what address it leads to.</summary>
    private static readonly (string Path, Func<TenantTests, TenantPod, AddressFamily, IEnumerable<IPEndPoint>> Targets)[] Paths =
    [
        ("its own address", (_, to, f) => [new(to.Address(f), 80)]),
        ("its alias", (_, to, f) => [new(to.Alias(f), 80)]),
        ("the ClusterIP of its Service", (t, to, f) => t.ClusterIps(to.Tenant, f).Select(a => new IPEndPoint(a, 8000))),
        ("the node port of its Service", (t, to, f) => Nodes.SelectMany((_, i) => new[] { NodeAddress(i, f) }).Select(a => new IPEndPoint(a, t._nodePorts[to.Tenant]))),
        ("the load balancer address of its Service", (t, to, f) => t._balancers[to.Tenant].Where(a => a.AddressFamily == f).Select(a => new IPEndPoint(a, 8000))),
        ("the external address of its Service", (_, to, f) => [new(External(to.Tenant, f), 8000)]),
        ("the switch's address for node ports", (t, to, f) => [new(Internal(f).ElementAt(2), t._nodePorts[to.Tenant])]),
        ("the address of its node", (_, to, f) => [new(NodeAddress(Array.IndexOf(Nodes, to.Node), f), 80)]),
        ("the node port at the gateway address", (t, to, f) => [new(GatewayOf(to.Alias(f)), t._nodePorts[to.Tenant])]),
        ("the gateway address", (_, to, f) => [new(GatewayOf(to.Alias(f)), 80)]),
        ("the switch's own addresses", (_, _, f) => Internal(f).Select(a => new IPEndPoint(a, 80))),
        ("its link-local address", (_, to, f) => f == AddressFamily.InterNetworkV6 ? [new(to.LinkLocal, 80)] : []),
        ("the host network of every node", (_, _, f) => Nodes.Select((_, i) => new IPEndPoint(NodeAddress(i, f), 80))),
        ("the address that it is masqueraded as", (t, to, f) => [new(NodeAddress(Array.IndexOf(Nodes, to.Node), f), t._outgoing[(to.Id, f)])]),
    ];

    private readonly Dictionary<string, int> _nodePorts = [];
    private readonly Dictionary<(string Tenant, AddressFamily Family), IPAddress> _clusterIps = [];
    private readonly Dictionary<string, List<IPAddress>> _balancers = [];
    private TestLab _lab = null!;
    private TenantPod[] _pods = [];
    private List<ProbeServer> _servers = [];

    // The ports of the nodes from which each pod's question to the outside was seen.
    private readonly Dictionary<(string Pod, AddressFamily Family), int> _outgoing = [];

    [OneTimeSetUp]
    public async Task StartLab()
    {
        _lab = await TestLab.UpAsync("tn", nodes: 3);
        await _lab.TenantAsync("red", "10.0.0.0/24", "fd00:a::/64");
        await _lab.TenantAsync("blue", "10.0.0.0/24", "fd00:a::/64");
        await _lab.TenantAsync("green", "10.10.0.0/24", "fd00:c::/64");
        _pods = await Task.WhenAll(from tenant in Tenants from i in Enumerable.Range(1, 3) select MakeAsync(tenant, i));
        _servers = [.. await Task.WhenAll(_pods.Select(p => p.ServeAsync()))];

        // What a pod of the host network is: a process in its node's namespace.
        _servers.AddRange(await Task.WhenAll(Nodes.Select(n => ProbeServer.StartAsync(_lab.Cluster.Layout.Node(n), $"host/{n}", [80], [80]))));
        await using var outside = await ProbeServer.StartAsync(_lab.Cluster.Layout.Outside, "outside", [], [8082]);
        foreach (var (pod, to) in from p in _pods from a in new[] { "172.30.0.200", "fd00:172:30::200" } select (p, new IPEndPoint(IPAddress.Parse(a), 8082)))
        {
            _outgoing[(pod.Id, to.AddressFamily)] = (await pod.Probe.UdpAsync(to)).SeenClient?.Port ?? throw new InvalidOperationException($"{pod} does not reach {to}");
        }
        foreach (var tenant in Tenants)
        {
            await ServiceAsync(tenant);
        }

        await Eventually.True("the Services answer", async () =>
            (await Task.WhenAll(_pods.Select(p => p.Probe.TcpAsync(new IPEndPoint(_clusterIps[(p.Tenant, AddressFamily.InterNetwork)], 8000))))).All(r => r.Outcome == ProbeOutcome.Connected), TimeSpan.FromSeconds(30));
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
    public void Red_and_blue_have_the_same_addresses_and_aliases_of_their_own()
    {
        Assert.That(Of("red").Select(p => p.V4).Order(ByText), Is.EqualTo(Of("blue").Select(p => p.V4).Order(ByText)));
        Assert.That(Of("red").Select(p => p.V6).Order(ByText), Is.EqualTo(Of("blue").Select(p => p.V6).Order(ByText)));
        Assert.That(_pods.SelectMany(p => p.Known), Is.Unique);
    }

    [Test]
    public async Task Each_pod_reaches_every_other_of_its_tenant([ValueSource(nameof(Families))] AddressFamily family)
    {
        var tries = from one in _pods from other in _pods where one.Tenant == other.Tenant && one != other select (From: one, To: other);
        var results = await Task.WhenAll(tries.Select(async t => (t.From, t.To,
            Tcp: await t.From.Probe.TcpAsync(new IPEndPoint(t.To.Address(family), 80)),
            Udp: await t.From.Probe.UdpAsync(new IPEndPoint(t.To.Address(family), 80)),
            Ping: await t.From.Probe.PingAsync(t.To.Address(family)))));
        foreach (var (from, to, tcp, udp, ping) in results)
        {
            Assert.That((tcp.Outcome, tcp.Server), Is.EqualTo((ProbeOutcome.Connected, to.Id)), $"{from} TCP {to}: {tcp}");
            Assert.That(tcp.SeenClient!.Address, Is.EqualTo(from.Address(family)), "it is seen by its own address");
            Assert.That((udp.Outcome, udp.Server), Is.EqualTo((ProbeOutcome.Connected, to.Id)), $"{from} UDP {to}: {udp}");
            Assert.That(ping.Outcome, Is.EqualTo(ProbeOutcome.Connected), $"{from} ping {to}: {ping}");
        }
    }

    [Test]
    public async Task No_pod_reaches_one_of_another_network_by_any_path([ValueSource(nameof(Families))] AddressFamily family)
    {
        var tries =
            from one in _pods
            from other in _pods
            where one.Tenant != other.Tenant && !(one.Tenant == "default" && other.Tenant == "default")
            from path in Paths
            from target in path.Targets(this, other, family)
            select (From: one, path.Path, Target: target);
        var wrong = new List<string>();
        var count = 0;
        foreach (var batch in tries.DistinctBy(t => (t.From, t.Target)).Chunk(40))
        {
            await Task.WhenAll(batch.Select(async t =>
            {
                var (tcp, udp) = (await t.From.Probe.TcpAsync(t.Target, Short), await t.From.Probe.UdpAsync(t.Target, Short));
                foreach (var (protocol, result) in new[] { ("TCP", tcp), ("UDP", udp) })
                {
                    Interlocked.Increment(ref count);
                    var isOwn = result.Server.StartsWith(t.From.Tenant + "/", StringComparison.Ordinal) || (t.From.Tenant == "default" && result.Server.StartsWith("host/", StringComparison.Ordinal));
                    if (result.Outcome == ProbeOutcome.Connected && !isOwn)
                    {
                        lock (wrong)
                        {
                            wrong.Add($"{t.From} reaches {result.Server} by {t.Path} {t.Target} ({protocol})");
                        }
                    }
                }

                // Addresses of another network answer no ping, unless the same address is one of the pod's own network, the node's or the cluster's for a default pod.
                if ((t.From.Tenant != "default" || t.Path == "its alias") && !t.Target.Address.Equals(t.From.LinkLocal) && !Of(t.From.Tenant).Any(p => p.Address(family).Equals(t.Target.Address)))
                {
                    Interlocked.Increment(ref count);
                    if ((await t.From.Probe.PingAsync(t.Target.Address, timeout: Short)).Outcome == ProbeOutcome.Connected && !IsOwnGateway(t.From, t.Target.Address))
                    {
                        lock (wrong)
                        {
                            wrong.Add($"{t.From} pings {t.Target.Address} by {t.Path}");
                        }
                    }
                }
            }));
        }

        Assert.That(wrong, Is.Empty);
        Assert.That(count, Is.GreaterThan(500), "tries");
    }

    [Test]
    public async Task Nobody_but_its_own_nodes_kubelet_reaches_a_tenant_pod_by_its_alias([ValueSource(nameof(Families))] AddressFamily family)
    {
        foreach (var pod in Of("red").Concat(Of("green")))
        {
            await Task.WhenAll(Nodes.Select(async node =>
            {
                var (alias, isOwn) = (new IPEndPoint(pod.Alias(family), 80), node == pod.Node);
                Assert.That((await _lab.AsKubeletAsync(node, alias, isOwn ? null : Short)).Select(r => r == ProbeOutcome.Connected), Is.All.EqualTo(isOwn), $"kubelet of {node} to {pod}");
                if (_lab.Cluster.State.Cgroups is not null)
                {
                    await NobodyAsync(new NetnsProbe(_lab.Cluster.Layout.Node(node)), alias, $"from the host network of {node} to {pod}");
                }
            }));

            if (pod.Tenant == "red")
            {
                // Green's addresses are pods of the default network, too.
                await NobodyAsync(new NetnsProbe(_lab.Cluster.Layout.Node(pod.Node)), new IPEndPoint(pod.Address(family), 80), $"not even {pod.Node} by the tenant's own address of {pod}");
            }

            await NobodyAsync(new NetnsProbe(_lab.Cluster.Layout.Outside), new IPEndPoint(pod.Alias(family), 80), $"from outside to {pod}");
        }
    }

    private static async Task NobodyAsync(NetnsProbe from, IPEndPoint to, string what) => Assert.That(
        (await Task.WhenAll(from.TcpAsync(to, Short), from.UdpAsync(to, Short), from.PingAsync(to.Address, timeout: Short))).Select(r => r.Outcome), Has.None.EqualTo(ProbeOutcome.Connected), what);

    [Test]
    public async Task A_tenant_reaches_the_outside_as_its_node_and_the_API_server_by_its_Service()
    {
        await using var outside = await ProbeServer.StartAsync(_lab.Cluster.Layout.Outside, "outside", [8081], [8081]);
        foreach (var pod in Of("red").Concat(Of("blue")).Concat(Of("green")))
        {
            foreach (var address in new[] { "172.30.0.200", "fd00:172:30::200" }.Select(IPAddress.Parse))
            {
                var tcp = await pod.Probe.TcpAsync(new IPEndPoint(address, 8081));
                Assert.That((tcp.Outcome, tcp.Server), Is.EqualTo((ProbeOutcome.Connected, "outside")), $"{pod}: {tcp}");
                Assert.That(tcp.SeenClient!.Address, Is.EqualTo(NodeAddress(Array.IndexOf(Nodes, pod.Node), address.AddressFamily)));
                Assert.That((await pod.Probe.UdpAsync(new IPEndPoint(address, 8081))).Outcome, Is.EqualTo(ProbeOutcome.Connected));
            }

            var api = await TestLab.InAsync(pod.Netns, "curl", "-sk", "-m", "5", "https://10.96.0.1/version");
            Assert.That(api, Does.Contain("gitVersion"), pod.ToString());
        }
    }

    [Test]
    public async Task From_outside_and_from_nodes_each_tenant_is_reached_by_its_own_Services_only([ValueSource(nameof(Families))] AddressFamily family)
    {
        var layout = _lab.Cluster.Layout;
        await TestLab.InAsync(layout.Outside, "ip", "route", "replace", family == AddressFamily.InterNetwork ? "203.0.113.0/24" : "fd00:113::/64", "via", NodeAddress(1, family).ToString());
        foreach (var tenant in Tenants)
        {
            var shared = _balancers[tenant].Where(a => a.AddressFamily == family).Append(External(tenant, family)).Select(a => new IPEndPoint(a, 8000));
            var targets = Nodes.Select((_, i) => new IPEndPoint(NodeAddress(i, family), _nodePorts[tenant])).Concat(shared).ToList();
            foreach (var from in Nodes.Select(layout.Node).Prepend(layout.Outside))
            {
                foreach (var target in targets)
                {
                    await Eventually.True($"{from.Name} has {target} of {tenant}", async () =>
                        (await new NetnsProbe(from).TcpAsync(target, Short)).Outcome == ProbeOutcome.Connected, TimeSpan.FromSeconds(10));
                    var seen = await Task.WhenAll(Enumerable.Range(0, 12).Select(_ => new NetnsProbe(from).TcpAsync(target)));
                    Assert.That(seen.Select(r => (r.Outcome, r.Server.Split('/')[0])).Distinct(), Is.EqualTo(new[] { (ProbeOutcome.Connected, tenant) }), $"{from.Name} to {target}");
                    Assert.That(seen.Select(r => r.Server).Distinct().Count(), Is.GreaterThan(1), "on several nodes");
                }
            }
        }
    }

    [Test]
    public async Task A_Service_of_a_tenant_reaches_its_own_endpoints_only([ValueSource(nameof(Families))] AddressFamily family)
    {
        foreach (var pod in Of("red").Concat(Of("blue")))
        {
            var seen = new HashSet<string>();
            for (var i = 0; i < 20; i++)
            {
                var result = await pod.Probe.TcpAsync(new IPEndPoint(_clusterIps[(pod.Tenant, family)], 8000));
                Assert.That(result.Outcome, Is.EqualTo(ProbeOutcome.Connected), $"{pod}: {result}");
                seen.Add(result.Server);
            }

            Assert.That(seen.All(s => s.StartsWith(pod.Tenant + "/", StringComparison.Ordinal)), $"{pod} sees {string.Join(", ", seen)}");
            Assert.That(seen, Has.Count.GreaterThan(1));
        }
    }

    [Test]
    public async Task Probes_of_every_kind_and_a_policy_hold_in_an_overlapping_tenant()
    {
        var server = new JsonObject
        {
            ["name"] = "main",
            ["image"] = "none",
            ["command"] = TenantLab.HttpServer(8080),
            ["startupProbe"] = JsonNode.Parse("""{"httpGet":{"port":8080},"periodSeconds":1,"failureThreshold":60}"""),
            ["readinessProbe"] = JsonNode.Parse("""{"tcpSocket":{"port":8080},"periodSeconds":1}"""),
            ["livenessProbe"] = JsonNode.Parse("""{"exec":{"command":["true"]},"periodSeconds":1}"""),
        };
        var pod = await _lab.TenantPodAsync("blue", "probed", "node2", labels: new JsonObject { ["app"] = "probed" }, container: server);
        var friend = await _lab.TenantPodAsync("blue", "friend", "node1", labels: new JsonObject { ["app"] = "friend" });
        var target = new IPEndPoint(pod.V4, 8080);
        Assert.That((await Of("blue")[0].Probe.TcpAsync(target)).Outcome, Is.EqualTo(ProbeOutcome.Connected));
        const string path = "/apis/networking.k8s.io/v1/namespaces/blue/networkpolicies";
        await _lab.CreateAsync(path, """
            {"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"p"},"spec":{"podSelector":{"matchLabels":{"app":"probed"}},
             "ingress":[{"from":[{"podSelector":{"matchLabels":{"app":"friend"}}}]}]}}
            """);
        await Eventually.True("strangers of the tenant are kept out", async () => (await Of("blue")[0].Probe.TcpAsync(target, Short)).Outcome == ProbeOutcome.TimedOut);
        Assert.That((await friend.Probe.TcpAsync(target)).Outcome, Is.EqualTo(ProbeOutcome.Connected), "the friend is let in");
        var probe = await _lab.AsKubeletAsync("node2", new IPEndPoint(pod.Alias(AddressFamily.InterNetwork), 8080));
        Assert.That(probe[0], Is.EqualTo(ProbeOutcome.Connected), "its node's kubelet reaches it in spite of the policy");
        await _lab.Api.DeleteAsync(path + "/p", CancellationToken.None);
    }

    [Test]
    public async Task A_pod_keeps_its_address_and_MAC_over_deletion_and_node_change()
    {
        var asks = new JsonObject { ["weft.dev/ip"] = "10.0.0.200,fd00:a::200" };
        var before = await _lab.TenantPodAsync("red", "fixed", "node1", (JsonObject)asks.DeepClone());
        Assert.That((before.V4.ToString(), before.V6.ToString()), Is.EqualTo(("10.0.0.200", "fd00:a::200")));
        await _lab.DeleteTenantPodAsync("red", "fixed");
        var after = await _lab.TenantPodAsync("red", "fixed", "node3", asks);
        Assert.That((after.V4, after.V6, after.Mac), Is.EqualTo((before.V4, before.V6, before.Mac)));
        foreach (var peer in Of("red"))
        {
            await Eventually.True($"{peer} finds it at its new place", async () => (await peer.Probe.PingAsync(after.V4, timeout: Short)).Outcome == ProbeOutcome.Connected, TimeSpan.FromSeconds(10));
        }
    }

    [Test]
    public async Task A_second_Subnet_for_a_namespace_says_that_it_is_taken_and_a_Vpc_in_use_stays()
    {
        await _lab.CreateAsync("/apis/weft.dev/v1alpha1/subnets", """
            {"apiVersion":"weft.dev/v1alpha1","kind":"Subnet","metadata":{"name":"thief"},"spec":{"vpc":"green","cidrs":["10.77.0.0/24"],"namespaces":["red"]}}
            """);
        await _lab.ConditionAsync("subnets", "thief", "False", "NamespaceTaken");
        await _lab.ConditionAsync("subnets", "red", "True", "Ready");
        await _lab.Api.DeleteAsync("/apis/weft.dev/v1alpha1/subnets/thief", CancellationToken.None);
        await Eventually.True("an unused Subnet goes", async () => await _lab.Api.FindAsync("/apis/weft.dev/v1alpha1/subnets/thief", CancellationToken.None) is null, TimeSpan.FromSeconds(10));
        await _lab.CreateAsync("/apis/weft.dev/v1alpha1/subnets", """
            {"apiVersion":"weft.dev/v1alpha1","kind":"Subnet","metadata":{"name":"overlaps"},"spec":{"vpc":"green","cidrs":["10.10.0.128/25"]}}
            """);
        await _lab.ConditionAsync("subnets", "overlaps", "False", "Overlap");
        await _lab.Api.DeleteAsync("/apis/weft.dev/v1alpha1/subnets/overlaps", CancellationToken.None);
    }

    private static Comparer<IPAddress> ByText { get; } = Comparer<IPAddress>.Create((a, b) => string.CompareOrdinal(a.ToString(), b.ToString()));

    private static IPAddress NodeAddress(int index, AddressFamily family) =>
        IPAddress.Parse(family == AddressFamily.InterNetwork ? $"172.30.0.{11 + index}" : $"fd00:172:30::{11 + index}");

    private static IEnumerable<IPAddress> Internal(AddressFamily family) => Enumerable.Range(69, 5)
        .Select(i => IPAddress.Parse(family == AddressFamily.InterNetwork ? $"169.254.87.{i}" : $"fd57:4546:5400::{i}"));

    private static IPAddress GatewayOf(IPAddress alias)
    {
        var bytes = alias.GetAddressBytes();
        bytes[^1] = 1;
        return new IPAddress(bytes);
    }

    /// <summary>Green has the range of the cluster: what is the node's gateway to others is a pod or gateway of its own.</summary>
    private static bool IsOwnGateway(TenantPod pod, IPAddress address) => pod.Tenant == "green" && address.ToString().StartsWith("10.10.0.", StringComparison.Ordinal);

    private static IPAddress External(string tenant, AddressFamily family)
    {
        var number = 1 + Array.IndexOf(Tenants, tenant);
        return IPAddress.Parse(family == AddressFamily.InterNetwork ? $"203.0.113.{number}" : $"fd00:113::{number}");
    }

    private IEnumerable<IPAddress> ClusterIps(string tenant, AddressFamily family) => [_clusterIps[(tenant, family)]];

    private List<TenantPod> Of(string tenant) => [.. _pods.Where(p => p.Tenant == tenant)];

    private Task<TenantPod> MakeAsync(string tenant, int i) =>
        _lab.TenantPodAsync(tenant, $"p{i}", Nodes[i - 1], labels: new JsonObject { ["app"] = "web" });

    private async Task ServiceAsync(string tenant)
    {
        await _lab.CreateAsync($"/api/v1/namespaces/{tenant}/services", $$$"""
            {"apiVersion":"v1","kind":"Service","metadata":{"name":"web"},"spec":{"type":"LoadBalancer","ipFamilyPolicy":"RequireDualStack","selector":{"app":"web"},
             "externalIPs":["{{{External(tenant, AddressFamily.InterNetwork)}}}","{{{External(tenant, AddressFamily.InterNetworkV6)}}}"],
             "ports":[{"name":"t","port":8000,"targetPort":80},{"name":"u","port":8000,"targetPort":80,"protocol":"UDP"}]}}
            """);
        var service = await _lab.Api.GetAsync($"/api/v1/namespaces/{tenant}/services/web", CancellationToken.None);
        foreach (var address in service["spec"]!["clusterIPs"]!.AsArray().Select(a => IPAddress.Parse((string)a!)))
        {
            _clusterIps[(tenant, address.AddressFamily)] = address;
        }

        _nodePorts[tenant] = (int)service["spec"]!["ports"]![0]!["nodePort"]!;
        _balancers[tenant] = await Eventually.Some($"addresses of the load balancer of {tenant}", async () =>
        {
            var ingress = (await _lab.Api.GetAsync($"/api/v1/namespaces/{tenant}/services/web", CancellationToken.None))["status"]?["loadBalancer"]?["ingress"]?.AsArray();
            return ingress?.Count == 2 ? ingress.Select(i => IPAddress.Parse((string)i!["ip"]!)).ToList() : null;
        }, TimeSpan.FromSeconds(20));
    }
}
