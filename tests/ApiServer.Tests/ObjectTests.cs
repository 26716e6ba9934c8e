using System.Text.Json.Nodes;
using Weft.TestSupport;

namespace Weft.Lab.ApiServer.Tests;

/// <summary>Create, change, delete and list, as clients do it over HTTP.</summary>
public sealed class ObjectTests
{
    private const string Pods = "/api/v1/namespaces/default/pods";
    private const string ConfigMaps = "/api/v1/namespaces/default/configmaps";

    private TestServer _server = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _server = await TestServer.StartAsync(o => o with { DisabledControllers = [ControllerNames.Scheduler] });

    [OneTimeTearDown]
    public async Task StopAsync() => await _server.DisposeAsync();

    [Test]
    public async Task A_new_object_gets_identity_and_defaults()
    {
        var pod = await _server.CreateAsync(Pods, TestServer.Pod("defaults"));
        Assert.Multiple(() =>
        {
            Assert.That(pod.Text("metadata", "uid"), Is.Not.Empty);
            Assert.That(pod.Text("metadata", "creationTimestamp"), Does.Match("^....-..-..T..:..:..Z$"));
            Assert.That(pod.Text("spec", "restartPolicy"), Is.EqualTo("Always"));
            Assert.That(pod.Text("spec", "serviceAccountName"), Is.EqualTo("default"));
            Assert.That(pod.Integer("spec", "terminationGracePeriodSeconds"), Is.EqualTo(30));
            Assert.That(pod.At("spec", "containers").Objects().First()["ports"].Objects().First().Text("protocol"), Is.EqualTo("TCP"));
            Assert.That(pod.Text("status", "phase"), Is.EqualTo("Pending"));
            Assert.That(pod.Text("status", "qosClass"), Is.EqualTo("BestEffort"));
        });
    }

    [Test]
    public async Task GenerateName_gives_different_names()
    {
        var one = await _server.CreateAsync(ConfigMaps, """{"metadata":{"generateName":"gen-"}}""");
        var two = await _server.CreateAsync(ConfigMaps, """{"metadata":{"generateName":"gen-"}}""");
        Assert.That(one.Text("metadata", "name"), Does.Match("^gen-[a-z0-9]{5}$").And.Not.EqualTo(two.Text("metadata", "name")));
    }

    private static readonly object[][] Wrong =
    [
        ["""{"metadata":{"name":"Upper"},"spec":{"containers":[{"name":"c","image":"i"}]}}""", "metadata.name", "RFC 1123 subdomain"],
        ["""{"metadata":{"name":"x"},"spec":{"containers":[]}}""", "spec.containers", "Required value"],
        ["""{"metadata":{"name":"x"},"spec":{}}""", "spec.containers", "Required value"],
        ["""{"metadata":{"name":"x"},"spec":{"containers":[{"image":"i"}]}}""", "spec.containers[0].name", "Required value"],
        ["""{"metadata":{"name":"x"},"spec":{"containers":[{"name":"c"}]}}""", "spec.containers[0].image", "Required value"],
        ["""{"metadata":{"name":"x"},"spec":{"containers":[{"name":"c","image":"i"},{"name":"c","image":"i"}]}}""", "spec.containers[1]", "Duplicate value"],
        ["""{"metadata":{"name":"x"},"spec":{"containers":[{"name":"c","image":"i","ports":[{"containerPort":70000}]}]}}""", "spec.containers[0].ports[0].containerPort", "less than or equal to 65535"],
        ["""{"metadata":{"name":"x"},"spec":{"containers":[{"name":"c","image":"i","ports":[{"containerPort":"http"}]}]}}""", "spec.containers[0].ports[0].containerPort", "must be of type integer"],
        ["""{"metadata":{"name":"x"},"spec":{"restartPolicy":"Sometimes","containers":[{"name":"c","image":"i"}]}}""", "spec.restartPolicy", "supported values: \"Always\", \"OnFailure\", \"Never\""],
        ["""{"metadata":{"name":"x"},"spec":{"containers":[{"name":"c","image":"i","volumeMounts":[{"name":"v","mountPath":"/v"}]}]}}""", "spec.containers[0].volumeMounts[0].name", "Not found"],
        ["""{"metadata":{"name":"x"},"spec":{"containers":"none"}}""", "spec.containers", "must be of type array"],
        ["""{"metadata":{"name":"x","labels":{"a b":"c"}},"spec":{"containers":[{"name":"c","image":"i"}]}}""", "metadata.labels", "name part must consist"],
        ["""{"metadata":{"name":"x","labels":{"a":"b c"}},"spec":{"containers":[{"name":"c","image":"i"}]}}""", "metadata.labels", "a valid label must be"],
        ["""{"metadata":{"name":"x"},"spec":{"containers":[{"name":"c","image":"i","resources":{"limits":{"cpu":"much"}}}]}}""", "spec.containers[0].resources.limits[cpu]", "quantities must match"],
    ];

