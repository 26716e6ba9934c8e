using System.Text.Json.Nodes;
using Weft.TestSupport;

namespace Weft.Lab.ApiServer.Tests;

/// <summary>An API served by another process: here a second API server plays its part.</summary>
public sealed class AggregationTests
{
    private const string Definition = """{"metadata":{"name":"rings.topology.test"},"spec":{"group":"topology.test","scope":"Namespaced","names":{"plural":"rings","kind":"Ring","shortNames":["rg"]},"versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}]}}""";

    private TestServer _front = null!;
    private TestServer _back = null!;
    private string _folder = "";

    [SetUp]
    public async Task StartAsync()
    {
        _back = await TestServer.StartAsync();

        // One authority for both: the front shows the other one its front-proxy certificate.
        _folder = Directory.CreateTempSubdirectory("weft-api-").FullName;
        foreach (var name in (string[])["ca.crt", "ca.key"])
        {
            File.Copy(Path.Combine(_back.Folder, name), Path.Combine(_folder, name));
        }

        _front = await TestServer.StartAsync(directory: _folder);
        await _back.CreateAsync("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", Definition);
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _front.DisposeAsync();
        await _back.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Test]
    public async Task Requests_and_watches_go_to_the_address_of_the_service()
    {
        var back = new Uri(_back.Host.Url);
        await _front.CreateAsync("/api/v1/namespaces/default/services", """{"metadata":{"name":"rings"},"spec":{"ports":[{"port":443}]}}""");
        await _front.CreateAsync("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", $$"""{"metadata":{"name":"rings","labels":{"kubernetes.io/service-name":"rings"} },"addressType":"IPv4","endpoints":[{"addresses":["{{back.Host}}"]}],"ports":[{"port":{{back.Port}} }]}""");
        await RegisterAsync("{}");
        await Eventually.True("the APIService is available", async () => await AvailableAsync() == "True");
        await _front.CreateAsync("/apis/topology.test/v1/namespaces/default/rings", """{"metadata":{"name":"a"},"spec":{"size":3}}""");
        Assert.That((await _back.GetAsync("/apis/topology.test/v1/namespaces/default/rings/a")).Body.Integer("spec", "size"), Is.EqualTo(3));
        Assert.That((await _front.GetAsync("/apis/topology.test/v1/rings")).Names, Is.EqualTo(new[] { "a" }));
        Assert.That((await _front.GetAsync("/apis/topology.test/v1/namespaces/default/rings/none")).Message, Is.EqualTo("rings.topology.test \"none\" not found"));
        using var watch = await WatchClient.OpenAsync(_front, "/apis/topology.test/v1/rings?watch=true");
        Assert.That(await watch.NextLineAsync(), Is.EqualTo("ADDED a"));
        await _back.DeleteAsync("/apis/topology.test/v1/namespaces/default/rings/a");
        Assert.That(await watch.NextLineAsync(), Is.EqualTo("DELETED a"));
        var groups = (await _front.GetAsync("/apis", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList")).Body["items"].Objects();
        var found = groups.Single(g => g.Text("metadata", "name") == "topology.test")["versions"].Objects().Single()["resources"].Objects().Single();
        Assert.That((found.Text("resource"), found["shortNames"]!.ToJsonString()), Is.EqualTo(("rings", """["rg"]""")));
    }

    [Test]
    public async Task A_server_that_does_not_answer_is_reported()
    {
        await RegisterAsync("""{"lab.weft.dev/address":"127.0.0.1:1"}""");
        var answer = await _front.GetAsync("/apis/topology.test/v1/rings");
        Assert.That((answer.Code, answer.Reason), Is.EqualTo((503, "ServiceUnavailable")));
        Assert.That(answer.Message, Does.StartWith("the API service v1.topology.test is not available: "));
        await Eventually.True("the condition says so", async () => await AvailableAsync() == "False");
        Assert.That((await _front.GetAsync("/api/v1/namespaces")).Code, Is.EqualTo(200), "everything else goes on");
    }

    private Task RegisterAsync(string annotations) => _front.CreateAsync("/apis/apiregistration.k8s.io/v1/apiservices",
        $$"""{"metadata":{"name":"v1.topology.test","annotations":{{annotations}} },"spec":{"group":"topology.test","version":"v1","service":{"namespace":"default","name":"rings"},"groupPriorityMinimum":100,"versionPriority":10} }""");

    private async Task<string?> AvailableAsync() => (await _front.GetAsync("/apis/apiregistration.k8s.io/v1/apiservices/v1.topology.test")).Body
        .At("status", "conditions").Objects().FirstOrDefault(c => c.Text("type") == "Available").Text("status");
}
