using System.Text.Json.Nodes;
using Weft.Lab.Kubelet;
using Weft.Lab.Net;
using Weft.TestSupport;

namespace Weft.Lab.Tests.EndToEnd;

/// <summary>What a runtime does wrong, and what it gets told: the real plugin with the real agent.</summary>
public sealed class BadInputTests
{
    private TestLab _lab = null!;
    private CniCall _cni = null!;

    [OneTimeSetUp]
    public async Task StartLab() => 
        _lab = await TestLab.UpAsync("bad", nodes: 1, clusterCidrs: "10.10.0.0/24,fd00:10:10::/64");

    [OneTimeTearDown]
    public async Task EndLab()
    {
        if (_lab is not null)
        {
            await _lab.DisposeAsync();
        }
    }

    [SetUp]
    public async Task ReadConfiguration() => _cni = await _lab.CniAsync("node1");

    [Test]
    public async Task A_configuration_of_an_unknown_version_is_code_1()
    {
        _cni.Configuration["cniVersion"] = "9.9.9";
        await FailsAsync("ADD", Somebody(), [1], "9.9.9");
    }

    [Test]
    public async Task A_configuration_with_a_field_of_the_wrong_type_is_code_6_or_7()
    {
        _cni.Configuration["name"] = new JsonObject();
        await FailsAsync("ADD", Somebody(), [6, 7], "name");
    }

    [Test]
    public async Task A_pod_that_the_cluster_does_not_know_is_refused_by_name()
    {
        var sandbox = await SandboxAsync("ghost");
        await FailsAsync("ADD", sandbox, [3, 11, .. Enumerable.Range(100, 100)], "ghost");
        await _cni.RunAsync("DEL", sandbox, CancellationToken.None);
        await sandbox.Netns.DeleteAsync(CancellationToken.None);
    }

    [Test]
    public async Task A_missing_network_namespace_is_refused_by_its_path()
    {
        var pod = await _lab.PodAsync("node1");
        var sandbox = new Sandbox("default", pod.Name, pod.Uid, 77, new Netns(TestLab.NameOf("bad") + "-nowhere"));
        await FailsAsync("ADD", sandbox, [3, 4, 5, .. Enumerable.Range(100, 100)], sandbox.Netns.Path);
        await _cni.RunAsync("DEL", sandbox, CancellationToken.None);
        await _lab.DeletePodAsync(pod.Name);
    }

    [Test]
    public async Task A_second_ADD_for_the_same_interface_is_answered_and_changes_nothing()
    {
        var pod = await _lab.PodAsync("node1");
        var attempt = Enumerable.Range(0, 50).First(a => _lab.Cluster.Layout.Pod(pod.Uid, a).Name == pod.Netns.Name);
        var sandbox = new Sandbox("default", pod.Name, pod.Uid, attempt, pod.Netns);
        var flows = await _lab.FlowsAsync("node1");

        try
        {
            var again = await _cni.RunAsync("ADD", sandbox, CancellationToken.None);
            Assert.That(again!["ips"]!.ToJsonString(), Does.Contain(pod.V4.ToString()).And.Contain(pod.V6.ToString()));
        }
        catch (CniCallException e)
        {
            // Refusing is as good by the specification; it must say what to do.
            Assert.That(e.Message, Does.Contain("DEL"));
        }

        Assert.That(await _lab.FlowsAsync("node1"), Is.EqualTo(flows));
        await _cni.RunAsync("CHECK", sandbox, CancellationToken.None).ContinueWith(_ => { }, TaskScheduler.Default);
        await _lab.DeletePodAsync(pod.Name);
    }

    [Test]
    public async Task DEL_of_the_unknown_succeeds()
    {
        var result = await _cni.RunAsync("DEL", Somebody(), CancellationToken.None);
        Assert.That(result, Is.Null);
    }

    [Test]
    public async Task CHECK_of_the_unknown_is_refused() =>
        await FailsAsync("CHECK", Somebody(), [3, .. Enumerable.Range(100, 100)], "");

    [Test]
    public async Task A_stopped_agent_is_code_11_and_pods_start_when_it_is_back()
    {
        await _lab.Cluster.StopAsync("node1/agent", force: true, CancellationToken.None);
        await FailsAsync("ADD", Somebody(), [11], "weft-agent");
        await _lab.CreatePodAsync("node1", "patient");
        await Eventually.True("an event that says why", async () =>
            (await _lab.Api.GetAsync("/api/v1/namespaces/default/events", CancellationToken.None)).ToJsonString()
                .Contains("FailedCreatePodSandBox", StringComparison.Ordinal));

        _lab.Cluster.StartAgain("node1/agent");

        var pod = await _lab.ReadyPodAsync("patient");
        Assert.That(pod.View.Addresses, Has.Count.EqualTo(2));
        await _lab.DeletePodAsync("patient");
    }

    [Test]
    public async Task A_node_without_pod_range_gets_a_condition_and_an_event_and_the_others_go_on()
    {
        const string Node = "/api/v1/nodes/bare";
        // The first node has the cluster's only range.
        await _lab.Api.CreateAsync("/api/v1/nodes", new JsonObject
        {
            ["apiVersion"] = "v1", ["kind"] = "Node", ["metadata"] = new JsonObject { ["name"] = "bare" },
        }, CancellationToken.None);
        try
        {
            var json = "";
            await Eventually.True("a condition NetworkUnavailable of the node 'bare'", async () =>
                (json = (await _lab.Api.GetAsync(Node, CancellationToken.None))["status"]?["conditions"]?.ToJsonString() ?? "")
                    .Contains("NetworkUnavailable", StringComparison.Ordinal), TimeSpan.FromSeconds(15));
            await Eventually.True("an event about the node 'bare'", async () =>
                (await _lab.Api.GetAsync("/api/v1/events", CancellationToken.None))["items"]!.AsArray()
                    .Any(e => (string?)e!["involvedObject"]?["name"] == "bare"), TimeSpan.FromSeconds(15));
            Assert.That(json, Does.Contain("podCIDR").IgnoreCase, "the condition says what is missing");
        }
        finally
        {
            await _lab.Api.DeleteAsync(Node, CancellationToken.None);
        }

        var pod = await _lab.PodAsync("node1");
        await _lab.DeletePodAsync(pod.Name);
    }

    private static Sandbox Somebody() => new("default", "nobody", "00000000-0000-0000-0000-000000000000", 0, new Netns(TestLab.NameOf("bad") + "-none"));

    private static async Task<Sandbox> SandboxAsync(string pod)
    {
        var sandbox = new Sandbox("default", pod, Guid.NewGuid().ToString(), 0, new Netns(TestLab.NameOf("bad") + "-pod-00000000beef"));
        await sandbox.Netns.DeleteAsync(CancellationToken.None);
        await sandbox.Netns.CreateAsync(CancellationToken.None);
        return sandbox;
    }

    private Task FailsAsync(string command, Sandbox sandbox, int[] codes, string named)
    {
        var error = Assert.ThrowsAsync<CniCallException>(() => _cni.RunAsync(command, sandbox, CancellationToken.None));
        Assert.Multiple(() =>
        {
            Assert.That(codes, Does.Contain(error!.Code), error.Message);
            Assert.That(error!.Message, Does.Contain(named));
        });
        return Task.CompletedTask;
    }
}