    [TestCaseSource(nameof(Wrong))]
    public async Task A_malformed_pod_is_refused_with_the_field(string json, string field, string why)
    {
        var answer = await _server.PostAsync(Pods, json);
        Assert.That((answer.Code, answer.Reason), Is.EqualTo((422, "Invalid")), answer.Body.ToJsonString());
        var cause = answer.Body.At("details", "causes").Objects().FirstOrDefault(c => c.Text("field") == field);
        Assert.That(cause.Text("message"), Does.Contain(why), answer.Body.ToJsonString());
    }

    [TestCase("{")]
    [TestCase("[]")]
    [TestCase("\"text\"")]
    [TestCase("")]
    [TestCase("{\"a\":1,\"a\":2}")]
    [TestCase("{\"metadata\":[]}")]
    [TestCase("{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"metadata\":{\"name\":\"x\"}}")]
    [TestCase("{\"metadata\":{\"name\":\"x\",\"namespace\":\"other\"}}")]
    public async Task A_body_that_is_no_such_object_is_a_bad_request(string json)
    {
        var answer = await _server.PostAsync(ConfigMaps, json);
        Assert.That((answer.Code, answer.Reason), Is.EqualTo((400, "BadRequest")), answer.Body.ToJsonString());
    }

    [Test]
    public async Task Damaged_requests_never_break_the_server()
    {
        var random = new Random(2);
        var good = TestServer.Pod("damaged", ""","tolerations":[{"key":"a","operator":"Exists"}]""");
        for (var i = 0; i < 500; i++)
        {
            var text = good.ToCharArray();
            for (var j = random.Next(1, 4); j > 0; j--)
            {
                text[random.Next(text.Length)] = "{}[]\":,0aZ -"[random.Next(12)];
            }

            var answer = await _server.PostAsync(Pods + "?dryRun=All", new string(text));
            Assert.That(answer.Code, Is.AnyOf(201, 400, 409, 422), new string(text) + answer.Body.ToJsonString());
        }
    }

    [Test]
    public async Task Unknown_fields_are_refused_warned_of_or_ignored_as_asked()
    {
        const string json = """{"metadata":{"name":"unknown"},"date":{"a":"b"}}""";
        var strict = await _server.PostAsync(ConfigMaps + "?fieldValidation=Strict", json);
        Assert.That((strict.Code, strict.Message), Is.EqualTo((400, "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: strict decoding error: unknown field \"date\"")));
        var warned = await _server.PostAsync(ConfigMaps + "?fieldValidation=Warn&dryRun=All", json);
        Assert.That((warned.Code, warned.Warnings), Is.EqualTo((201, "299 - \"unknown field \\\"date\\\"\"")));
        var ignored = await _server.PostAsync(ConfigMaps + "?fieldValidation=Ignore&dryRun=All", json);
        Assert.That((ignored.Code, ignored.Warnings, ignored.Body["date"]), Is.EqualTo((201, "", (JsonNode?)null)));
    }

