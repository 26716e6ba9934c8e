using System.Text.Json.Nodes;
using Weft.Lab.ApiServer;
using Weft.Lab.ApiServer.Tests;

namespace Weft.Chart.Tests;

/// <summary>What the chart renders to, with the real helm, judged by the schemas of the API server.</summary>
public sealed class ChartTests
{
    private static readonly Dictionary<string, string[]> ValueSets = new(StringComparer.Ordinal)
    {
        ["defaults"] = Helm.Ranges,
        ["the node's Open vSwitch"] = [.. Helm.Ranges, "--set", "ovs.mode=host"],
        ["user space"] = [.. Helm.Ranges, "--set", "agent.datapathType=netdev,network.tunnel=vxlan,network.mtu=1400"],
        ["a certificate of one's own"] = [.. Helm.Ranges, "--set", "tls.mode=secret,tls.secretName=mine,tls.caBundle=PEM"],
        ["no kube-proxy"] = [.. Helm.Ranges, "--set", "kubernetes.apiServerHost=192.0.2.1,controller.addresses={https://192.0.2.1:7443}"],
        ["tenants open"] = [.. Helm.Ranges, "--set", "tenants.hostNetwork=any"],
        ["little"] = [.. Helm.Ranges, "--set", "rbac.create=false,topologyApi.enabled=false,networkPolicy.enabled=false,cni.cleanup=false,telemetry.dashboard=false,controller.metricsPort=0,agent.metricsPort=0"],
        ["much"] =
        [
            .. Helm.Ranges, "--set", "controller.hostNetwork=false,controller.replicas=3,image.pullSecrets={one,two},image.tag=v9,commonLabels.team=net,"
                + "telemetry.otlpEndpoint=http://collector:4317,controller.env.A=1,agent.env.B=two,serviceAccount.annotations.x=y",
        ],
    };

    private static readonly string[] Certificate = ["--set", "tls.mode=secret,tls.secretName=mine,tls.caBundle=PEM"];

    private static IEnumerable<string> Names => ValueSets.Keys;

    private static IEnumerable<string> OtherPrograms => Helm.Programs.Skip(1);

    [TestCaseSource(nameof(Names))]
    public async Task Every_object_is_valid_for_the_API_server(string set)
    {
        var objects = await Helm.RenderAsync(ValueSets[set]);
        await using var server = await TestServer.StartAsync();
        await server.CreateNamespaceAsync("weft-system");
        foreach (var item in objects)
        {
            var answer = await server.PostAsync(PathOf(server, item) + "?fieldValidation=Strict", item.ToJsonString());
            Assert.That(answer.Code, Is.EqualTo(201), $"{item.Text("kind")} {item.Text("metadata", "name")}: {answer.Message}");
            Assert.That(answer.Warnings, Is.Empty, $"{item.Text("kind")} {item.Text("metadata", "name")}");
        }
    }

    [Test]
    public async Task Every_Helm_renders_the_same_objects([ValueSource(nameof(OtherPrograms))] string helm, [ValueSource(nameof(Names))] string set)
    {
        // A certificate is made anew by each rendering.
        string[] values = [.. ValueSets[set], .. set.StartsWith("a certificate", StringComparison.Ordinal) ? [] : Certificate];
        var (usual, other) = (await Helm.RenderAsync(values), await Helm.RenderAsync(helm, values));
        Assert.That(other.Select(o => o.ToJsonString()), Is.EquivalentTo(usual.Select(o => o.ToJsonString())));
    }

    [TestCaseSource(nameof(OtherPrograms))]
    public async Task Every_Helm_refuses_the_same_values(string helm)
    {
        foreach (var (value, named) in ((string, string)[])[("network.mtu=100", "mtu"), ("ovs.mode=mine", "mode"), ("agnet.bridge=br0", "agnet"), ("tenants.hostNetwork=nobody", "hostNetwork"), ("tls.mode=secret", "caBundle")])
        {
            var result = await Helm.TemplateAsync(helm, [.. Helm.Ranges, "--set", value]);
            Assert.That((result.ExitCode, result.Error), Is.Not.EqualTo((0, result.Error)), value);
            Assert.That(result.Error, Does.Contain(named), value);
        }
    }

    [TestCaseSource(nameof(Names))]
    public async Task No_container_is_privileged_and_every_capability_is_named(string set)
    {
        foreach (var (owner, container) in Containers(await Helm.RenderAsync(ValueSets[set])))
        {
            var where = $"{owner}/{container.Text("name")}";
            var context = container["securityContext"];
            Assert.That((bool?)context?["privileged"], Is.False, where);
            Assert.That((bool?)context?["allowPrivilegeEscalation"], Is.False, where);
            Assert.That((bool?)context?["readOnlyRootFilesystem"], Is.True, where);
            Assert.That(context!["capabilities"]!["drop"]!.ToJsonString(), Is.EqualTo("""["ALL"]"""), where);
            Assert.That(context["capabilities"]!["add"]?.ToJsonString() ?? "[]", Does.Not.Contain("ALL"), where);
        }
    }

