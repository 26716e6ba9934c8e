using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Weft.Lab.Probes;
using Weft.TestSupport;

namespace Weft.Lab.Tests.EndToEnd;

/// <content>Addresses of load balancers, and their health checks.</content>
public sealed partial class ServiceBehaviourTests
{
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
}
