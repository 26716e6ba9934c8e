using System.Text.Json.Nodes;
using Weft.TestSupport;

namespace Weft.Lab.ApiServer.Tests;

/// <summary>What the controllers inside the process do, seen from outside.</summary>
public sealed class ControllerTests
{
    private const string Pods = "/api/v1/namespaces/default/pods";
    private const string Services = "/api/v1/namespaces/default/services";
    private const string Apps = "/apis/apps/v1/namespaces/default";
    private const string Slices = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";

    private TestServer _server = null!;

    [SetUp]
    public async Task StartAsync() => _server = await TestServer.StartAsync();

    [TearDown]
    public async Task StopAsync() => await _server.DisposeAsync();

    [Test]
    public async Task Nodes_get_ranges_of_both_families_that_are_used_again_only_when_free()
    {
        foreach (var name in (string[])["n1", "n2", "n3"])
        {
            await NodeAsync(name);
        }

        Assert.That(await RangesAsync("n1"), Is.EqualTo("10.244.0.0/24 fd00:10:244::/64"));
        Assert.That(await RangesAsync("n3"), Is.EqualTo("10.244.2.0/24 fd00:10:244:2::/64"));
        await _server.DeleteAsync("/api/v1/nodes/n2");
        await NodeAsync("n4");
        Assert.That(await RangesAsync("n4"), Is.EqualTo("10.244.1.0/24 fd00:10:244:1::/64"));
        var changed = await _server.PatchAsync("/api/v1/nodes/n1", "merge", """{"spec":{"podCIDR":"10.244.9.0/24","podCIDRs":["10.244.9.0/24"]}}""");
        Assert.That(changed.Message, Does.Contain("node updates may not change podCIDR except from"));
    }

    [Test]
    public async Task Pods_are_spread_and_follow_selectors_affinity_and_taints()
    {
        await NodeAsync("n1", "\"disk\":\"ssd\"");
        await NodeAsync("n2");
        await _server.CreateAsync("/api/v1/nodes", """{"metadata":{"name":"n3"},"spec":{"taints":[{"key":"special","effect":"NoSchedule"}]}}""");
        for (var i = 0; i < 6; i++)
        {
            await _server.CreateAsync(Pods, TestServer.Pod($"p{i}"));
        }

        await Eventually.True("six pods on two nodes", async () =>
            (await _server.GetAsync(Pods)).Body["items"].Objects().GroupBy(p => p.Text("spec", "nodeName")).Select(g => $"{g.Key}:{g.Count()}").Order().SequenceEqual(["n1:3", "n2:3"]));
        await _server.CreateAsync(Pods, TestServer.Pod("ssd", ""","nodeSelector":{"disk":"ssd"}"""));
        await _server.CreateAsync(Pods, TestServer.Pod("named", ""","affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{"matchFields":[{"key":"metadata.name","operator":"In","values":["n2"]}]}]}}}"""));
        await _server.CreateAsync(Pods, TestServer.Pod("tolerant", ""","nodeSelector":{},"tolerations":[{"key":"special","operator":"Exists"}]"""));
        await _server.CreateAsync(Pods, TestServer.Pod("nowhere", ""","nodeSelector":{"disk":"tape"}"""));
        Assert.That(await NodeOfAsync("ssd"), Is.EqualTo("n1"));
        Assert.That(await NodeOfAsync("named"), Is.EqualTo("n2"));
        Assert.That(await NodeOfAsync("tolerant"), Is.EqualTo("n3"), "it has the fewest pods");
        await Eventually.True("the condition that says why", async () =>
            (await _server.GetAsync(Pods + "/nowhere")).Body.At("status", "conditions").Objects().Any(c => c.Text("reason") == "Unschedulable"));
        await NodeAsync("n4", "\"disk\":\"tape\"");
        Assert.That(await NodeOfAsync("nowhere"), Is.EqualTo("n4"), "a new node is looked at");
    }

