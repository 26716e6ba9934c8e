using System.Text.Json.Nodes;

namespace Weft.Lab.ApiServer.Tests;

public sealed class PatchTests
{
    private const string Pods = "/api/v1/namespaces/default/pods";
    private const string Services = "/api/v1/namespaces/default/services";
    private const string ConfigMaps = "/api/v1/namespaces/default/configmaps";

    private TestServer _server = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _server = await TestServer.StartAsync();

    [OneTimeTearDown]
    public async Task StopAsync() => await _server.DisposeAsync();

    // target, patch, result: RFC 7396, appendix A.
    [TestCase("""{"a":"b"}""", """{"a":"c"}""", """{"a":"c"}""")]
    [TestCase("""{"a":"b"}""", """{"b":"c"}""", """{"a":"b","b":"c"}""")]
    [TestCase("""{"a":"b","b":"c"}""", """{"a":null}""", """{"b":"c"}""")]
    [TestCase("""{"a":["b"]}""", """{"a":"c"}""", """{"a":"c"}""")]
    [TestCase("""{"a":{"b":"c"}}""", """{"a":{"b":"d","c":null}}""", """{"a":{"b":"d"}}""")]
    [TestCase("""{"a":[{"b":"c"}]}""", """{"a":[1]}""", """{"a":[1]}""")]
    [TestCase("{}", """{"a":{"bb":{"ccc":null}}}""", """{"a":{"bb":{}}}""")]
    public void Merge_patch_follows_the_RFC(string target, string patch, string expected)
    {
        var tree = Parse(target);
        MergePatch.Apply(tree, Parse(patch));
        Assert.That(JsonNode.DeepEquals(tree, Parse(expected)), Is.True, tree.ToJsonString());
    }

    // RFC 6902, appendix A.
    [TestCase("""{"foo":"bar"}""", """[{"op":"add","path":"/baz","value":"qux"}]""", """{"baz":"qux","foo":"bar"}""")]
    [TestCase("""{"foo":["bar","baz"]}""", """[{"op":"add","path":"/foo/1","value":"qux"}]""", """{"foo":["bar","qux","baz"]}""")]
    [TestCase("""{"foo":["bar"]}""", """[{"op":"add","path":"/foo/-","value":["abc"]}]""", """{"foo":["bar",["abc"]]}""")]
    [TestCase("""{"foo":["bar","qux","baz"]}""", """[{"op":"remove","path":"/foo/1"}]""", """{"foo":["bar","baz"]}""")]
    [TestCase("""{"baz":"qux","foo":"bar"}""", """[{"op":"replace","path":"/baz","value":"boo"}]""", """{"baz":"boo","foo":"bar"}""")]
    [TestCase("""{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}""", """[{"op":"move","from":"/foo/waldo","path":"/qux/thud"}]""", """{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}""")]
    [TestCase("""{"a/b":1,"m~n":2}""", """[{"op":"test","path":"/a~1b","value":1},{"op":"copy","from":"/m~0n","path":"/c"}]""", """{"a/b":1,"m~n":2,"c":2}""")]
    public void Json_patch_follows_the_RFC(string target, string patch, string expected)
    {
        var tree = JsonPatch.Apply(Parse(target), JsonNode.Parse(patch)!.AsArray());
        Assert.That(JsonNode.DeepEquals(tree, Parse(expected)), Is.True, tree.ToJsonString());
    }

    [TestCase("""[{"op":"test","path":"/foo","value":"other"}]""", "testing path /foo failed")]
    [TestCase("""[{"op":"remove","path":"/missing"}]""", "\"missing\" is missing")]
    [TestCase("""[{"op":"add","path":"/list/9","value":1}]""", "out of bounds")]
    [TestCase("""[{"op":"add","path":"/no/where","value":1}]""", "\"no\" is missing")]
    [TestCase("""[{"op":"dance","path":"/foo"}]""", "unknown operation")]
    [TestCase("""[{"op":"add","path":"foo","value":1}]""", "is not a pointer")]
    [TestCase("""[{"op":"add","path":"/foo"}]""", "has no value")]
    [TestCase("""[{"path":"/foo"}]""", "unknown operation")]
    [TestCase("""[{"op":"replace","path":"","value":1}]""", "not an object")]
    public void A_json_patch_that_cannot_be_is_refused(string patch, string why) =>
        Assert.That(() => JsonPatch.Apply(Parse("""{"foo":"bar","list":[1]}"""), JsonNode.Parse(patch)!.AsArray()),
            Throws.TypeOf<ApiException>().With.Message.Contains(why));