    [Test]
    public async Task A_dry_run_stores_nothing()
    {
        Assert.That((await _server.PostAsync(ConfigMaps + "?dryRun=All", """{"metadata":{"name":"dry"}}""")).Code, Is.EqualTo(201));
        Assert.That((await _server.GetAsync(ConfigMaps + "/dry")).Code, Is.EqualTo(404));
    }

    [Test]
    public async Task An_old_version_may_not_replace_a_newer_one()
    {
        var first = await _server.CreateAsync(ConfigMaps, """{"metadata":{"name":"locked"},"data":{"a":"1"}}""");
        var second = (JsonObject)first.DeepClone();
        second["data"] = new JsonObject { ["a"] = "2" };
        Assert.That((await _server.PutAsync(ConfigMaps + "/locked", second.ToJsonString())).Code, Is.EqualTo(200));
        var late = await _server.PutAsync(ConfigMaps + "/locked", first.ToJsonString());
        Assert.That((late.Code, late.Reason), Is.EqualTo((409, "Conflict")));
        Assert.That(late.Message, Is.EqualTo("Operation cannot be fulfilled on configmaps \"locked\": the object has been modified; please apply your changes to the latest version and try again"));
        Assert.That((await _server.GetAsync(ConfigMaps + "/locked")).Body.Text("data", "a"), Is.EqualTo("2"));
    }

    [Test]
    public async Task A_change_without_effect_keeps_the_version()
    {
        var first = await _server.CreateAsync(ConfigMaps, """{"metadata":{"name":"same"},"data":{"a":"1"}}""");
        var patched = await _server.PatchAsync(ConfigMaps + "/same", "merge", """{"data":{"a":"1"}}""");
        Assert.That(patched.Body.Text("metadata", "resourceVersion"), Is.EqualTo(first.Text("metadata", "resourceVersion")));
    }

    [Test]
    public async Task Status_and_the_rest_are_changed_by_different_paths()
    {
        await _server.CreateAsync(Pods, TestServer.Pod("parts"));
        await _server.PatchAsync(Pods + "/parts", "merge", """{"metadata":{"labels":{"a":"b"}},"status":{"phase":"Failed"}}""");
        var pod = (await _server.GetAsync(Pods + "/parts")).Body;
        Assert.That((pod.Text("metadata", "labels", "a"), pod.Text("status", "phase")), Is.EqualTo(("b", "Pending")));
        await _server.PatchAsync(Pods + "/parts/status", "merge", """{"status":{"phase":"Running"},"spec":{"nodeName":"n"}}""");
        pod = (await _server.GetAsync(Pods + "/parts")).Body;
        Assert.That((pod.Text("spec", "nodeName"), pod.Text("status", "phase")), Is.EqualTo(((string?)null, "Running")));
    }

    [Test]
    public async Task A_pod_on_a_node_gets_its_grace_period_and_goes_with_the_kubelets_delete()
    {
        await _server.CreateAsync(Pods, TestServer.Pod("graceful", ""","nodeName":"n1","terminationGracePeriodSeconds":7"""));
        await _server.RunPodAsync("default", "graceful", "10.0.0.1");
        var marked = await _server.DeleteAsync(Pods + "/graceful");
        Assert.That(marked.Body.Integer("metadata", "deletionGracePeriodSeconds"), Is.EqualTo(7));
        Assert.That((await _server.GetAsync(Pods + "/graceful")).Code, Is.EqualTo(200));
        await _server.DeleteAsync(Pods + "/graceful", """{"gracePeriodSeconds":0}""");
        Assert.That((await _server.GetAsync(Pods + "/graceful")).Code, Is.EqualTo(404));
        await _server.CreateAsync(Pods, TestServer.Pod("unbound"));
        await _server.DeleteAsync(Pods + "/unbound");
        Assert.That((await _server.GetAsync(Pods + "/unbound")).Code, Is.EqualTo(404), "a pod on no node goes at once");
    }