    [Test]
    public async Task A_pod_is_bound_once()
    {
        await _server.CreateAsync(Pods, TestServer.Pod("p"));
        Assert.That((await _server.PostAsync(Pods + "/p/binding", """{"metadata":{"name":"p"},"target":{"kind":"Node","name":"n1"}}""")).Code, Is.EqualTo(201));
        var again = await _server.PostAsync(Pods + "/p/binding", """{"metadata":{"name":"p"},"target":{"kind":"Node","name":"n2"}}""");
        Assert.That((again.Code, again.Message), Is.EqualTo((409, "Operation cannot be fulfilled on pods \"p\": pod p is already assigned to node \"n1\"")));
    }

    [Test]
    public async Task Services_get_addresses_and_ports_of_the_families_they_ask_for()
    {
        var single = await ServiceAsync("single", "");
        Assert.That(single.At("spec", "ipFamilies").Texts(), Is.EqualTo(new[] { "IPv4" }));
        Assert.That(single.Text("spec", "clusterIP"), Does.StartWith("10.96."));
        var dual = await ServiceAsync("dual", ""","ipFamilyPolicy":"PreferDualStack","type":"NodePort" """);
        Assert.That(dual.At("spec", "clusterIPs").Texts().Select(a => a.Contains(':')), Is.EqualTo(new[] { false, true }));
        Assert.That(dual.At("spec", "ports").Objects().Single().Integer("nodePort"), Is.InRange(30000, 32767));
        var six = await ServiceAsync("six", ""","ipFamilies":["IPv6"]""");
        Assert.That(six.Text("spec", "clusterIP"), Does.StartWith("fd00:10:96::"));
        var headless = await ServiceAsync("headless", ""","clusterIP":"None" """);
        Assert.That(headless.At("spec", "clusterIPs").Texts(), Is.EqualTo(new[] { "None" }));
        var address = single.Text("spec", "clusterIP");
        var taken = await _server.PostAsync(Services, $$"""{"metadata":{"name":"thief"},"spec":{"clusterIP":"{{address}}","ports":[{"port":80}]} }""");
        Assert.That((taken.Code, taken.Message), Is.EqualTo((422, taken.Message)));
        Assert.That(taken.Message, Does.Contain("provided IP is already allocated"));
        await _server.DeleteAsync(Services + "/single");
        Assert.That((await ServiceAsync("heir", $$""","clusterIP":"{{address}}" """)).Text("spec", "clusterIP"), Is.EqualTo(address), "freed with its Service");
        var kept = await _server.PutAsync(Services + "/dual", """{"metadata":{"name":"dual"},"spec":{"type":"NodePort","ports":[{"port":80},{"port":81,"name":"b"}],"selector":{"a":"b"}}}""");
        Assert.That(kept.Message, Does.Contain("spec.ports[0].name: Required value"));
        kept = await _server.PutAsync(Services + "/dual", """{"metadata":{"name":"dual"},"spec":{"type":"NodePort","ports":[{"port":80}],"selector":{"a":"b"}}}""");
        Assert.That(kept.Body.At("spec", "clusterIPs")!.ToJsonString(), Is.EqualTo(dual.At("spec", "clusterIPs")!.ToJsonString()));
        Assert.That(kept.Body.At("spec", "ports").Objects().Single().Integer("nodePort"), Is.EqualTo(dual.At("spec", "ports").Objects().Single().Integer("nodePort")));
    }

    [TestCase("""{"ports":[]}""", "spec.ports: Required value")]
    [TestCase("""{"ports":[{"port":0}]}""", "spec.ports[0].port")]
    [TestCase("""{"ports":[{"port":80,"targetPort":70000}]}""", "spec.ports[0].targetPort")]
    [TestCase("""{"ports":[{"port":80,"protocol":"ICMP"}]}""", "spec.ports[0].protocol")]
    [TestCase("""{"ports":[{"port":80,"nodePort":30001}]}""", "may not be used when `type` is 'ClusterIP'")]
    [TestCase("""{"type":"NodePort","ports":[{"port":80,"nodePort":80}]}""", "30000-32767")]
    [TestCase("""{"clusterIP":"1.2.3.4","ports":[{"port":80}]}""", "is not in the valid range")]
    [TestCase("""{"type":"ExternalName"}""", "spec.externalName: Required value")]
    public async Task A_wrong_service_is_refused(string spec, string why) =>
        Assert.That((await _server.PostAsync(Services, $$"""{"metadata":{"name":"x"},"spec":{{spec}} }""")).Message, Does.Contain(why));