    [Test]
    public async Task Strategic_merge_changes_the_item_with_the_same_key()
    {
        await _server.CreateAsync("/apis/apps/v1/namespaces/default/deployments", """
            {"metadata":{"name":"smp"},"spec":{"replicas":0,"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{
              "containers":[{"name":"one","image":"x:1","env":[{"name":"A","value":"1"},{"name":"B","value":"2"}]},{"name":"two","image":"y:1"}],
              "tolerations":[{"key":"k","operator":"Exists"}]}}}}
            """);
        var answer = await _server.PatchAsync("/apis/apps/v1/namespaces/default/deployments/smp", "strategic", """
            {"metadata":{"finalizers":["weft.dev/x"]},"spec":{"template":{"spec":{
              "containers":[{"name":"one","image":"x:2","env":[{"name":"B","value":"3"},{"name":"A","$patch":"delete"}]},{"name":"three","image":"z:1"}],
              "$setElementOrder/containers":[{"name":"three"},{"name":"one"},{"name":"two"}],
              "tolerations":[{"key":"other","operator":"Exists"}]}}}}
            """);
        var spec = answer.Body.At("spec", "template", "spec");
        Assert.Multiple(() =>
        {
            Assert.That(spec.At("containers").Objects().Select(c => $"{c.Text("name")}={c.Text("image")}"), Is.EqualTo(new[] { "three=z:1", "one=x:2", "two=y:1" }));
            Assert.That(spec.At("containers").Objects().First(c => c.Text("name") == "one")["env"]!.ToJsonString(), Is.EqualTo("""[{"name":"B","value":"3"}]"""));
            Assert.That(spec.At("tolerations").Objects().Select(t => t.Text("key")), Is.EqualTo(new[] { "other" }), "a list without key is replaced");
        });
        var removed = await _server.PatchAsync("/apis/apps/v1/namespaces/default/deployments/smp", "strategic",
            """{"metadata":{"$deleteFromPrimitiveList/finalizers":["weft.dev/x"]},"spec":{"template":{"spec":{"containers":[{"name":"two","$patch":"delete"}]}}}}""");
        Assert.That(removed.Body.At("spec", "template", "spec", "containers").Objects().Count(), Is.EqualTo(2));
        Assert.That(removed.Body.At("metadata", "finalizers").Texts(), Is.Empty);
        var noKey = await _server.PatchAsync("/apis/apps/v1/namespaces/default/deployments/smp", "strategic", """{"spec":{"template":{"spec":{"containers":[{"image":"x"}]}}}}""");
        Assert.That(noKey.Message, Does.Contain("does not contain declared merge key: name"));
    }

    [Test]
    public async Task Apply_creates_owns_and_removes_what_is_not_applied_any_more()
    {
        var path = $"{ConfigMaps}/owned?fieldManager=one";
        var created = await _server.PatchAsync(path, "apply", """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"owned"},"data":{"a":"1","b":"2"}}""");
        Assert.That(created.Code, Is.EqualTo(201), created.Body.ToJsonString());
        await _server.PatchAsync($"{ConfigMaps}/owned?fieldManager=two", "apply", """{"apiVersion":"v1","kind":"ConfigMap","data":{"c":"3"}}""");
        var changed = await _server.PatchAsync(path, "apply", """{"apiVersion":"v1","kind":"ConfigMap","data":{"a":"9"}}""");
        Assert.That(changed.Body["data"]!.ToJsonString(), Is.EqualTo("""{"a":"9","c":"3"}"""));
        Assert.That(changed.Body.At("metadata", "managedFields").Objects().Select(m => $"{m.Text("manager")} {m["fieldsV1"]!.ToJsonString()}"),
            Is.EquivalentTo(new[] { """one {"f:data":{"f:a":{}}}""", """two {"f:data":{"f:c":{}}}""" }));
    }

    [Test]
    public async Task Apply_finds_conflicts_and_force_takes_over()
    {
        await _server.PatchAsync($"{ConfigMaps}/contested?fieldManager=one", "apply", """{"apiVersion":"v1","kind":"ConfigMap","data":{"a":"1","b":"1"}}""");
        var same = await _server.PatchAsync($"{ConfigMaps}/contested?fieldManager=two", "apply", """{"apiVersion":"v1","kind":"ConfigMap","data":{"a":"1"}}""");
        Assert.That(same.Code, Is.EqualTo(200), "the same value is shared");
        var other = await _server.PatchAsync($"{ConfigMaps}/contested?fieldManager=two", "apply", """{"apiVersion":"v1","kind":"ConfigMap","data":{"a":"2"}}""");
        Assert.That((other.Code, other.Message), Is.EqualTo((409, "Apply failed with 1 conflict: conflict with \"one\": .data.a")));
        var forced = await _server.PatchAsync($"{ConfigMaps}/contested?fieldManager=two&force=true", "apply", """{"apiVersion":"v1","kind":"ConfigMap","data":{"a":"2"}}""");
        Assert.That(forced.Body.Text("data", "a"), Is.EqualTo("2"));
        var released = await _server.PatchAsync($"{ConfigMaps}/contested?fieldManager=one", "apply", """{"apiVersion":"v1","kind":"ConfigMap","data":{"b":"1"}}""");
        Assert.That(released.Body["data"]!.ToJsonString(), Is.EqualTo("""{"a":"2","b":"1"}"""), "what two took over stays");
    }