    [Test]
    public async Task A_finalizer_holds_an_object_until_it_is_taken_away()
    {
        await _server.CreateAsync(ConfigMaps, """{"metadata":{"name":"held","finalizers":["weft.dev/hold"]}}""");
        await _server.DeleteAsync(ConfigMaps + "/held");
        var held = await _server.GetAsync(ConfigMaps + "/held");
        Assert.That(held.Body.Text("metadata", "deletionTimestamp"), Is.Not.Null);
        await _server.PatchAsync(ConfigMaps + "/held", "merge", """{"metadata":{"finalizers":["weft.dev/hold","weft.dev/late"]}}""");
        Assert.That((await _server.GetAsync(ConfigMaps + "/held")).Body.At("metadata", "finalizers").Texts(), Is.EqualTo(new[] { "weft.dev/hold" }), "nothing new may hold it");
        await _server.PatchAsync(ConfigMaps + "/held", "merge", """{"metadata":{"finalizers":null}}""");
        Assert.That((await _server.GetAsync(ConfigMaps + "/held")).Code, Is.EqualTo(404));
    }

    [Test]
    public async Task Preconditions_protect_from_deleting_another_object()
    {
        await _server.CreateAsync(ConfigMaps, """{"metadata":{"name":"precious"}}""");
        var refused = await _server.DeleteAsync(ConfigMaps + "/precious", """{"preconditions":{"uid":"other"}}""");
        Assert.That((refused.Code, refused.Message), Is.EqualTo((409, refused.Message)));
        Assert.That(refused.Message, Does.Contain("Precondition failed: UID in precondition: other"));
    }

    [Test]
    public async Task Pages_show_one_moment_and_end_when_history_is_forgotten()
    {
        await _server.CreateNamespaceAsync("pages");
        for (var i = 0; i < 25; i++)
        {
            await _server.CreateAsync("/api/v1/namespaces/pages/secrets", $$"""{"metadata":{"name":"s{{i:00}}"} }""");
        }

        var names = new List<string>();
        string? token = null;
        do
        {
            var page = await _server.GetAsync($"/api/v1/namespaces/pages/secrets?limit=10{(token is null ? "" : "&continue=" + token)}");
            names.AddRange(page.Names);
            token = page.Body.Text("metadata", "continue");
            if (names.Count == 10)
            {
                Assert.That(page.Body.Integer("metadata", "remainingItemCount"), Is.EqualTo(15));
                await _server.DeleteAsync("/api/v1/namespaces/pages/secrets/s20");
                await _server.CreateAsync("/api/v1/namespaces/pages/secrets", """{"metadata":{"name":"s99"}}""");
            }
        }
        while (token is not null);
        Assert.That(names, Is.EqualTo(Enumerable.Range(0, 25).Select(i => $"s{i:00}")));

        var first = await _server.GetAsync("/api/v1/namespaces/pages/secrets?limit=10");
        await _server.PostAsync("/private/faults/compact", "");
        var next = await _server.GetAsync("/api/v1/namespaces/pages/secrets?limit=10&continue=" + first.Body.Text("metadata", "continue"));
        Assert.That((next.Code, next.Reason), Is.EqualTo((410, "Expired")));
    }

