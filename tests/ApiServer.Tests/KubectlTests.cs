using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Weft.TestSupport;

namespace Weft.Lab.ApiServer.Tests;

/// <summary>The real program and the real kubectl.</summary>
public sealed class KubectlTests
{
    private string _folder = "";
    private Process _server = null!;
    private int _port;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        if (!File.Exists("/usr/bin/kubectl") && !File.Exists("/usr/local/bin/kubectl"))
        {
            Assert.Ignore("kubectl is not installed: scripts/lib/install installs it");
        }

        _folder = Directory.CreateTempSubdirectory("weft-kubectl-").FullName;
        await StartServerAsync();
        foreach (var node in (string[])["n1", "n2"])
        {
            await KubectlAsync("create -f -", $"apiVersion: v1\nkind: Node\nmetadata:\n  name: {node}\n");
        }
    }

    [OneTimeTearDown]
    public void Stop()
    {
        if (_folder.Length > 0)
        {
            _server.Kill();
            _server.WaitForExit();
            Directory.Delete(_folder, recursive: true);
        }
    }

    [Test]
    public async Task The_day_of_a_pod()
    {
        const string manifest = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: day\n  labels: {app: day}\nspec:\n  containers:\n  - name: c\n    image: busybox:1\n    ports: [{containerPort: 80}]\n";
        Assert.That(await KubectlAsync("apply -f -", manifest), Is.EqualTo("pod/day created\n"));
        Assert.That(await KubectlAsync("apply -f -", manifest), Is.EqualTo("pod/day unchanged\n"));
        Assert.That(await KubectlAsync("apply -f -", manifest.Replace("busybox:1", "busybox:2", StringComparison.Ordinal)), Is.EqualTo("pod/day configured\n"));
        await Eventually.True("the pod has a node", async () => (await KubectlAsync("get pod day -o jsonpath={.spec.nodeName}")).Length > 0);
        await KubectlAsync("replace --raw /api/v1/namespaces/default/pods/day/status -f -", await WithStatusAsync("day", """{"phase":"Running","podIP":"10.0.0.1","podIPs":[{"ip":"10.0.0.1"}],"conditions":[{"type":"Ready","status":"True"}],"containerStatuses":[{"name":"c","ready":true,"restartCount":2,"image":"busybox:2","imageID":"","state":{"running":{}}}]}"""));
        Assert.That(await KubectlAsync("wait --for=condition=Ready pod/day --timeout=5s"), Is.EqualTo("pod/day condition met\n"));
        var wide = Lines(await KubectlAsync("get pods -l app=day -o wide"));
        Assert.That(wide[0], Is.EqualTo("NAME READY STATUS RESTARTS AGE IP NODE NOMINATED NODE READINESS GATES"));
        Assert.That(wide[1], Does.Match(@"^day 1/1 Running 2 \d+s 10\.0\.0\.1 n[12] <none> <none>$"));
        Assert.That(await KubectlAsync("label pod day tier=front"), Is.EqualTo("pod/day labeled\n"));
        Assert.That(await KubectlAsync("annotate pod day note=x"), Is.EqualTo("pod/day annotated\n"));
        Assert.That(await KubectlAsync("get pod day --show-labels"), Does.Contain("app=day,tier=front"));
        var description = await KubectlAsync("describe pod day");
        Assert.That(description, Does.Contain("Image:          busybox:2").Or.Contain("Image:        busybox:2"));
        Assert.That(description, Does.Contain("Tolerations:"));
        Assert.That(await KubectlAsync("get pods -A -o name"), Does.Contain("pod/day"));
        Assert.That(await KubectlAsync("delete pod day --grace-period=0 --force"), Does.Contain("\"day\" force deleted"));
        Assert.That(await FailAsync("get pod day"), Does.Contain("Error from server (NotFound): pods \"day\" not found"));
    }

    [Test]
    public async Task A_watch_prints_what_happens()
    {
        using var watch = Start("get configmaps -w --field-selector metadata.name=seen -o name");
        await Eventually.True("the first event", async () =>
        {
            await KubectlAsync("create configmap seen --from-literal=a=b");
            return true;
        });
        Assert.That(await watch.StandardOutput.ReadLineAsync(), Is.EqualTo("configmap/seen"));
        watch.Kill();
        await watch.WaitForExitAsync();
        Assert.That(await KubectlAsync("delete configmap seen"), Is.EqualTo("configmap \"seen\" deleted\n"));
    }

    [Test]
    public async Task Commands_that_send_protobuf_work()
    {
        Assert.That(await KubectlAsync("create namespace typed"), Is.EqualTo("namespace/typed created\n"));
        await KubectlAsync("-n typed create configmap c --from-literal=k=v");
        await KubectlAsync("-n typed create secret generic s --from-literal=k=v");
        await KubectlAsync("-n typed create serviceaccount bot");
        await KubectlAsync("-n typed create deployment web --image=nginx --replicas=2 --port=80");
        await KubectlAsync("-n typed expose deployment web --port=80 --target-port=8080 --type=NodePort");
        await KubectlAsync("-n typed create role r --verb=get,list --resource=pods,deployments.apps");
        await KubectlAsync("-n typed create rolebinding rb --role=r --serviceaccount=typed:bot");
        await KubectlAsync("create clusterrole cr --verb=get --resource=nodes");
        await KubectlAsync("create clusterrolebinding crb --clusterrole=cr --user=joe");
        if (await MinorAsync() >= 24)
        {
            await KubectlAsync("-n typed create poddisruptionbudget b --selector=app=web --min-available=1");
            Assert.That(await KubectlAsync("-n typed get pdb b -o jsonpath={.spec.minAvailable}"), Is.EqualTo("1"));
            Assert.That(await KubectlAsync("-n typed create token bot"), Does.Match(@"^[\w-]+\.[\w-]+\.[\w-]+$"));
        }

        Assert.That(await KubectlAsync("-n typed get configmap c -o jsonpath={.data.k}"), Is.EqualTo("v"));
        Assert.That(await KubectlAsync("-n typed get secret s -o jsonpath={.data.k}"), Is.EqualTo("dg=="));
        Assert.That(await KubectlAsync("-n typed get service web -o jsonpath={.spec.ports[0].targetPort}"), Is.EqualTo("8080"));
        Assert.That(await KubectlAsync("-n typed get role r -o jsonpath={.rules[*].resources[*]}"), Is.EqualTo("pods deployments"));
        Assert.That(await KubectlAsync("auth can-i delete nodes"), Is.EqualTo("yes\n"));
        if (await MinorAsync() >= 28)
        {
            Assert.That(await KubectlAsync("auth whoami"), Does.Contain("kubernetes-admin").And.Contain("system:masters"));
        }

        Assert.That(await KubectlAsync("-n typed get all"), Does.Contain("deployment.apps/web").And.Contain("replicaset.apps/web-"));
        Assert.That(await KubectlAsync("-n typed scale deployment web --replicas=3"), Is.EqualTo("deployment.apps/web scaled\n"));
        Assert.That(await KubectlAsync("cordon n2"), Is.EqualTo("node/n2 cordoned\n"));
        Assert.That(await KubectlAsync("get node n2"), Does.Contain("SchedulingDisabled"));
        await KubectlAsync("uncordon n2");
        await KubectlAsync("-n typed delete deployment web --cascade=foreground --wait=false");
        await Eventually.True("the deployment goes when its pods, which have no kubelet to end them, are gone", async () =>
        {
            await KubectlAsync("-n typed delete pods --all --grace-period=0 --force");
            return (await RunAsync("-n typed get deployment web", null)).Code != 0;
        });
        Assert.That(await KubectlAsync("delete namespace typed --timeout=20s"), Does.Contain("\"typed\" deleted"));
        Assert.That(await FailAsync("get namespace typed"), Does.Contain("NotFound"));
    }

    [Test]
    public async Task Definitions_validation_and_explain()
    {
        const string definition = """
            apiVersion: apiextensions.k8s.io/v1
            kind: CustomResourceDefinition
            metadata: {name: nets.kubectl.test}
            spec:
              group: kubectl.test
              scope: Namespaced
              names: {plural: nets, kind: Net, shortNames: [knt]}
              versions:
              - name: v1
                served: true
                storage: true
                additionalPrinterColumns: [{name: CIDR, type: string, jsonPath: .spec.cidr}]
                schema:
                  openAPIV3Schema:
                    type: object
                    properties:
                      spec:
                        type: object
                        required: [cidr]
                        properties: {cidr: {type: string, description: The range of the network., x-kubernetes-validations: [{rule: isCIDR(self), message: must be a CIDR}]}}
            """;
        const string net = "apiVersion: kubectl.test/v1\nkind: Net\nmetadata: {name: a}\nspec: {cidr: 10.0.0.0/8}\n";
        Assert.That(await KubectlAsync("apply -f -", definition), Does.Contain("created"));
        await KubectlAsync("wait --for=condition=Established crd/nets.kubectl.test --timeout=5s");
        Assert.That(await KubectlAsync("apply -f -", net), Is.EqualTo("net.kubectl.test/a created\n"));
        Assert.That(Lines(await KubectlAsync("get knt")), Is.EqualTo(new[] { "NAME CIDR", "a 10.0.0.0/8" }));
        Assert.That(await FailAsync("apply -f -", net.Replace("10.0.0.0/8", "x", StringComparison.Ordinal)), Is.EqualTo("The Net \"a\" is invalid: spec.cidr: Invalid value: \"x\": must be a CIDR\n"));
        // An older kubectl validates and explains by itself from OpenAPI v2, and sends no fieldValidation.
        var strict = await MinorAsync() >= 27;
        Assert.That(
            await FailAsync("apply -f -", net.Replace("cidr:", "cider:", StringComparison.Ordinal)),
            Does.Contain(strict ? "unknown field \"spec.cider\"" : "spec.cidr: Required value"));
        if (strict)
        {
            Assert.That(await KubectlAsync("explain nets.spec.cidr"), Does.Contain("The range of the network."));
            Assert.That(await KubectlAsync("explain pod.spec.containers.ports"), Does.Contain("containerPort"));
            Assert.That(await FailAsync("apply -f -", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndate: {}\n"), Does.Contain("unknown field \"date\""));
        }

        Assert.That(await KubectlAsync("apply --server-side --force-conflicts -f -", net), Does.Contain("serverside-applied"));
        Assert.That(await KubectlAsync("apply --dry-run=server -f -", net), Does.Contain("(server dry run)"));
        Assert.That(await KubectlAsync("diff -f -", net), Is.Empty);
        await KubectlAsync("delete crd nets.kubectl.test --timeout=10s");
        Assert.That(await KubectlAsync("api-resources"), Does.Not.Contain("kubectl.test"));
    }

    [Test]
    public async Task Killing_the_server_loses_nothing()
    {
        await KubectlAsync("create configmap durable --from-literal=a=b");
        var uid = await KubectlAsync("get configmap durable -o jsonpath={.metadata.uid}");
        var answer = await KubectlAsync("create --raw /api/v1/namespaces/default/serviceaccounts/default/token -f -",
            """{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{}}""");
        var token = JsonNode.Parse(answer)!["status"]!["token"]!.GetValue<string>();
        _server.Kill();
        await _server.WaitForExitAsync();
        await StartServerAsync();
        Assert.That(await KubectlAsync("get configmap durable -o jsonpath={.metadata.uid}"), Is.EqualTo(uid));
        Assert.That(await KubectlAsync($"--token {token} get configmap durable -o name"), Is.EqualTo("configmap/durable\n"), "tokens stay valid");
        await KubectlAsync("delete configmap durable");
    }

    [TestCase("--listen nonsense", "--listen nonsense: give ADDRESS:PORT")]
    [TestCase("--service-cidr 10.0.0.1/8", "--service-cidr 10.0.0.1/8: not a range")]
    [TestCase("--cluster-cidr 10.0.0.0/8,11.0.0.0/8", "give one range, or one IPv4 and one IPv6")]
    [TestCase("--disable-controller nonsense", "choose from namespace")]
    public async Task A_wrong_option_is_named(string arguments, string message)
    {
        using var process = Process.Start(new ProcessStartInfo("dotnet", [Program, "apiserver", "--state-dir", Path.Combine(_folder, "none"), .. arguments.Split(' ')]) { RedirectStandardError = true })!;
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        await using var kill = limit.Token.Register(process.Kill);
        var error = await process.StandardError.ReadToEndAsync(CancellationToken.None);
        await process.WaitForExitAsync(CancellationToken.None);
        Assert.That((process.ExitCode, error), Is.EqualTo((2, error)));
        Assert.That(error, Does.Contain(message));
    }

    /// <summary>The minor version of the kubectl at hand: Debian 12 has 1.20, which lacks what later ones can.</summary>
    private async Task<int> MinorAsync()
    {
        var version = JsonNode.Parse(await KubectlAsync("version --client -o json"))!["clientVersion"]!["minor"]!.GetValue<string>();
        return int.Parse(version.TrimEnd('+'), CultureInfo.InvariantCulture);
    }

    private async Task<string> WithStatusAsync(string pod, string status)
    {
        var tree = JsonNode.Parse(await KubectlAsync($"get pod {pod} -o json"))!;
        tree["status"] = JsonNode.Parse(status);
        return tree.ToJsonString();
    }

    private static string Program => typeof(ApiServerHost).Assembly.Location;

    private static string[] Lines(string table) =>
        [.. table.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => string.Join(" ", l.Split(' ', StringSplitOptions.RemoveEmptyEntries)))];

    /// <summary>The second start takes the port of the first, as in the lab, so that the kubeconfig stays good.</summary>
    private async Task StartServerAsync()
    {
        _server = Process.Start(new ProcessStartInfo("dotnet", [Program, "apiserver", "--state-dir", _folder, "--listen", $"127.0.0.1:{_port}"]) { RedirectStandardOutput = true })!;
        var line = await _server.StandardOutput.ReadLineAsync() ?? throw new InvalidOperationException("the API server ended");
        _port = new Uri(line.Split(' ', ',')[1]).Port;
        await Eventually.True("the default service account", async () => (await RunAsync("get serviceaccount default", null)).Code == 0);
    }

    private Process Start(string arguments) => Process.Start(new ProcessStartInfo("kubectl", arguments.Split(' '))
    {
        Environment = { ["KUBECONFIG"] = Path.Combine(_folder, "admin.kubeconfig"), ["HOME"] = _folder },
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;

    private async Task<(int Code, string Out, string Error)> RunAsync(string arguments, string? input)
    {
        using var process = Start(arguments);
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await error);
    }

    private async Task<string> KubectlAsync(string arguments, string? input = null)
    {
        var (code, output, error) = await RunAsync(arguments, input);
        Assert.That(code, Is.Zero, $"kubectl {arguments}: {output}{error}");
        return output;
    }

    private async Task<string> FailAsync(string arguments, string? input = null)
    {
        var (code, output, error) = await RunAsync(arguments, input);
        Assert.That(code, Is.Not.Zero, $"kubectl {arguments} succeeded: {output}");
        return error;
    }
}