    [Test]
    public async Task EndpointSlices_follow_the_pods_of_a_service()
    {
        await _server.CreateAsync("/api/v1/nodes", """{"metadata":{"name":"n1","labels":{"topology.kubernetes.io/zone":"east"}}}""");
        await _server.CreateAsync(Services, """{"metadata":{"name":"web"},"spec":{"selector":{"app":"web"},"ipFamilyPolicy":"PreferDualStack","trafficDistribution":"PreferClose","ports":[{"name":"http","port":80,"targetPort":"web"}]}}""");
        await _server.CreateAsync(Pods, TestServer.Pod("a", labels: "\"app\":\"web\""));
        await _server.CreateAsync(Pods, TestServer.Pod("b", labels: "\"app\":\"web\""));
        Assert.That(await NodeOfAsync("b"), Is.EqualTo("n1"));
        await _server.RunPodAsync("default", "a", "10.244.0.2,fd00::2");
        await _server.RunPodAsync("default", "b", "10.244.0.3,fd00::3", ready: false);
        await EndpointsAsync("web", "IPv4:8080 10.244.0.2/ready 10.244.0.3/-", "IPv6:8080 fd00::2/ready fd00::3/-");
        await _server.RunPodAsync("default", "b", "10.244.0.3,fd00::3");
        await _server.DeleteAsync(Pods + "/a");
        await EndpointsAsync("web", "IPv4:8080 10.244.0.2/terminating 10.244.0.3/ready", "IPv6:8080 fd00::2/terminating fd00::3/ready");
        await _server.DeleteAsync(Pods + "/a", """{"gracePeriodSeconds":0}""");
        await EndpointsAsync("web", "IPv4:8080 10.244.0.3/ready", "IPv6:8080 fd00::3/ready");
        var slice = (await _server.GetAsync(Slices + "?labelSelector=kubernetes.io/service-name%3Dweb")).Body["items"].Objects().First()["endpoints"].Objects().Single();
        Assert.That((slice.Text("nodeName"), slice.Text("zone"), slice["hints"]?.ToJsonString()), Is.EqualTo(("n1", "east", """{"forZones":[{"name":"east"}]}""")));
        await _server.PatchAsync(Pods + "/b", "merge", """{"metadata":{"labels":{"app":"db"}}}""");
        await EndpointsAsync("web", "IPv4:", "IPv6:");
        await _server.DeleteAsync(Services + "/web");
        await EndpointsAsync("web");
    }

    [Test]
    public async Task Large_services_are_split_into_slices_of_a_hundred()
    {
        await NodeAsync("n1");
        await _server.CreateAsync(Services, """{"metadata":{"name":"big"},"spec":{"selector":{"app":"big"},"ports":[{"port":80}]}}""");
        for (var i = 0; i < 120; i++)
        {
            await _server.CreateAsync(Pods, TestServer.Pod($"p{i}", labels: "\"app\":\"big\""));
            await _server.RunPodAsync("default", $"p{i}", $"10.244.0.{i + 1}");
        }

        await Eventually.True("two slices with 120 endpoints", async () =>
            (await _server.GetAsync(Slices + "?labelSelector=kubernetes.io/service-name%3Dbig")).Body["items"].Objects()
                .Select(s => s["endpoints"].Objects().Count()).Order().SequenceEqual([20, 100]));
    }

    [Test]
    public async Task A_deployment_makes_scales_rolls_and_removes_pods()
    {
        await NodeAsync("n1");
        using var kubelet = new ReadyKubelet(_server);
        await _server.CreateAsync(Apps + "/deployments", Workload("Deployment", "web", 4));
        await RolledAsync("web", 4);
        await _server.PatchAsync(Apps + "/deployments/web/scale", "merge", """{"spec":{"replicas":2}}""");
        await RolledAsync("web", 2);
        kubelet.Lowest = int.MaxValue;
        await _server.PatchAsync(Apps + "/deployments/web", "strategic", """{"spec":{"template":{"spec":{"containers":[{"name":"c","image":"i:2"}]}}}}""");
        await RolledAsync("web", 2);
        Assert.That(kubelet.Lowest, Is.GreaterThanOrEqualTo(2), "maxUnavailable is 25% of two pods: none");
        var images = (await _server.GetAsync(Pods)).Body["items"].Objects().Select(p => p.At("spec", "containers").Objects().Single().Text("image"));
        Assert.That(images, Is.All.EqualTo("i:2"));
        await _server.DeleteAsync(Apps + "/deployments/web");
        await Eventually.True("all are gone", async () =>
            !(await _server.GetAsync(Pods)).Names.Any() && !(await _server.GetAsync(Apps + "/replicasets")).Names.Any());
    }