    [TestCase("labelSelector=app=web", "a b")]
    [TestCase("labelSelector=app!=web", "c d")]
    [TestCase("labelSelector=app in (web,db)", "a b c")]
    [TestCase("labelSelector=app notin (web)", "c d")]
    [TestCase("labelSelector=!app", "d")]
    [TestCase("labelSelector=app,tier=front", "a")]
    [TestCase("fieldSelector=metadata.name=b", "b")]
    [TestCase("fieldSelector=metadata.name!=b,metadata.name!=a", "c d")]
    public async Task Selectors_select(string query, string expected)
    {
        if ((await _server.GetAsync("/api/v1/namespaces/selected")).Code == 404)
        {
            await _server.CreateNamespaceAsync("selected");
            foreach (var (name, labels) in ((string, string)[])[("a", "\"app\":\"web\",\"tier\":\"front\""), ("b", "\"app\":\"web\""), ("c", "\"app\":\"db\""), ("d", "\"x\":\"y\"")])
            {
                await _server.CreateAsync("/api/v1/namespaces/selected/secrets", $$"""{"metadata":{"name":"{{name}}","labels":{ {{labels}} } } }""");
            }
        }

        var list = await _server.GetAsync($"/api/v1/namespaces/selected/secrets?{query.Split('=')[0]}={Uri.EscapeDataString(query[(query.IndexOf('=', StringComparison.Ordinal) + 1)..])}");
        Assert.That(string.Join(" ", list.Names), Is.EqualTo(expected));
    }

    [Test]
    public async Task Events_are_the_same_objects_in_both_of_their_groups()
    {
        await _server.CreateAsync("/apis/events.k8s.io/v1/namespaces/default/events",
            """{"metadata":{"name":"e"},"reason":"Started","note":"it runs","regarding":{"kind":"Pod","name":"p"},"type":"Normal","eventTime":"2026-01-01T00:00:00.000000Z"}""");
        var core = (await _server.GetAsync("/api/v1/namespaces/default/events?fieldSelector=involvedObject.name%3Dp")).Body;
        Assert.That(core["items"].Objects().Single().Text("message"), Is.EqualTo("it runs"));
        Assert.That((await _server.GetAsync("/apis/events.k8s.io/v1/namespaces/default/events/e")).Body.Text("note"), Is.EqualTo("it runs"));
    }

    [Test]
    public async Task A_deleted_namespace_takes_its_content_along()
    {
        await _server.CreateNamespaceAsync("doomed");
        await Eventually.True("default account", async () => (await _server.GetAsync("/api/v1/namespaces/doomed/serviceaccounts/default")).Code == 200);
        await _server.CreateAsync("/api/v1/namespaces/doomed/configmaps", """{"metadata":{"name":"held","finalizers":["weft.dev/hold"]}}""");
        await _server.DeleteAsync("/api/v1/namespaces/doomed");
        var refused = await _server.PostAsync("/api/v1/namespaces/doomed/configmaps", """{"metadata":{"name":"late"}}""");
        Assert.That((refused.Code, refused.Message), Is.EqualTo((403, "unable to create new content in namespace doomed because it is being terminated")));
        await Eventually.True("the condition that says what holds the namespace", async () =>
            (await _server.GetAsync("/api/v1/namespaces/doomed")).Body.At("status", "conditions")?.ToJsonString().Contains("configmaps has 1", StringComparison.Ordinal) == true);
        await _server.PatchAsync("/api/v1/namespaces/doomed/configmaps/held", "merge", """{"metadata":{"finalizers":null}}""");
        await Eventually.True("the namespace is gone", async () => (await _server.GetAsync("/api/v1/namespaces/doomed")).Code == 404);
    }

    [TestCase("/api/v1/namespaces/default/nonsense", 404)]
    [TestCase("/apis/nonsense/v1/things", 404)]
    [TestCase("/api/v1/pods/x", 404)]
    [TestCase("/api/v1/namespaces/default/pods/x", 404)]
    [TestCase("/api/v1/namespaces/default/pods/x/nonsense", 404)]
    [TestCase("/nonsense", 404)]
    [TestCase("/api/v1/pods?labelSelector=a%20b%20c", 400)]
    [TestCase("/api/v1/pods?watch=true&resourceVersion=x", 400)]
    [TestCase("/api/v1/pods?continue=nonsense", 410)]
    [TestCase("/api/v1/pods?resourceVersion=99999999", 504)]
    [TestCase("/healthz", 200)]
    [TestCase("/version", 200)]
    public async Task Paths_that_lead_nowhere_say_so(string path, int code) => Assert.That((await _server.GetAsync(path)).Code, Is.EqualTo(code));
}
