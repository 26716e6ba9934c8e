using System.Text.Json.Nodes;
using Weft.TestSupport;

namespace Weft.Lab.ApiServer.Tests;

public sealed class CustomResourceTests
{
    private const string Definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    private const string Nets = "/apis/lab.test/v1/namespaces/default/nets";

    private const string Definition = """
        {"metadata":{"name":"nets.lab.test"},"spec":{"group":"lab.test","scope":"Namespaced",
         "names":{"plural":"nets","kind":"Net","shortNames":["nt"],"categories":["lab"]},
         "versions":[{"name":"v1","served":true,"storage":true,"subresources":{"status":{},"scale":{"specReplicasPath":".spec.size","statusReplicasPath":".status.size"}},
           "additionalPrinterColumns":[{"name":"CIDR","type":"string","jsonPath":".spec.cidr"},{"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].status"},{"name":"Size","type":"integer","jsonPath":".spec.size","priority":1}],
           "schema":{"openAPIV3Schema":{"type":"object","required":["spec"],"properties":{
             "spec":{"type":"object","required":["cidr"],
               "x-kubernetes-validations":[
                 {"rule":"!has(self.gateway) || cidr(self.cidr).containsIP(self.gateway)","message":"gateway must be inside cidr","fieldPath":".gateway"},
                 {"rule":"self.cidr == oldSelf.cidr","message":"cidr may not change"},
                 {"rule":"self.size <= 10","messageExpression":"'size ' + string(self.size) + ' is above 10'"}],
               "properties":{
                 "cidr":{"type":"string","x-kubernetes-validations":[{"rule":"isCIDR(self)","message":"must be a CIDR"}]},
                 "gateway":{"type":"string"},
                 "size":{"type":"integer","default":1,"minimum":0},
                 "mode":{"type":"string","enum":["bridge","router"],"default":"router"},
                 "name":{"type":"string","pattern":"^[a-z]+$","maxLength":5},
                 "port":{"x-kubernetes-int-or-string":true},
                 "ranges":{"type":"array","maxItems":2,"x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["from"],"items":{"type":"object","required":["from"],"properties":{"from":{"type":"string"},"to":{"type":"string","default":"end"}}}},
                 "labels":{"type":"object","additionalProperties":{"type":"string"}},
                 "any":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}},
             "status":{"type":"object","properties":{"size":{"type":"integer"},"conditions":{"type":"array","items":{"type":"object","properties":{"type":{"type":"string"},"status":{"type":"string"}}}}}}}}}},
          {"name":"v1beta1","served":true,"storage":false,"schema":{"openAPIV3Schema":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}]}}
        """;

