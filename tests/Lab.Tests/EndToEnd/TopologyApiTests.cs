using System.Text.Json.Nodes;
using Weft.TestSupport;

namespace Weft.Lab.Tests.EndToEnd;

/// <summary>The logical network as somebody with stock kubectl sees it, through the API server's aggregation.</summary>
public sealed class TopologyApiTests
{
    private TestLab _lab = null!;
    private TestPod[] _pods = null!;

    [OneTimeSetUp]
    public async Task StartLab()
    {
        _lab = await TestLab.UpAsync("ta");
        _pods = await _lab.PodsAsync("node1", "node2");
        await _lab.Api.CreateAsync("/api/v1/namespaces/default/services", JsonNode.Parse($$"""
            {"apiVersion":"v1","kind":"Service","metadata":{"name":"web"},"spec":{"selector":{"pod":"{{_pods[0].Name}}"} ,"ports":[{"name":"http","port":80}]} }
            """)!.AsObject(), CancellationToken.None);
        await _lab.Api.CreateAsync("/apis/networking.k8s.io/v1/namespaces/default/networkpolicies", JsonNode.Parse($$"""
            {"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"web"},"spec":{
             "podSelector":{"matchLabels":{"pod":"{{_pods[0].Name}}"} },"ingress":[{"from":[{"podSelector":{"matchLabels":{"pod":"{{_pods[1].Name}}"} } }]}]} }
            """)!.AsObject(), CancellationToken.None);
        await Eventually.True("an endpoint of the load balancer", async () => (await KubectlAsync("get", "loadbalancers", "web.http.ipv4", "-o", "jsonpath={.spec}")).Contains(_pods[0].V4.ToString(), StringComparison.Ordinal));
    }

    [OneTimeTearDown]
    public async Task EndLab()
    {
        if (_lab is not null)
        {
            await _lab.DisposeAsync();
        }
    }

    [Test]
    public async Task Logical_ports_are_shown_with_node_network_addresses_and_whether_they_are_realised()
    {
        await Eventually.True("both ports realised", async () => Rows(await KubectlAsync("get", "logicalports", "-o", "wide")).Count(r => r.Contains("true")) == 2);
        var table = Rows(await KubectlAsync("get", "logicalports", "-o", "wide"));
        Assert.Multiple(() =>
        {
            Assert.That(table[0], Is.EqualTo(new[] { "NAME", "NODE", "NETWORK", "ADDRESSES", "REALISED", "MAC", "OFPORT", "SWITCH" }));
            foreach (var pod in _pods)
            {
                var row = table.Single(r => r[0] == pod.Name);
                Assert.That(row[1..5], Is.EqualTo(new[] { pod.Node, "default", $"{pod.V4},{pod.V6}", "true" }));
            }
        });
    }

    [TestCase("spec.node=node1", 0)]
    [TestCase("spec.node=node2", 1)]
    [TestCase("spec.node!=node1,spec.network=default", 1)]
    public async Task Field_selectors_narrow_ports_by_node_and_network(string selector, int pod)
    {
        var names = await KubectlAsync("get", "logicalports", "--field-selector", selector, "-o", "name");
        Assert.That(names.Trim(), Is.EqualTo($"logicalport.topology.weft.dev/{_pods[pod].Name}"));
    }

    [TestCase("logicalswitches", "node1")]
    [TestCase("logicalrouters", "default")]
    [TestCase("nodestates", "node2")]
    [TestCase("loadbalancers", "web.http.ipv4")]
    [TestCase("policies.topology.weft.dev", "web")]
    [TestCase("addresssets", null)]
    public async Task Every_kind_is_listed_got_and_watched(string resource, string? name)
    {
        var listed = (await KubectlAsync("get", resource, "-o", "name")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split('/')[1]).ToArray();
        Assert.That(listed, name is null ? Is.Not.Empty : Has.Some.Contains(name));
        var one = name is null ? listed[0] : listed.First(l => l.Contains(name, StringComparison.Ordinal));
        Assert.That(await KubectlAsync("get", resource, one, "-o", "jsonpath={.metadata.name}"), Is.EqualTo(one));

        var watch = $"/apis/topology.weft.dev/v1alpha1/{resource.Split('.')[0]}?watch=true&timeoutSeconds=1";
        Assert.That(await _lab.KubectlAsync("get", "--raw", watch), Does.Contain("\"type\":\"ADDED\"").And.Contain($"\"name\":\"{one}\""));
    }

    private Task<string> KubectlAsync(params string[] arguments) => _lab.KubectlAsync([.. arguments, "-n", "default"]);

    private static string[][] Rows(string table) =>
        [.. table.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries))];
}
