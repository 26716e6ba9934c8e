using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Weft.Controller.Publish;
using Weft.TestSupport;
using Weft.Topology;

namespace Weft.Controller.Tests.Api;

/// <summary>The aggregated API, asked as the Kubernetes API server asks: with its front-proxy certificate and the user in headers.</summary>
public sealed class TopologyApiTests
{
    private const string Root = "/apis/topology.weft.dev/v1alpha1";
    private FakeApiServer _api = null!;
    private TemporaryFolder _folder = null!;
    private WebApplication _controller = null!;
    private X509Certificate2 _proxy = null!;
    private X509Certificate2 _stranger = null!;

    [SetUp]
    public async Task Start()
    {
        _folder = new TemporaryFolder();
        _api = await FakeApiServer.StartAsync();
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=front-proxy-ca", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow.AddDays(1));
        (_proxy, _stranger) = (Signed("front-proxy", authority), Signed("somebody", authority));
        _api.Put("/api/v1/configmaps", new JsonObject
        {
            ["metadata"] = new JsonObject { ["namespace"] = "kube-system", ["name"] = "extension-apiserver-authentication" },
            ["data"] = new JsonObject { ["requestheader-client-ca-file"] = authority.ExportCertificatePem(), ["requestheader-allowed-names"] = "[\"front-proxy\"]" },
        }.ToJsonString());
        _api.Put("/api/v1/nodes", Manifests.Node("node1", "172.30.0.11", "10.244.1.0/24"));
        _api.Put("/api/v1/nodes", Manifests.Node("node2", "172.30.0.12", "10.244.2.0/24"));
        _api.Put("/api/v1/pods", Manifests.Pod("prod", "a", "node1", "10.244.1.2"));
        _api.Put("/api/v1/pods", Manifests.Pod("test", "b", "node2", "10.244.2.2"));
        _api.Put("/apis/networking.k8s.io/v1/networkpolicies", """{"metadata":{"namespace":"prod","name":"np"},"spec":{"podSelector":{},"ingress":[{"from":[{"podSelector":{}}]}]} }""");
        _api.Put("/api/v1/services", """{"metadata":{"namespace":"prod","name":"s"},"spec":{"clusterIPs":["10.96.0.9"],"ports":[{"port":80}]} }""");
        _api.Intercept = ReviewAsync;
        _controller = ControllerWiring.Build(new ControllerOptions
        {
            Kubeconfig = _api.WriteKubeconfig(_folder.Path), Listen = "127.0.0.1:0", TlsDir = _folder.File("tls"), AgentAuthentication = "none",
        });
        await _controller.StartAsync();
        await _controller.Services.GetRequiredService<Controller.Publish.Publisher>().Synced.WaitAsync(TimeSpan.FromSeconds(10));
    }