    [Test]
    public async Task Only_the_namespace_of_spare_ports_needs_a_privileged_container_and_only_who_wants_them_has_it([Values(0, 16)] int spares)
    {
        var objects = await Helm.RenderAsync([.. Helm.Ranges, "--set", $"agent.sparePorts={spares}"]);
        var privileged = Containers(objects).Where(c => (bool?)c.Container["securityContext"]?["privileged"] == true).Select(c => c.Container).ToList();
        Assert.That(privileged.Select(c => c.Text("name")), Is.EqualTo(spares > 0 ? new[] { "make-port-namespace" } : []));
        Assert.That(privileged.SelectMany(c => c["volumeMounts"].Objects()).Select(m => (m.Text("mountPath"), m.Text("mountPropagation"))), Is.All.EqualTo(("/run/netns", "Bidirectional")));
        var config = JsonNode.Parse(objects.Single(o => o.Text("kind") == "ConfigMap" && o.Text("metadata", "name") == "weft-config").Text("data", "agent.json")!)!;
        Assert.That((int?)config["sparePorts"], Is.EqualTo(spares));
        Assert.That(privileged.Select(c => "/run/netns/" + c["command"].Texts().Last()), Is.All.EqualTo((string?)config["sparePortsNamespace"]), "it is made where the agent looks");
    }

    [Test]
    public async Task The_agent_has_the_hosts_processes_and_cgroups_only_to_tell_the_kubelet_from_others([Values("kubelet", "any", "none")] string who, [Values("1.29.3", "1.32.0")] string version)
    {
        var objects = await Helm.RenderAsync([.. Helm.Ranges, "--set", $"tenants.hostNetwork={who},tenants.kubeletCgroup=a/b", "--kube-version", version]);
        var pod = objects.Single(o => o.Text("kind") == "DaemonSet" && o.Text("metadata", "name") == "weft-agent").At("spec", "template")!;
        var agent = pod.At("spec", "containers").Objects().Single(c => c.Text("name") == "agent");
        var config = JsonNode.Parse(objects.Single(o => o.Text("kind") == "ConfigMap" && o.Text("metadata", "name") == "weft-config").Text("data", "agent.json")!)!;
        var tells = who == "kubelet";
        Assert.That((string?)config["hostAccessToTenants"], Is.EqualTo(who));
        Assert.That(((string?)config["hostProc"], (string?)config["hostCgroup"], (string?)config["kubeletCgroup"]), Is.EqualTo(tells ? ("/host-proc", "/host-cgroup", "a/b") : default((string?, string?, string?))));
        Assert.That(agent.At("securityContext", "capabilities", "add").Texts().Contains("SYS_PTRACE"), Is.EqualTo(tells));
        foreach (var (name, path) in new[] { ("host-proc", "/proc"), ("host-cgroup", "/sys/fs/cgroup") })
        {
            var mount = agent["volumeMounts"].Objects().SingleOrDefault(m => m.Text("name") == name);
            Assert.That((mount?.Text("mountPath"), (bool?)mount?["readOnly"]), Is.EqualTo(tells ? ("/" + name, true) : default((string?, bool?))), name);
            Assert.That(pod.At("spec", "volumes").Objects().SingleOrDefault(v => v.Text("name") == name)?.Text("hostPath", "path"), Is.EqualTo(tells ? path : null), name);
        }

        // Kubernetes has the field since 1.30, and takes the annotation before.
        var isNew = version == "1.32.0";
        Assert.That(agent.Text("securityContext", "appArmorProfile", "type"), Is.EqualTo(tells && isNew ? "Unconfined" : null));
        Assert.That(pod.At("metadata", "annotations")!.AsObject().ContainsKey("container.apparmor.security.beta.kubernetes.io/agent"), Is.EqualTo(tells && !isNew));
    }

    [Test]
    public async Task Agents_and_switches_have_no_rights_and_no_token_of_the_API()
    {
        var objects = await Helm.RenderAsync(Helm.Ranges);
        var subjects = objects.Where(o => o.Text("kind")!.EndsWith("Binding", StringComparison.Ordinal)).SelectMany(o => o["subjects"].Objects()).Select(s => s.Text("name"));
        Assert.That(subjects.Distinct(), Is.EquivalentTo(["weft-controller", "weft-cleanup"]));
        foreach (var name in (string[])["weft-agent", "weft-ovs"])
        {
            var set = objects.Single(o => o.Text("kind") == "DaemonSet" && o.Text("metadata", "name") == name);
            Assert.That((bool?)set.At("spec", "template", "spec", "automountServiceAccountToken"), Is.False);
        }

        Assert.That(objects.SelectMany(o => o["rules"].Objects()).SelectMany(r => r["resources"].Texts()), Has.None.EqualTo("secrets"));
    }

