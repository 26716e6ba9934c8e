using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Weft.Lab.Cluster;
using Weft.Lab.Kubelet;
using Weft.Lab.Net;
using Weft.Lab.Probes;
using Weft.TestSupport;

namespace Weft.Lab.Tests.EndToEnd;

/// <summary>ClusterIP Services and NetworkPolicy, with real packets.</summary>
public sealed class ServicesAndPoliciesTests
{
    private static readonly AddressFamily[] Families = [AddressFamily.InterNetwork, AddressFamily.InterNetworkV6];

    private TestLab _lab = null!;
    private TestPod _near = null!;
    private TestPod _far = null!;
    private TestPod _client = null!;
    private TestPod _stranger = null!;
    private ProbeServer[] _servers = [];

    [OneTimeSetUp]
    public async Task StartLab()
    {
        _lab = await TestLab.UpAsync("sp");
        var pods = await _lab.PodsAsync("node1", "node2", "node1", "node2");
        (_near, _far, _client, _stranger) = (pods[0], pods[1], pods[2], pods[3]);
        _servers = [await _near.ServeAsync(), await _far.ServeAsync()];
        foreach (var (pod, label) in new[] { (_near, "web"), (_far, "web"), (_client, "client"), (_stranger, "stranger") })
        {
            await LabelAsync(pod, label);
        }

        await ApplyAsync("/api/v1/namespaces/default/services", """
            {"apiVersion":"v1","kind":"Service","metadata":{"name":"web"},"spec":{"ipFamilyPolicy":"RequireDualStack","selector":{"app":"web"},
             "ports":[{"name":"t","port":8000,"targetPort":80},{"name":"u","port":8000,"targetPort":80,"protocol":"UDP"}]}}
            """);
        await ApplyAsync("/api/v1/namespaces/default/services", """
            {"apiVersion":"v1","kind":"Service","metadata":{"name":"empty"},"spec":{"ipFamilyPolicy":"RequireDualStack","selector":{"app":"nobody"},"ports":[{"port":8000}]}}
            """);
        await Eventually.True("the Service answers", async () =>
            (await _client.Probe.TcpAsync(new IPEndPoint(await ClusterIpAsync("web", AddressFamily.InterNetwork), 8000))).Outcome == ProbeOutcome.Connected, TimeSpan.FromSeconds(20));
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
    public async Task A_Service_reaches_both_endpoints_which_see_the_client_itself([ValueSource(nameof(Families))] AddressFamily family)
    {
        var service = new IPEndPoint(await ClusterIpAsync("web", family), 8000);
        var seen = new HashSet<string>();
        for (var i = 0; i < 40; i++)
        {
            var result = await _client.Probe.TcpAsync(service);
            Assert.That(result.Outcome, Is.EqualTo(ProbeOutcome.Connected), result.ToString());
            Assert.That(result.SeenClient!.Address, Is.EqualTo(_client.Address(family)));
            seen.Add(result.Server);
        }

        Assert.That(seen, Is.EquivalentTo(new[] { _near.Name, _far.Name }));
        var udp = await _client.Probe.UdpAsync(service);
        Assert.That(udp.Outcome, Is.EqualTo(ProbeOutcome.Connected), udp.ToString());
    }

    [Test]
    public async Task A_node_reaches_a_Service([ValueSource(nameof(Families))] AddressFamily family)
    {
        var result = await new NetnsProbe(_lab.Cluster.Layout.Node("node1")).TcpAsync(new IPEndPoint(await ClusterIpAsync("web", family), 8000));
        Assert.That(result.Outcome, Is.EqualTo(ProbeOutcome.Connected), result.ToString());
    }

    [Test]
    public async Task A_pod_reaches_itself_through_its_Service()
    {
        var service = new IPEndPoint(await ClusterIpAsync("web", AddressFamily.InterNetwork), 8000);
        var seen = new HashSet<string>();
        for (var i = 0; i < 40; i++)
        {
            var result = await _near.Probe.TcpAsync(service);
            Assert.That(result.Outcome, Is.EqualTo(ProbeOutcome.Connected), result.ToString());
            seen.Add(result.Server);
        }

        Assert.That(seen, Does.Contain(_near.Name));
    }

    [Test]
    public async Task A_Service_without_endpoints_refuses_at_once([ValueSource(nameof(Families))] AddressFamily family)
    {
        var result = await _client.Probe.TcpAsync(new IPEndPoint(await ClusterIpAsync("empty", family), 8000));
        Assert.That(result.Outcome, Is.EqualTo(ProbeOutcome.Refused), result.ToString());
        Assert.That(result.Elapsed, Is.LessThan(TimeSpan.FromSeconds(1)));
    }

    [Test]
    public async Task A_policy_lets_in_whom_it_names_and_its_end_lets_everybody_in_again()
    {
        const string path = "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies";
        var direct = new IPEndPoint(_near.V4, 80);
        var direct6 = new IPEndPoint(_near.V6, 80);
        var service = new IPEndPoint(await ClusterIpAsync("web", AddressFamily.InterNetwork), 8000);
        await ApplyAsync(path, """
            {"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"web"},"spec":{"podSelector":{"matchLabels":{"app":"web"}},"policyTypes":["Ingress"],
             "ingress":[{"from":[{"podSelector":{"matchLabels":{"app":"client"}}}],"ports":[{"port":80,"protocol":"TCP"}]}]}}
            """);
        try
        {
            await Eventually.True("the stranger is kept out", async () => (await _stranger.Probe.TcpAsync(direct, TimeSpan.FromMilliseconds(300))).Outcome == ProbeOutcome.TimedOut);
            await Eventually.True("the client is let in", async () => (await _client.Probe.TcpAsync(direct)).Outcome == ProbeOutcome.Connected);
            Assert.That((await _client.Probe.TcpAsync(direct6)).Outcome, Is.EqualTo(ProbeOutcome.Connected));
            Assert.That((await _client.Probe.TcpAsync(service)).Outcome, Is.EqualTo(ProbeOutcome.Connected), "addresses after translation count");
            Assert.That((await _stranger.Probe.TcpAsync(direct6, TimeSpan.FromMilliseconds(300))).Outcome, Is.EqualTo(ProbeOutcome.TimedOut));
            Assert.That((await _client.Probe.UdpAsync(direct, TimeSpan.FromMilliseconds(300))).Outcome, Is.EqualTo(ProbeOutcome.TimedOut), "another protocol");
            Assert.That((await new NetnsProbe(_lab.Cluster.Layout.Node("node1")).TcpAsync(direct)).Outcome, Is.EqualTo(ProbeOutcome.Connected), "the node reaches its own pods");
        }
        finally
        {
            await _lab.Api.DeleteAsync(path + "/web", CancellationToken.None);
        }

        await Eventually.True("the stranger is let in again", async () => (await _stranger.Probe.TcpAsync(direct)).Outcome == ProbeOutcome.Connected);
    }

    private Task ApplyAsync(string path, string json) => _lab.Api.CreateAsync(path, JsonNode.Parse(json)!.AsObject(), CancellationToken.None);

    private Task LabelAsync(TestPod pod, string app) =>
        _lab.Api.PatchAsync(TestLab.PodPath(pod.Name), new JsonObject { ["metadata"] = new JsonObject { ["labels"] = new JsonObject { ["app"] = app } } }, CancellationToken.None);

    private async Task<IPAddress> ClusterIpAsync(string service, AddressFamily family)
    {
        var json = await _lab.Api.GetAsync($"/api/v1/namespaces/default/services/{service}", CancellationToken.None);
        return json["spec"]!["clusterIPs"]!.AsArray().Select(a => IPAddress.Parse((string)a!)).Single(a => a.AddressFamily == family);
    }
}