    [Test]
    public async Task A_daemonset_puts_one_pod_on_each_node()
    {
        await NodeAsync("n1");
        await NodeAsync("n2");
        using var kubelet = new ReadyKubelet(_server);
        await _server.CreateAsync(Apps + "/daemonsets", Workload("DaemonSet", "agent", null));
        await PlacesAsync("n1 n2");
        await NodeAsync("n3");
        await PlacesAsync("n1 n2 n3");
        await _server.DeleteAsync("/api/v1/nodes/n1");
        await PlacesAsync("n2 n3");
    }

    [Test]
    public async Task A_statefulset_counts_up_and_down_in_order()
    {
        await NodeAsync("n1");
        using var kubelet = new ReadyKubelet(_server);
        await _server.CreateAsync(Apps + "/statefulsets", Workload("StatefulSet", "db", 3));
        await Eventually.True("three ready pods", async () => (await _server.GetAsync(Apps + "/statefulsets/db")).Body.Integer("status", "readyReplicas") == 3);
        Assert.That(kubelet.Started, Is.EqualTo(new[] { "db-0", "db-1", "db-2" }));
        await _server.DeleteAsync(Pods + "/db-1");
        await Eventually.True("db-1 is made again", async () => kubelet.Started.Count == 4 && (await _server.GetAsync(Apps + "/statefulsets/db")).Body.Integer("status", "readyReplicas") == 3);
        Assert.That(kubelet.Started[^1], Is.EqualTo("db-1"));
        await _server.PatchAsync(Apps + "/statefulsets/db/scale", "merge", """{"spec":{"replicas":1}}""");
        await Eventually.True("one pod is left", async () => (await _server.GetAsync(Pods)).Names.SequenceEqual(["db-0"]));
    }

    [Test]
    public async Task Orphans_are_kept_and_foreground_deletion_waits()
    {
        await _server.CreateAsync(Apps + "/replicasets", Workload("ReplicaSet", "kept", 2));
        await Eventually.True("two pods", async () => (await _server.GetAsync(Pods)).Names.Count() == 2);
        await _server.DeleteAsync(Apps + "/replicasets/kept", """{"propagationPolicy":"Orphan"}""");
        await Eventually.True("the set is gone", async () => (await _server.GetAsync(Apps + "/replicasets/kept")).Code == 404);
        Assert.That((await _server.GetAsync(Pods)).Body["items"].Objects().Select(p => p.At("metadata", "ownerReferences").Objects().Count()), Is.EqualTo(new[] { 0, 0 }));

        var owner = await _server.CreateAsync("/api/v1/namespaces/default/configmaps", """{"metadata":{"name":"owner"}}""");
        await _server.CreateAsync("/api/v1/namespaces/default/secrets", $$"""{"metadata":{"name":"owned","finalizers":["weft.dev/x"],"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"owner","uid":"{{owner.Text("metadata", "uid")}}"}]} }""");
        await _server.DeleteAsync("/api/v1/namespaces/default/configmaps/owner", """{"propagationPolicy":"Foreground"}""");
        await Eventually.True("the dependent is asked to go", async () => (await _server.GetAsync("/api/v1/namespaces/default/secrets/owned")).Body.At("metadata", "deletionTimestamp") is not null);
        Assert.That((await _server.GetAsync("/api/v1/namespaces/default/configmaps/owner")).Code, Is.EqualTo(200));
        await _server.PatchAsync("/api/v1/namespaces/default/secrets/owned", "merge", """{"metadata":{"finalizers":null}}""");
        await Eventually.True("the owner goes last", async () => (await _server.GetAsync("/api/v1/namespaces/default/configmaps/owner")).Code == 404);
    }

