using System.Text.Json.Nodes;
using Weft.Lab.ApiServer;
using Weft.Lab.ApiServer.Tests;
using Weft.TestSupport;

namespace Weft.Chart.Tests;

/// <summary>The real helm installs, upgrades and uninstalls the chart on the lab's API server.</summary>
public sealed class InstallTests
{
    private const string Namespace = "/namespaces/weft-system";
    private TestServer _server = null!;
    private string _helm = Helm.Usual;

    [SetUp]
    public async Task StartAsync()
    {
        _server = await TestServer.StartAsync();
        await _server.CreateAsync("/api/v1/nodes", """{"metadata":{"name":"n1","labels":{"kubernetes.io/os":"linux"}}}""");
    }

    [TearDown]
    public async Task StopAsync() => await _server.DisposeAsync();

    [TestCaseSource(typeof(Helm), nameof(Helm.Programs))]
    public async Task Install_upgrade_and_uninstall_leave_what_they_should(string helm)
    {
        _helm = helm;
        await HelmAsync(["install", "weft", Helm.Chart, "--namespace", "weft-system", "--create-namespace", .. Helm.Ranges]);
        var deployment = await DeploymentAsync();
        var certificate = await SecretAsync();
        Assert.That((int?)deployment.At("spec", "replicas"), Is.EqualTo(2));
        Assert.That((await _server.GetAsync("/apis/apiregistration.k8s.io/v1/apiservices/v1alpha1.topology.weft.dev")).Code, Is.EqualTo(200));
        var agent = (await _server.GetAsync($"/apis/apps/v1{Namespace}/daemonsets/weft-agent")).Body;

        await HelmAsync(["upgrade", "weft", Helm.Chart, "--namespace", "weft-system", "--reuse-values", "--set", "controller.replicas=3,agent.logLevels.Default=Debug"]);
        Assert.That((int?)(await DeploymentAsync()).At("spec", "replicas"), Is.EqualTo(3));
        Assert.That(await SecretAsync(), Is.EqualTo(certificate), "an upgrade keeps the certificate that agents trust");
        var config = (await _server.GetAsync($"/api/v1{Namespace}/configmaps/weft-config")).Body;
        Assert.That(config.Text("data", "agent.json"), Does.Contain("\"Default\": \"Debug\""));
        var after = (await _server.GetAsync($"/apis/apps/v1{Namespace}/daemonsets/weft-agent")).Body;
        Assert.That(after.At("spec")!.ToJsonString(), Is.EqualTo(agent.At("spec")!.ToJsonString()), "a log level restarts no agent");

        var cleanup = CompleteCleanupAsync();
        await HelmAsync(["uninstall", "weft", "--namespace", "weft-system"]);
        Assert.That(cleanup.IsCompleted, Is.True, "nodes were cleaned before Helm ended");
        await cleanup;
        Assert.That(await LeftoversAsync(), Is.Empty);
    }

    /// <summary>Plays the Job's controller and kubelet: says that it is done, once the pods that clean the nodes are there.</summary>
    private async Task CompleteCleanupAsync()
    {
        await Eventually.True("the Job that cleans the nodes, and its pods", async () =>
        {
            var job = await _server.GetAsync($"/apis/batch/v1{Namespace}/jobs/weft-cleanup");
            var pods = (await _server.GetAsync($"/api/v1{Namespace}/pods")).Body["items"].Objects().Select(p => p.Text("metadata", "name")!);
            return job.Code == 200 && pods.Any(p => p.StartsWith("weft-cleanup", StringComparison.Ordinal));
        }, TimeSpan.FromMinutes(1));
        await _server.PatchAsync($"/apis/batch/v1{Namespace}/jobs/weft-cleanup/status", "merge",
            """{"status":{"succeeded":1,"conditions":[{"type":"Complete","status":"True"}]} }""");
    }

    private async Task<IReadOnlyList<string>> LeftoversAsync()
    {
        var left = new List<string>();
        foreach (var type in _server.Host.Registry.All.Where(t => !t.CreateOnly && t.Kind is not ("Namespace" or "Event" or "CustomResourceDefinition")))
        {
            var path = type.Group.Length == 0 ? $"/api/{type.Version}/{type.Plural}" : $"/apis/{type.Group}/{type.Version}/{type.Plural}";
            // Pods of deleted workloads go a moment later, by the garbage collector.
            await Eventually.True($"no {type.Plural} of weft", async () =>
            {
                left.RemoveAll(l => l.StartsWith(type.Kind + " ", StringComparison.Ordinal));
                left.AddRange((await _server.GetAsync(path)).Body["items"].Objects()
                    .Where(o => (o.Text("metadata", "name") ?? "").Contains("weft", StringComparison.Ordinal) && o.At("metadata", "deletionTimestamp") is null)
                    .Select(o => $"{type.Kind} {o.Text("metadata", "name")}"));
                return left.All(l => !l.StartsWith(type.Kind + " ", StringComparison.Ordinal));
            });
        }

        return left;
    }

    private async Task<JsonObject> DeploymentAsync() => (await _server.GetAsync($"/apis/apps/v1{Namespace}/deployments/weft-controller")).Body;

    private async Task<string?> SecretAsync() => (await _server.GetAsync($"/api/v1{Namespace}/secrets/weft-controller-tls")).Body.Text("data", "tls.crt");

    private async Task HelmAsync(string[] arguments)
    {
        var result = await Helm.RunAsync(arguments, _server.Host.KubeconfigPath, _helm);
        Assert.That(result.ExitCode, Is.Zero, $"helm {arguments[0]}: {result.Error}{result.Output}");
    }
}