    [TestCaseSource(nameof(Names))]
    public async Task Every_right_names_what_it_is_for(string set)
    {
        var objects = await Helm.RenderAsync(ValueSets[set]);
        foreach (var rule in objects.SelectMany(o => o["rules"].Objects().Where(_ => o.Text("kind")!.EndsWith("Role", StringComparison.Ordinal))))
        {
            foreach (var field in (string[])["apiGroups", "resources", "verbs", "resourceNames", "nonResourceURLs"])
            {
                Assert.That(rule[field].Texts(), Has.None.Contains("*"), rule.ToJsonString());
            }

            Assert.That(rule["verbs"].Texts().Intersect(["delete", "deletecollection", "impersonate", "bind", "escalate"]), Is.Empty, rule.ToJsonString());
        }
    }

    [Test]
    public async Task The_controller_may_watch_every_kind_that_the_chart_defines()
    {
        var objects = await Helm.RenderAsync(Helm.Ranges);
        var rules = objects.Where(o => o.Text("kind") == "ClusterRole").SelectMany(o => o["rules"].Objects()).ToList();
        string[] Watched(string group) => [.. rules.Where(r => r["apiGroups"].Texts().Contains(group) && r["verbs"].Texts().Contains("watch")).SelectMany(r => r["resources"].Texts())];
        foreach (var crd in objects.Where(o => o.Text("kind") == "CustomResourceDefinition"))
        {
            Assert.That(Watched(crd.Text("spec", "group")!), Does.Contain(crd.Text("spec", "names", "plural")!));
        }
    }

    [Test]
    public async Task The_roles_are_the_rules_that_the_lab_enforces()
    {
        var objects = await Helm.RenderAsync(Helm.Ranges);
        foreach (var (kind, file) in ((string, string)[])[("ClusterRole", "controller-cluster.yaml"), ("Role", "controller-namespace.yaml")])
        {
            var rendered = objects.Single(o => o.Text("kind") == kind && o.Text("metadata", "name") == "weft-controller")["rules"]!;
            var source = Helm.Read("rules:\n" + await File.ReadAllTextAsync(Path.Combine(Helm.Chart, "rbac", file))).Single()["rules"]!;
            Assert.That(rendered.ToJsonString(), Is.EqualTo(source.ToJsonString()));
        }
    }

    [Test]
    public async Task A_new_log_level_restarts_nothing_and_another_setting_does()
    {
        var before = await AnnotationsAsync();
        Assert.That(await AnnotationsAsync("--set", "agent.logLevels.Default=Debug,controller.logLevels.Default=Debug"), Is.EqualTo(before));
        Assert.That(await AnnotationsAsync("--set", "agent.uplinkMtu=9000")
            , Is.Not.EqualTo(before));

        static async Task<string> AnnotationsAsync(params string[] more) => string.Join('\n', (await Helm.RenderAsync([.. Helm.Ranges, .. more]))
            .Where(o => o.Text("kind") is "Deployment" or "DaemonSet").Select(o => o.At("spec", "template", "metadata", "annotations")?.ToJsonString()));
    }

    [TestCase("agent.datapathType=fast", "datapathType")]
    [TestCase("network.mtu=100", "mtu")]
    [TestCase("network.tunnel=ipip", "tunnel")]
    [TestCase("ovs.mode=mine", "mode")]
    [TestCase("controller.replicas=0", "replicas")]
    [TestCase("agent.logLevels.Default=Loud", "logLevels")]
    [TestCase("agnet.bridge=br0", "agnet")]
    [TestCase("tls.mode=secret", "tls.caBundle is required with tls.mode=secret")]
    public async Task A_value_that_cannot_be_is_refused_by_name(string value, string named)
    {
        var result = await Helm.TemplateAsync([.. Helm.Ranges, "--set", value]);
        Assert.That(result.ExitCode, Is.Not.Zero);
        Assert.That(result.Error, Does.Contain(named));
    }

    [TestCaseSource(typeof(Helm), nameof(Helm.Programs))]
    public async Task The_chart_is_clean_for_helm_lint(string helm)
    {
        var result = await Helm.RunAsync(["lint", "--strict", Helm.Chart, .. Helm.Ranges], helm: helm);
        Assert.That(result.ExitCode, Is.Zero, result.Output + result.Error);
    }

    private static IEnumerable<(string Owner, JsonObject Container)> Containers(IEnumerable<JsonObject> objects) =>
        from o in objects
        let pod = o.At("spec", "template", "spec")
        where pod is not null
        from list in (string[])["initContainers", "containers"]
        from container in pod[list].Objects()
        select (o.Text("metadata", "name")!, container);

    private static string PathOf(TestServer server, JsonObject item)
    {
        var version = item.Text("apiVersion")!;
        var group = version.Contains('/', StringComparison.Ordinal) ? version.Split('/')[0] : "";
        var type = server.Host.Registry.All.SingleOrDefault(t => t.Group == group && t.Kind == item.Text("kind") && t.Version == version.Split('/')[^1]);
        Assert.That(type, Is.Not.Null, $"the API server knows no {version} {item.Text("kind")}");
        var root = group.Length == 0 ? $"/api/{type!.Version}" : $"/apis/{version}";
        return type.Namespaced ? $"{root}/namespaces/{item.Text("metadata", "namespace")}/{type.Plural}" : $"{root}/{type.Plural}";
    }
}