    [Test]
    public async Task An_eviction_respects_the_budget()
    {
        await _server.CreateAsync(Pods, TestServer.Pod("p", labels: "\"app\":\"web\""));
        await _server.CreateAsync("/apis/policy/v1/namespaces/default/poddisruptionbudgets", """{"metadata":{"name":"b"},"spec":{"minAvailable":1,"selector":{"matchLabels":{"app":"web"}}}}""");
        await _server.PatchAsync("/apis/policy/v1/namespaces/default/poddisruptionbudgets/b/status", "merge", """{"status":{"disruptionsAllowed":0,"currentHealthy":1,"desiredHealthy":1}}""");
        Assert.That((await _server.PostAsync(Pods + "/p/eviction", """{"metadata":{"name":"p"}}""")).Code, Is.EqualTo(429));
        await _server.PatchAsync("/apis/policy/v1/namespaces/default/poddisruptionbudgets/b/status", "merge", """{"status":{"disruptionsAllowed":1}}""");
        Assert.That((await _server.PostAsync(Pods + "/p/eviction", """{"metadata":{"name":"p"}}""")).Code, Is.EqualTo(201));
        Assert.That((await _server.GetAsync(Pods + "/p")).Code, Is.EqualTo(404));
    }

    private static string Workload(string kind, string name, int? replicas) => $$"""
        {"metadata":{"name":"{{name}}"},"spec":{ {{(replicas is null ? "" : $"\"replicas\":{replicas},")}}{{(kind == "StatefulSet" ? $"\"serviceName\":\"{name}\"," : "")}}
          "selector":{"matchLabels":{"app":"{{name}}"} },"template":{"metadata":{"labels":{"app":"{{name}}"} },"spec":{"containers":[{"name":"c","image":"i:1"}]} } } }
        """;

    private Task<JsonObject> NodeAsync(string name, string labels = "") =>
        _server.CreateAsync("/api/v1/nodes", $$"""{"metadata":{"name":"{{name}}","labels":{ {{labels}} } } }""");

    private Task<JsonObject> ServiceAsync(string name, string extra) =>
        _server.CreateAsync(Services, $$"""{"metadata":{"name":"{{name}}"},"spec":{"ports":[{"port":80}],"selector":{"a":"b"}{{extra}} } }""");

    private async Task<string> RangesAsync(string node) => await Eventually.Some($"ranges of {node}", async () =>
        string.Join(" ", (await _server.GetAsync($"/api/v1/nodes/{node}")).Body.At("spec", "podCIDRs").Texts()) is { Length: > 0 } text ? text : null);

    private async Task<string> NodeOfAsync(string pod) => await Eventually.Some($"a node for {pod}", async () =>
        (await _server.GetAsync($"{Pods}/{pod}")).Body.Text("spec", "nodeName"));

    private Task RolledAsync(string name, int replicas) => Eventually.True($"{name} has exactly {replicas} new, ready pods", async () =>
    {
        var d = (await _server.GetAsync($"{Apps}/deployments/{name}")).Body;
        return d.Integer("status", "observedGeneration") == d.Integer("metadata", "generation") && d.Integer("status", "updatedReplicas") == replicas
            && d.Integer("status", "readyReplicas") == replicas && d.Integer("status", "replicas") == replicas && (await _server.GetAsync(Pods)).Names.Count() == replicas;
    });

    private Task PlacesAsync(string nodes) => Eventually.True($"pods on {nodes}", async () =>
        string.Join(" ", (await _server.GetAsync(Pods)).Body["items"].Objects().Select(p => p.Text("spec", "nodeName")).Order()) == nodes);

    private Task EndpointsAsync(string service, params string[] expected) => Eventually.True($"endpoints {string.Join("; ", expected)}", async () =>
    {
        var seen = (await _server.GetAsync($"{Slices}?labelSelector=kubernetes.io/service-name%3D{service}")).Body["items"].Objects()
            .Select(s => $"{s.Text("addressType")}:{string.Join(",", s["ports"].Objects().Select(p => p.Integer("port")))}" + string.Concat(s["endpoints"].Objects().Select(e =>
                $" {e["addresses"].Texts().Single()}/{(e.Flag("conditions", "terminating") ? "terminating" : e.Flag("conditions", "ready") ? "ready" : "-")}"))).Order().ToList();
        return seen.SequenceEqual(expected);
    });
}