    [Test]
    public async Task Apply_to_an_object_made_otherwise_conflicts_only_where_it_differs()
    {
        await _server.CreateAsync(ConfigMaps, """{"metadata":{"name":"made"},"data":{"a":"1"}}""");
        Assert.That((await _server.PatchAsync($"{ConfigMaps}/made?fieldManager=one", "apply", """{"apiVersion":"v1","kind":"ConfigMap","data":{"a":"1","n":"1"}}""")).Code, Is.EqualTo(200));
        var conflict = await _server.PatchAsync($"{ConfigMaps}/made?fieldManager=two", "apply", """{"apiVersion":"v1","kind":"ConfigMap","data":{"a":"2"}}""");
        Assert.That(conflict.Body.At("details", "causes").Objects().Select(c => c.Text("field")), Is.All.EqualTo(".data.a"));
        await _server.PatchAsync($"{ConfigMaps}/made?fieldManager=editor", "merge", """{"data":{"n":"2"}}""");
        var lost = await _server.PatchAsync($"{ConfigMaps}/made?fieldManager=one", "apply", """{"apiVersion":"v1","kind":"ConfigMap","data":{"a":"1","n":"1"}}""");
        Assert.That(lost.Message, Is.EqualTo("Apply failed with 1 conflict: conflict with \"editor\": .data.n"));
    }

    [Test]
    public async Task Apply_merges_keyed_lists_of_several_managers()
    {
        await _server.PatchAsync($"{Services}/many?fieldManager=one", "apply", """{"apiVersion":"v1","kind":"Service","spec":{"selector":{"a":"b"},"ports":[{"name":"x","port":80},{"name":"z","port":82}]}}""");
        var two = await _server.PatchAsync($"{Services}/many?fieldManager=two", "apply", """{"apiVersion":"v1","kind":"Service","spec":{"ports":[{"name":"y","port":81}]}}""");
        Assert.That(two.Code, Is.EqualTo(200), two.Body.ToJsonString());
        var one = await _server.PatchAsync($"{Services}/many?fieldManager=one", "apply", """{"apiVersion":"v1","kind":"Service","spec":{"selector":{"a":"b"},"ports":[{"name":"x","port":80}]}}""");
        Assert.That(one.Body.At("spec", "ports").Objects().Select(p => p.Integer("port")), Is.EquivalentTo(new[] { 80, 81 }));
    }

    [Test]
    public async Task Apply_takes_yaml_and_needs_a_manager()
    {
        var answer = await _server.PatchAsync($"{ConfigMaps}/yaml?fieldManager=one", "apply", "apiVersion: v1\nkind: ConfigMap\ndata:\n  a: \"1\"\n");
        Assert.That(answer.Body.Text("data", "a"), Is.EqualTo("1"));
        Assert.That((await _server.PatchAsync($"{ConfigMaps}/yaml", "apply", "{}")).Code, Is.EqualTo(400));
        Assert.That((await _server.PatchAsync($"{ConfigMaps}/yaml?fieldManager=x", "apply", "a: [")).Code, Is.EqualTo(400));
    }

    [Test]
    public async Task Scale_is_read_and_written_beside_the_object()
    {
        await _server.CreateAsync("/apis/apps/v1/namespaces/default/replicasets",
            """{"metadata":{"name":"scaled"},"spec":{"replicas":0,"selector":{"matchLabels":{"a":"s"}},"template":{"metadata":{"labels":{"a":"s"}},"spec":{"containers":[{"name":"c","image":"i"}]}}}}""");
        var scale = await _server.PatchAsync("/apis/apps/v1/namespaces/default/replicasets/scaled/scale", "merge", """{"spec":{"replicas":2}}""");
        Assert.That((scale.Body.Text("kind"), scale.Body.Integer("spec", "replicas"), scale.Body.Text("status", "selector")), Is.EqualTo(("Scale", 2L, "a=s")));
        Assert.That((await _server.PatchAsync("/apis/apps/v1/namespaces/default/replicasets/scaled/scale", "merge", """{"spec":{"replicas":-2}}""")).Code, Is.EqualTo(422));
    }

    [Test]
    public async Task Most_of_a_pod_may_not_change()
    {
        await _server.CreateAsync(Pods, TestServer.Pod("fixed"));
        Assert.That((await _server.PatchAsync(Pods + "/fixed", "strategic", """{"spec":{"containers":[{"name":"c","image":"other:2"}]}}""")).Code, Is.EqualTo(200));
        var refused = await _server.PatchAsync(Pods + "/fixed", "merge", """{"spec":{"restartPolicy":"Never"}}""");
        Assert.That((refused.Code, refused.Message), Is.EqualTo((422, refused.Message)));
        Assert.That(refused.Message, Does.Contain("spec: Forbidden: pod updates may not change fields other than"));
    }

    private static JsonObject Parse(string json) => JsonNode.Parse(json)!.AsObject();
}