    private TestServer _server = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _server = await TestServer.StartAsync();
        var made = await _server.CreateAsync(Definitions, Definition);
        Assert.That(PodConditions.IsTrue(made, "Established"), Is.True);
    }

    [TearDown]
    public async Task StopAsync() => await _server.DisposeAsync();

    [Test]
    public async Task Its_objects_are_served_with_defaults_and_without_unknown_fields_at_once()
    {
        var net = await _server.CreateAsync(Nets, """{"metadata":{"name":"a"},"spec":{"cidr":"10.0.0.0/8","extra":1,"ranges":[{"from":"x"}],"any":{"free":true}},"status":{"size":9}}""");
        Assert.That(net["spec"]!.ToJsonString(), Is.EqualTo("""{"cidr":"10.0.0.0/8","ranges":[{"from":"x","to":"end"}],"any":{"free":true},"size":1,"mode":"router"}"""));
        Assert.That(net["status"], Is.Null, "the status has its own path");
        var strict = await _server.PostAsync(Nets + "?fieldValidation=Strict", """{"metadata":{"name":"b"},"spec":{"cidr":"10.0.0.0/8","extra":1}}""");
        Assert.That(strict.Message, Does.EndWith("strict decoding error: unknown field \"spec.extra\""));
    }

    [TestCase("""{}""", "spec.cidr", "Required value")]
    [TestCase("""{"cidr":5}""", "spec.cidr", "spec.cidr in body must be of type string: \"integer\"")]
    [TestCase("""{"cidr":"x"}""", "spec.cidr", "must be a CIDR")]
    [TestCase("""{"cidr":"10.0.0.0/8","gateway":"11.0.0.1"}""", "spec.gateway", "gateway must be inside cidr")]
    [TestCase("""{"cidr":"10.0.0.0/8","gateway":"nonsense","size":1}""", "spec.gateway", "gateway must be inside cidr")]
    [TestCase("""{"cidr":"10.0.0.0/8","size":11}""", "spec", "size 11 is above 10")]
    [TestCase("""{"cidr":"10.0.0.0/8","size":-1}""", "spec.size", "greater than or equal to 0")]
    [TestCase("""{"cidr":"10.0.0.0/8","size":1.5}""", "spec.size", "must be of type integer")]
    [TestCase("""{"cidr":"10.0.0.0/8","mode":"hub"}""", "spec.mode", "supported values: \"bridge\", \"router\"")]
    [TestCase("""{"cidr":"10.0.0.0/8","name":"UPPER"}""", "spec.name", "should match '^[a-z]+$'")]
    [TestCase("""{"cidr":"10.0.0.0/8","name":"toolong"}""", "spec.name", "Too long: may not be more than 5 bytes")]
    [TestCase("""{"cidr":"10.0.0.0/8","port":true}""", "spec.port", "must be of type integer,string")]
    [TestCase("""{"cidr":"10.0.0.0/8","ranges":[{"to":"x"}]}""", "spec.ranges[0].from", "Required value")]
    [TestCase("""{"cidr":"10.0.0.0/8","ranges":[{"from":"x"},{"from":"x"}]}""", "spec.ranges[1]", "Duplicate value: {\"from\":\"x\"}")]
    [TestCase("""{"cidr":"10.0.0.0/8","ranges":[{"from":"x"},{"from":"y"},{"from":"z"}]}""", "spec.ranges", "Too many: 3: must have at most 2 items")]
    public async Task A_wrong_object_is_refused_with_the_field(string spec, string field, string why)
    {
        var answer = await _server.PostAsync(Nets, $$"""{"metadata":{"name":"x"},"spec":{{spec}} }""");
        Assert.That(answer.Code, Is.EqualTo(422), answer.Body.ToJsonString());
        Assert.That(answer.Body.At("details", "causes").Objects().Where(c => c.Text("field") == field).Select(c => c.Text("message")),
            Has.Some.Contains(why), answer.Body.ToJsonString());
    }

    [Test]
    public async Task Rules_with_oldSelf_hold_on_updates()
    {
        await _server.CreateAsync(Nets, """{"metadata":{"name":"a"},"spec":{"cidr":"10.0.0.0/8"}}""");
        Assert.That((await _server.PatchAsync(Nets + "/a", "merge", """{"spec":{"size":2}}""")).Code, Is.EqualTo(200));
        var refused = await _server.PatchAsync(Nets + "/a", "merge", """{"spec":{"cidr":"10.0.0.0/9"}}""");
        Assert.That(refused.Message, Is.EqualTo("Net.lab.test \"a\" is invalid: spec: Invalid value: \"object\": cidr may not change"));
    }

    [Test]
    public async Task Generation_follows_the_spec_and_status_has_its_own_path()
    {
        await _server.CreateAsync(Nets, """{"metadata":{"name":"a"},"spec":{"cidr":"10.0.0.0/8"}}""");
        var status = await _server.PatchAsync(Nets + "/a/status", "merge", """{"spec":{"size":5},"status":{"size":3,"conditions":[{"type":"Ready","status":"True"}]}}""");
        Assert.That((status.Body.Integer("metadata", "generation"), status.Body.Integer("spec", "size"), status.Body.Integer("status", "size")), Is.EqualTo((1L, 1L, 3L)));
        var spec = await _server.PatchAsync(Nets + "/a", "merge", """{"spec":{"size":5},"status":{"size":4}}""");
        Assert.That((spec.Body.Integer("metadata", "generation"), spec.Body.Integer("status", "size")), Is.EqualTo((2L, 3L)));
        var scale = await _server.PatchAsync(Nets + "/a/scale", "merge", """{"spec":{"replicas":7}}""");
        Assert.That((scale.Body.Integer("spec", "replicas"), scale.Body.Integer("status", "replicas")), Is.EqualTo((7L, 3L)));
    }

    [Test]
    public async Task Printer_columns_make_the_table()
    {
        await _server.CreateAsync(Nets, """{"metadata":{"name":"a"},"spec":{"cidr":"10.0.0.0/8"}}""");
        await _server.PatchAsync(Nets + "/a/status", "merge", """{"status":{"conditions":[{"type":"Other","status":"x"},{"type":"Ready","status":"True"}]}}""");
        var table = (await _server.GetAsync(Nets, "application/json;as=Table;v=v1;g=meta.k8s.io,application/json")).Body;
        Assert.That(table["columnDefinitions"].Objects().Select(c => $"{c.Text("name")}/{c.Integer("priority")}"), Is.EqualTo(new[] { "Name/0", "CIDR/0", "Ready/0", "Size/1" }));
        Assert.That(table["rows"].Objects().Single()["cells"]!.ToJsonString(), Is.EqualTo("""["a","10.0.0.0/8","True",1]"""));
    }

    [Test]
    public async Task Every_version_shows_the_same_object()
    {
        await _server.CreateAsync("/apis/lab.test/v1beta1/namespaces/default/nets", """{"apiVersion":"lab.test/v1beta1","metadata":{"name":"a"},"spec":{"cidr":"10.0.0.0/8"}}""");
        Assert.That((await _server.GetAsync(Nets + "/a")).Body.Text("apiVersion"), Is.EqualTo("lab.test/v1"));
        using var watch = await WatchClient.OpenAsync(_server, "/apis/lab.test/v1beta1/namespaces/default/nets?watch=true");
        Assert.That((await watch.NextAsync())!.Value.Object.Text("apiVersion"), Is.EqualTo("lab.test/v1beta1"));
    }

    [Test]
    public async Task Discovery_lists_it_with_names_and_subresources()
    {
        var plain = (await _server.GetAsync("/apis/lab.test/v1")).Body["resources"].Objects().ToList();
        Assert.That(plain.Select(r => r.Text("name")), Is.EqualTo(new[] { "nets", "nets/status", "nets/scale" }));
        var aggregated = (await _server.GetAsync("/apis", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList")).Body["items"].Objects()
            .First(g => g.Text("metadata", "name") == "lab.test");
        Assert.That(aggregated["versions"].Objects().Select(v => v.Text("version")), Is.EqualTo(new[] { "v1", "v1beta1" }));
        Assert.That(aggregated["versions"].Objects().First()["resources"].Objects().First()["shortNames"]!.ToJsonString(), Is.EqualTo("""["nt"]"""));
    }

    [Test]
    public async Task A_deleted_definition_takes_its_objects_along()
    {
        await _server.CreateAsync(Nets, """{"metadata":{"name":"a"},"spec":{"cidr":"10.0.0.0/8"}}""");
        await _server.DeleteAsync(Definitions + "/nets.lab.test");
        await Eventually.True("the definition is gone", async () => (await _server.GetAsync(Definitions + "/nets.lab.test")).Code == 404);
        await Eventually.True("its path is gone", async () => (await _server.GetAsync(Nets)).Code == 404);
        await _server.CreateAsync(Definitions, Definition);
        Assert.That((await _server.GetAsync(Nets)).Names, Is.Empty);
    }

    [Test]
    public async Task Objects_and_definitions_survive_a_restart()
    {
        var folder = Directory.CreateTempSubdirectory("weft-api-").FullName;
        try
        {
            string? uid;
            await using (var first = await TestServer.StartAsync(directory: folder))
            {
                await first.CreateAsync(Definitions, Definition);
                uid = (await first.CreateAsync(Nets, """{"metadata":{"name":"a"},"spec":{"cidr":"10.0.0.0/8"}}""")).Text("metadata", "uid");
            }

            await using var second = await TestServer.StartAsync(directory: folder);
            Assert.That((await second.GetAsync(Nets + "/a")).Body.Text("metadata", "uid"), Is.EqualTo(uid));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [TestCase("""{"metadata":{"name":"wrong"},"spec":{"group":"lab.test","scope":"Cluster","names":{"plural":"xs","kind":"X"},"versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object"}}}]}}""", "metadata.name")]
    [TestCase("""{"metadata":{"name":"xs.lab.test"},"spec":{"group":"lab.test","scope":"World","names":{"plural":"xs","kind":"X"},"versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object"}}}]}}""", "spec.scope")]
    [TestCase("""{"metadata":{"name":"xs.lab.test"},"spec":{"group":"lab.test","scope":"Cluster","names":{"plural":"xs","kind":"X"},"versions":[]}}""", "spec.versions")]
    [TestCase("""{"metadata":{"name":"xs.lab.test"},"spec":{"group":"lab.test","scope":"Cluster","names":{"plural":"xs","kind":"X"},"versions":[{"name":"v1","served":true,"storage":true}]}}""", "spec.versions[0].schema.openAPIV3Schema")]
    [TestCase("""{"metadata":{"name":"xs.lab.test"},"spec":{"group":"lab.test","scope":"Cluster","names":{"plural":"xs","kind":"X"},"versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","x-kubernetes-validations":[{"rule":"self ="}]}}}]}}""", "spec.versions[0].schema.openAPIV3Schema")]
    [TestCase("""{"metadata":{"name":"xs.lab.test"},"spec":{"group":"lab.test","scope":"Cluster","names":{"plural":"xs","kind":"X"},"versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","properties":{"a":{"type":"string","pattern":"("}}}}}]}}""", "spec.versions[0].schema.openAPIV3Schema")]
    public async Task A_wrong_definition_is_refused_with_the_field(string json, string field)
    {
        var answer = await _server.PostAsync(Definitions, json);
        Assert.That(answer.Body.At("details", "causes").Objects().Select(c => c.Text("field")), Does.Contain(field), answer.Body.ToJsonString());
    }

    [Test]
    public async Task A_definition_whose_name_is_taken_is_not_served()
    {
        var other = Definition.Replace("nets.lab.test", "others.lab.test", StringComparison.Ordinal).Replace("\"plural\":\"nets\"", "\"plural\":\"others\"", StringComparison.Ordinal);
        var made = await _server.CreateAsync(Definitions, other);
        var condition = made.At("status", "conditions").Objects().First(c => c.Text("type") == "NamesAccepted");
        Assert.That((condition.Text("status"), condition.Text("reason")), Is.EqualTo(("False", "NameConflict")));
        Assert.That((await _server.GetAsync("/apis/lab.test/v1/others")).Code, Is.EqualTo(404));
    }
}
