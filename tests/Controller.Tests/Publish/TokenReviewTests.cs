using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Weft.Controller.Publish;
using Weft.Kubernetes;
using Weft.TestSupport;

namespace Weft.Controller.Tests.Publish;

/// <summary>An agent can ask only for its own node.</summary>
public sealed class TokenReviewTests
{
    private const string Agent = "system:serviceaccount:weft-system:weft-agent";
    private FakeApiServer _api = null!;
    private KubernetesClient _client = null!;
    private TokenReviewAuthentication _authentication = null!;
    private int _reviews;

    [SetUp]
    public async Task Start()
    {
        _api = await FakeApiServer.StartAsync();
        _client = new KubernetesClient(new ClusterConnection { Server = _api.Url });
        _authentication = new TokenReviewAuthentication(_client, "weft-system", "weft-agent", TimeProvider.System);
        _reviews = 0;
    }

    [TearDown]
    public async Task Stop()
    {
        _client.Dispose();
        await _api.DisposeAsync();
    }

    [Test]
    public async Task A_token_bound_to_the_node_is_let_in_for_that_node_only_and_asked_about_once()
    {
        Answer(token => User(Agent, token == "good", """{"authentication.kubernetes.io/node-name":["node1"]}"""));
        Assert.Multiple(async () =>
        {
            Assert.That((await Check("good", "node1")).Status, Is.EqualTo(200));
            Assert.That((await Check("good", "node2")).Status, Is.EqualTo(403));
            Assert.That((await Check("good", "node2")).Message, Does.Contain("node1").And.Contain("node2"));
        });
        Assert.That(_reviews, Is.EqualTo(1));
    }

    [Test]
    public async Task A_token_without_a_node_is_judged_by_its_pod()
    {
        Answer(_ => User(Agent, true, """{"authentication.kubernetes.io/pod-name":["agent-x"]}"""));
        _api.Put("/api/v1/pods", Manifests.Pod("weft-system", "agent-x", "node3", null));
        Assert.That((await Check("t", "node3")).Status, Is.EqualTo(200));
        Assert.That((await Check("t", "node1")).Status, Is.EqualTo(403));
    }

    [Test]
    public async Task Every_other_token_is_refused_with_the_reason()
    {
        Answer(token => token switch
        {
            "bad" => User(Agent, false, "{}"),
            "stranger" => User("system:serviceaccount:default:default", true, """{"authentication.kubernetes.io/node-name":["node1"]}"""),
            _ => User(Agent, true, "{}"),
        });
        var (none, bad, stranger, unbound) = (await Check("", "node1"), await Check("bad", "node1"), await Check("stranger", "node1"), await Check("u", "node1"));
        Assert.Multiple(() =>
        {
            Assert.That((none.Status, none.Message), Is.EqualTo((401, "no token: set tokenFile in the agent's configuration")));
            Assert.That(bad.Status, Is.EqualTo(401));
            Assert.That((stranger.Status, stranger.Message), Is.EqualTo((403, $"the token is of system:serviceaccount:default:default, not of {Agent}")));
            Assert.That(unbound.Status, Is.EqualTo(403));
        });
    }

    [Test]
    public async Task When_Kubernetes_cannot_be_asked_nobody_new_is_let_in()
    {
        _api.Intercept = async http =>
        {
            await FakeApiServer.FailAsync(http, 500, "InternalError", "etcd is away");
            return true;
        };
        var answer = await Check("good", "node1");
        Assert.That(answer.Status, Is.EqualTo(503));
        Assert.That(answer.Message, Does.Contain("etcd is away"));
    }

    private Task<AuthenticationAnswer> Check(string token, string node) => _authentication.CheckAsync(token, node, CancellationToken.None);

    private static string User(string name, bool authenticated, string extra) =>
        $$"""{"authenticated":{{(authenticated ? "true" : "false")}},"user":{"username":"{{name}}","extra":{{extra}}} }""";

    private void Answer(Func<string, string> statusOf) => _api.Intercept = async http =>
    {
        if (http.Request.Path != "/apis/authentication.k8s.io/v1/tokenreviews")
        {
            return false;
        }

        Interlocked.Increment(ref _reviews);
        var review = (JsonObject)(await JsonNode.ParseAsync(http.Request.Body))!;
        review["status"] = JsonNode.Parse(statusOf(review["spec"]!["token"]!.GetValue<string>()));
        http.Response.StatusCode = 201;
        await http.Response.WriteAsync(review.ToJsonString());
        return true;
    };
}
