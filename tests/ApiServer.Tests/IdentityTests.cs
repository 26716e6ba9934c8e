using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Weft.TestSupport;

namespace Weft.Lab.ApiServer.Tests;

/// <summary>Who may do what, over HTTPS, with RBAC on.</summary>
public sealed class IdentityTests
{
    private const string Bindings = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";

    private TestServer _server = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _server = await TestServer.StartAsync(o => o with { Authorization = AuthorizationMode.RBAC });
        await Eventually.True("the default account", async () => (await _server.GetAsync("/api/v1/namespaces/default/serviceaccounts/default")).Code == 200);
    }

    [TearDown]
    public async Task StopAsync() => await _server.DisposeAsync();

    [Test]
    public async Task An_account_may_do_what_its_roles_say_and_nothing_else()
    {
        var token = await TokenAsync("{}");
        var refused = await AsAsync(token, HttpMethod.Get, "/api/v1/namespaces/default/pods");
        Assert.That((refused.Code, refused.Message), Is.EqualTo((403,
            "pods is forbidden: User \"system:serviceaccount:default:default\" cannot list resource \"pods\" in API group \"\" in the namespace \"default\"")));
        await _server.CreateAsync("/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles", """{"metadata":{"name":"reader"},"rules":[{"apiGroups":[""],"resources":["pods","pods/status"],"verbs":["get","list","patch"]},{"apiGroups":["apps"],"resources":["*"],"resourceNames":["web"],"verbs":["get"]}]}""");
        await _server.CreateAsync("/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings", """{"metadata":{"name":"reader"},"subjects":[{"kind":"ServiceAccount","name":"default","namespace":"default"}],"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"reader"}}""");
        (HttpMethod Method, string Path, int Code)[] expected =
        [
            (HttpMethod.Get, "/api/v1/namespaces/default/pods", 200),
            (HttpMethod.Get, "/api/v1/namespaces/default/pods?watch=true&timeoutSeconds=1", 403),
            (HttpMethod.Get, "/api/v1/namespaces/default/pods/none", 404),
            (HttpMethod.Patch, "/api/v1/namespaces/default/pods/none/status", 404),
            (HttpMethod.Delete, "/api/v1/namespaces/default/pods/none", 403),
            (HttpMethod.Delete, "/api/v1/namespaces/default/pods", 403),
            (HttpMethod.Get, "/api/v1/namespaces/kube-system/pods", 403),
            (HttpMethod.Get, "/api/v1/pods", 403),
            (HttpMethod.Get, "/apis/apps/v1/namespaces/default/deployments/web", 404),
            (HttpMethod.Get, "/apis/apps/v1/namespaces/default/deployments/db", 403),
            (HttpMethod.Get, "/apis/apps/v1/namespaces/default/deployments", 403),
            (HttpMethod.Get, "/apis", 200),
            (HttpMethod.Get, "/metrics", 403),
        ];
        foreach (var (method, path, code) in expected)
        {
            Assert.That((await AsAsync(token, method, path, method == HttpMethod.Patch ? "{}" : null)).Code, Is.EqualTo(code), $"{method} {path}");
        }

        await _server.CreateAsync(Bindings, """{"metadata":{"name":"admins"},"subjects":[{"kind":"Group","name":"system:serviceaccounts:default"}],"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"cluster-admin"}}""");
        Assert.That((await AsAsync(token, HttpMethod.Get, "/api/v1/pods")).Code, Is.EqualTo(200));
        await _server.DeleteAsync(Bindings + "/admins");
        Assert.That((await AsAsync(token, HttpMethod.Get, "/api/v1/pods")).Code, Is.EqualTo(403), "a right ends with its binding");
    }

    [Test]
    public async Task Aggregated_roles_are_the_union_of_those_they_select()
    {
        await _server.CreateAsync("/apis/rbac.authorization.k8s.io/v1/clusterroles", """{"metadata":{"name":"sum"},"aggregationRule":{"clusterRoleSelectors":[{"matchLabels":{"part":"yes"}}]},"rules":[]}""");
        await _server.CreateAsync("/apis/rbac.authorization.k8s.io/v1/clusterroles", """{"metadata":{"name":"part","labels":{"part":"yes"}},"rules":[{"apiGroups":[""],"resources":["nodes"],"verbs":["list"]}]}""");
        await _server.CreateAsync(Bindings, """{"metadata":{"name":"b"},"subjects":[{"kind":"User","name":"joe"}],"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"sum"}}""");
        Assert.That(await AllowedAsync("joe", "list", "nodes"), Is.True);
        Assert.That(await AllowedAsync("joe", "delete", "nodes"), Is.False);
        Assert.That(await AllowedAsync("jane", "list", "nodes"), Is.False);
    }

    [Test]
    public async Task A_token_review_names_the_account_its_pod_and_its_node()
    {
        await _server.CreateAsync("/api/v1/nodes", """{"metadata":{"name":"n1"}}""");
        var pod = await _server.CreateAsync("/api/v1/namespaces/default/pods", TestServer.Pod("agent", ""","nodeName":"n1" """));
        var token = await TokenAsync("""{"spec":{"audiences":["weft"],"boundObjectRef":{"kind":"Pod","apiVersion":"v1","name":"agent"}}}""");
        var review = await ReviewAsync(token, "weft");
        Assert.Multiple(() =>
        {
            Assert.That(review.Flag("authenticated"), Is.True);
            Assert.That(review.Text("user", "username"), Is.EqualTo("system:serviceaccount:default:default"));
            Assert.That(review.At("user", "extra", "authentication.kubernetes.io/node-name")!.ToJsonString(), Is.EqualTo("""["n1"]"""));
            Assert.That(review.At("user", "extra", "authentication.kubernetes.io/pod-uid")![0]!.GetValue<string>(), Is.EqualTo(pod.Text("metadata", "uid")));
        });
        Assert.That((await ReviewAsync(token, "other")).Flag("authenticated"), Is.False, "it is for another audience");
        Assert.That((await AsAsync(token, HttpMethod.Get, "/api")).Code, Is.EqualTo(401), "it is not for the API server");
        Assert.That((await ReviewAsync(token[..^3] + "abc", "weft")).Flag("authenticated"), Is.False);
        Assert.That((await ReviewAsync("nonsense", "weft")).Flag("authenticated"), Is.False);
        await _server.DeleteAsync("/api/v1/namespaces/default/pods/agent", """{"gracePeriodSeconds":0}""");
        Assert.That((await ReviewAsync(token, "weft")).Flag("authenticated"), Is.False, "it ends with its pod");
    }

    [TestCase("""{"spec":{"expirationSeconds":5}}""", "may not specify a duration less than 10 minutes")]
    [TestCase("""{"spec":{"boundObjectRef":{"kind":"Pod","name":"none"}}}""", "pods \"none\" not found")]
    [TestCase("""{"spec":{"boundObjectRef":{"kind":"Service","name":"none"}}}""", "cannot bind token to object of type Service")]
    public async Task A_wrong_token_request_is_refused(string json, string why) =>
        Assert.That((await _server.PostAsync("/api/v1/namespaces/default/serviceaccounts/default/token", json)).Message, Does.Contain(why));

    [Test]
    public async Task Strangers_are_anonymous_and_wrong_credentials_are_refused()
    {
        Assert.That((await AsAsync(null, HttpMethod.Get, "/version")).Code, Is.EqualTo(200));
        var anonymous = await AsAsync(null, HttpMethod.Get, "/api/v1/pods");
        Assert.That((anonymous.Code, anonymous.Message), Is.EqualTo((403, "pods is forbidden: User \"system:anonymous\" cannot list resource \"pods\" in API group \"\" at the cluster scope")));
        Assert.That((await AsAsync("nonsense", HttpMethod.Get, "/api/v1/pods")).Code, Is.EqualTo(401));
        Assert.That((await AsAsync(null, HttpMethod.Post, "/private/faults/compact")).Code, Is.EqualTo(403), "faults are for the unix socket only");
    }

    private async Task<bool> AllowedAsync(string user, string verb, string resource) =>
        (await _server.CreateAsync("/apis/authorization.k8s.io/v1/subjectaccessreviews",
            $$"""{"spec":{"user":"{{user}}","resourceAttributes":{"verb":"{{verb}}","resource":"{{resource}}"} } }""")).Flag("status", "allowed");

    private async Task<JsonNode?> ReviewAsync(string token, string audience) =>
        (await _server.CreateAsync("/apis/authentication.k8s.io/v1/tokenreviews", $$"""{"spec":{"token":"{{token}}","audiences":["{{audience}}"]} }"""))["status"];

    private async Task<string> TokenAsync(string json) =>
        (await _server.CreateAsync("/api/v1/namespaces/default/serviceaccounts/default/token", json)).Text("status", "token")!;

    /// <summary>A request over HTTPS; the server's certificate must be from its own authority.</summary>
    private async Task<Answer> AsAsync(string? token, HttpMethod method, string path, string? body = null)
    {
        using var authority = X509Certificate2.CreateFromPem(await File.ReadAllTextAsync(Path.Combine(_server.Folder, "ca.crt")));
        using var handler = new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                CertificateChainPolicy = new X509ChainPolicy
                {
                    TrustMode = X509ChainTrustMode.CustomRootTrust,
                    CustomTrustStore = { authority },
                    RevocationMode = X509RevocationMode.NoCheck,
                },
            },
        };
        using var http = new HttpClient(handler) { BaseAddress = new Uri(_server.Host.Url) };
        using var request = new HttpRequestMessage(method, path) { Version = new Version(2, 0) };
        if (token is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8, "application/merge-patch+json");
        }

        using var response = await http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return new Answer((int)response.StatusCode, text.StartsWith('{') ? JsonNode.Parse(text)!.AsObject() : [], "");
    }
}