    [TearDown]
    public async Task Stop()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(2));
        await _controller.StopAsync(limit.Token);
        await _controller.DisposeAsync();
        await _api.DisposeAsync();
        _proxy.Dispose();
        _stranger.Dispose();
        _folder.Dispose();
    }

    [Test]
    public async Task Every_kind_that_discovery_names_can_be_listed_as_objects_and_as_a_table()
    {
        var resources = (await GetAsync(Root))["resources"]!.AsArray();
        Assert.That(resources.Select(r => (string)r!["name"]!), Is.EquivalentTo(new[]
        {
            "logicalswitches", "logicalrouters", "logicalports", "loadbalancers", "addresssets", "policies", "nodestates",
        }));
        foreach (var name in resources.Select(r => (string)r!["name"]!))
        {
            var list = (await GetAsync($"{Root}/{name}"))["items"]!.AsArray();
            var table = await GetAsync($"{Root}/{name}", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json");
            Assert.That(list, Is.Not.Empty, name);
            Assert.That(table["rows"]!.AsArray(), Has.Count.EqualTo(list.Count), name);
            Assert.That(table["rows"]!.AsArray().Select(r => r!["cells"]!.AsArray().Count), Has.All.EqualTo(table["columnDefinitions"]!.AsArray().Count), name);
            var first = list[0]!["metadata"]!;
            var path = first["namespace"] is { } ns ? $"{Root}/namespaces/{ns}/{name}/{first["name"]}" : $"{Root}/{name}/{first["name"]}";
            Assert.That(JsonNode.DeepEquals((await GetAsync(path))["spec"], list[0]!["spec"]), Is.True, path);
        }
    }

    [Test]
    public async Task Lists_are_narrowed_by_namespace_and_by_fields()
    {
        async Task<string> Names(string query) => string.Join(",", (await GetAsync(query))["items"]!.AsArray().Select(i => (string)i!["metadata"]!["name"]!));
        Assert.That(await Names($"{Root}/logicalports"), Is.EqualTo("a,b"));
        Assert.That(await Names($"{Root}/namespaces/test/logicalports"), Is.EqualTo("b"));
        Assert.That(await Names($"{Root}/logicalports?fieldSelector=spec.node%3Dnode1"), Is.EqualTo("a"));
        Assert.That(await Names($"{Root}/logicalports?fieldSelector=spec.node!%3Dnode1,spec.networkKey%3D1"), Is.EqualTo("b"));
        Assert.That(await Names($"{Root}/logicalports?fieldSelector=spec.network%3Ddefault,spec.node%3Dnode1"), Is.EqualTo("a"));
        Assert.That(await Names($"{Root}/logicalports?fieldSelector=spec.network%3Dred"), Is.Empty);
        Assert.That((await SendAsync($"{Root}/logicalports?fieldSelector=nonsense", _proxy, "admin")).StatusCode, Is.EqualTo(HttpStatusCode.BadRequest));
        Assert.That((await SendAsync($"{Root}/logicalports?fieldSelector=node%3Dnode1", _proxy, "admin")).StatusCode, Is.EqualTo(HttpStatusCode.BadRequest), "no such field");
        Assert.That((await SendAsync($"{Root}/logicalports/none", _proxy, "admin")).StatusCode, Is.EqualTo(HttpStatusCode.NotFound));
    }

    [Test]
    public async Task A_port_says_whether_its_agent_has_realised_it()
    {
        Assert.That((bool)(await GetAsync($"{Root}/namespaces/prod/logicalports/a"))["status"]!["realised"]!, Is.False);
        _controller.Services.GetRequiredService<NodeReports>().Set(new NodeReport
        {
            Node = "node1", Revision = 1, Ports = [new RealisedPort("prod/a", "prod-a", 5, ["10.244.1.2"], "0a:58:0a:f4:01:02")],
        });
        var status = (await GetAsync($"{Root}/namespaces/prod/logicalports/a"))["status"]!;
        Assert.That(((bool)status["realised"]!, (int)status["ofPort"]!), Is.EqualTo((true, 5)));
    }

    [Test]
    public async Task A_watch_tells_what_comes_and_goes()
    {
        var version = (string)(await GetAsync($"{Root}/logicalports"))["metadata"]!["resourceVersion"]!;
        using var http = Client(_proxy);
        using var request = Request($"{Root}/logicalports?watch=true&resourceVersion={version}", "admin");
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var lines = new StreamReader(await response.Content.ReadAsStreamAsync());
        async Task<(string, string)> Next()
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(10));
            var step = JsonNode.Parse((await lines.ReadLineAsync(limit.Token))!)!;
            return ((string)step["type"]!, (string)step["object"]!["metadata"]!["name"]!);
        }

        _api.Put("/api/v1/pods", Manifests.Pod("prod", "c", "node1", null));
        Assert.That(await Next(), Is.EqualTo(("ADDED", "c")));
        _api.Put("/api/v1/pods", Manifests.Pod("prod", "c", "node1", "10.244.1.9"));
        Assert.That(await Next(), Is.EqualTo(("MODIFIED", "c")));
        _api.Delete("/api/v1/pods", "prod", "c");
        Assert.That(await Next(), Is.EqualTo(("DELETED", "c")));
    }

    [Test]
    public async Task Only_the_API_server_is_answered_and_only_for_users_with_the_right()
    {
        Assert.That((await SendAsync($"{Root}/logicalports", null, "admin")).StatusCode, Is.EqualTo(HttpStatusCode.Unauthorized));
        Assert.That((await SendAsync($"{Root}/logicalports", _stranger, "admin")).StatusCode, Is.EqualTo(HttpStatusCode.Unauthorized));
        using var answer = await SendAsync($"{Root}/logicalports", _proxy, "mallory");
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.Forbidden));
        Assert.That(await answer.Content.ReadAsStringAsync(), Does.Contain("mallory"));
    }

    private static async Task<bool> ReviewAsync(HttpContext http)
    {
        if (http.Request.Path != "/apis/authorization.k8s.io/v1/subjectaccessreviews")
        {
            return false;
        }

        var review = (await JsonNode.ParseAsync(http.Request.Body))!;
        review["status"] = new JsonObject { ["allowed"] = (string)review["spec"]!["user"]! == "admin" };
        http.Response.StatusCode = 201;
        await http.Response.WriteAsync(review.ToJsonString());
        return true;
    }

    private static X509Certificate2 Signed(string name, X509Certificate2 authority)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256)
            .Create(authority, DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow.AddHours(1), RandomNumberGenerator.GetBytes(8));
        return certificate.CopyWithPrivateKey(key);
    }

    private static HttpRequestMessage Request(string path, string user, string accept = "application/json")
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("X-Remote-User", user);
        request.Headers.TryAddWithoutValidation("Accept", accept);
        return request;
    }

    private HttpClient Client(X509Certificate2? certificate)
    {
        var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => true;
        if (certificate is not null)
        {
            handler.SslOptions.ClientCertificates = [certificate];
        }

        return new HttpClient(handler) { BaseAddress = new Uri(_controller.Urls.First()) };
    }

    private async Task<HttpResponseMessage> SendAsync(string path, X509Certificate2? certificate, string user, string accept = "application/json")
    {
        using var http = Client(certificate);
        using var request = Request(path, user, accept);
        return await http.SendAsync(request);
    }

    private async Task<JsonObject> GetAsync(string path, string accept = "application/json")
    {
        using var answer = await SendAsync(path, _proxy, "admin", accept);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK), text);
        return JsonSerializer.Deserialize<JsonObject>(text)!;
    }
}
