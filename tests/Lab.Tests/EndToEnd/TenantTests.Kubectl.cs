using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Weft.Lab.Net;
using Weft.Lab.Probes;
using Weft.TestSupport;

namespace Weft.Lab.Tests.EndToEnd;

/// <summary>Two pods of one name, one address, one MAC and one node, in two tenants: what goes by way of the kubelet finds the right one.</summary>
public sealed partial class TenantTests
{
    private const string Twin = "twin";

    private static readonly string[] Overlapping = ["red", "blue"];

    [Test]
    public async Task Kubectl_logs_exec_and_port_forward_find_the_right_one_of_two_pods_with_equal_addresses()
    {
        await TestLab.NeedsKubectlWithWebSocketsAsync();
        var twins = await TwinsAsync("""
            {"name":"main","image":"none","command":["sh","-c","echo first; echo I am $POD_NAMESPACE; exec sleep 100000"]}
            """);
        foreach (var pod in twins)
        {
            await Eventually.True($"the log of {pod}", async () =>
                await _lab.KubectlAsync("logs", "-n", pod.Tenant, Twin) == $"first\nI am {pod.Tenant}\n", TimeSpan.FromSeconds(10));
            Assert.That(await _lab.KubectlAsync("logs", "-n", pod.Tenant, Twin, "--tail=1"), Is.EqualTo($"I am {pod.Tenant}\n"));

            var said = await _lab.KubectlAsync("exec", "-n", pod.Tenant, Twin, "--", "sh", "-c", "echo $POD_NAMESPACE/$POD_NAME; ip -o addr show eth0");
            Assert.That(said, Does.StartWith($"{pod.Id}\n").And.Contain(" 10.0.0.150/").And.Contain(" fd00:a::150/"));
            var inode = (await _lab.KubectlAsync("exec", "-n", pod.Tenant, Twin, "--", "readlink", "/proc/self/ns/net")).Trim();
            Assert.That(inode, Is.EqualTo((await TestLab.InAsync(pod.Netns, "readlink", "/proc/self/ns/net")).Trim()), "the very namespace");

            await using var server = await ProbeServer.StartAsync(pod.Netns, pod.Id, [8081], []);
            await using var forward = await ForwardAsync(pod, 8081);
            var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => ControlPlane.TcpAsync(forward.Local)));
            Assert.That(answers.Select(a => (a.Outcome, a.Server)).Distinct(), Is.EqualTo(new[] { (ProbeOutcome.Connected, pod.Id) }), forward.Output);
        }
    }

    [Test]
    public async Task Kubectl_exec_passes_input_and_exit_codes_and_a_port_forward_carries_much_in_both_directions()
    {
        await TestLab.NeedsKubectlWithWebSocketsAsync();
        var pod = Of("red")[0];
        string[] kubectl = [.. _lab.Cluster.Layout.ControlPlane.Wrap(["kubectl", $"--kubeconfig={_lab.Cluster.Kubeconfig}", "-n", "red", "exec", "-i", "p1", "--"])];
        var much = string.Concat(Enumerable.Range(0, 40_000).Select(i => $"line {i}\n"));
        Assert.That(await ChildProcess.RunAsync(kubectl[0], [.. kubectl[1..], "cat"], input: much), Is.EqualTo(much));
        Assert.That(
            () => ChildProcess.RunAsync(kubectl[0], [.. kubectl[1..], "sh", "-c", "echo no >&2; exit 3"]),
            Throws.InvalidOperationException.With.Message.Contains("ended with 3: no").And.Message.Contains("exit code 3"));

        var listener = await pod.Probe.OpenAsync(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Any, 8083));
        listener.Listen();
        await using var echo = new TcpEcho(listener);
        await using var forward = await ForwardAsync(pod, 8083);
        using var socket = await ControlPlane.OpenAsync(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await socket.ConnectAsync(forward.Local, limit.Token);
        await using var stream = new NetworkStream(socket);
        var sent = RandomNumberGenerator.GetBytes(1 << 20);
        var back = new byte[sent.Length];
        await Task.WhenAll(stream.WriteAsync(sent, limit.Token).AsTask(), stream.ReadExactlyAsync(back, limit.Token).AsTask());
        Assert.That(back, Is.EqualTo(sent));
    }

    [Test]
    public async Task What_kubectl_asks_of_a_pod_and_does_not_get_is_said_in_words()
    {
        await TestLab.NeedsKubectlWithWebSocketsAsync();
        var pod = Of("blue")[0];
        await using var forward = await ForwardAsync(pod, 9999);
        await ControlPlane.TcpAsync(forward.Local);
        await Eventually.True("kubectl says that nobody listens", () => forward.Output.Contains("error forwarding port 9999 to pod blue/p1: Connection refused", StringComparison.Ordinal));
        foreach (var (arguments, words) in new (string[], string)[]
        {
            (["get", "--raw", "/api/v1/namespaces/blue/pods/p1/exec?command=sh&tty=true"], "the lab's kubelet has no terminals"),
            (["get", "--raw", "/api/v1/namespaces/blue/pods/p1/exec?command=sh"], "needs a WebSocket of the protocol v5.channel.k8s.io"),
            (["logs", "-n", "blue", "p1", "--timestamps"], "timestamps: the lab's kubelet keeps the output of containers without times"),
            (["get", "--raw", "/api/v1/namespaces/blue/pods/p1/attach"], "the lab's kubelet does not serve 'attach'"),
            (["exec", "-n", "blue", "p1", "--", "/no/such/program"], "/no/such/program"),
        })
        {
            Assert.That(() => _lab.KubectlAsync(arguments), Throws.TypeOf<LabException>().With.Message.Contains(words));
        }
    }

    [Test]
    public async Task Probes_of_every_kind_make_pods_with_equal_addresses_ready_and_not_ready_each_by_its_own_answers()
    {
        // One container for each kind; each is ready by its own probe only.
        var twins = await TwinsAsync(
            """{"name":"http","image":"none","command":["weft-serve","--tcp=8080"],"readinessProbe":{"httpGet":{"port":8080},"periodSeconds":1,"failureThreshold":2}}""",
            """{"name":"tcp","image":"none","startupProbe":{"tcpSocket":{"port":8080},"periodSeconds":1},"readinessProbe":{"tcpSocket":{"port":8080},"periodSeconds":1,"failureThreshold":2}}""",
            """{"name":"exec","image":"none","readinessProbe":{"exec":{"command":["sh","-c","ip -o addr show eth0 | grep ' 10.0.0.150/' && ip -o addr show lo | grep ' 127.0.0.1/'"]},"periodSeconds":1,"failureThreshold":2}}""",
            """{"name":"grpc","image":"none","command":["weft-serve","--grpc=5000"],"readinessProbe":{"grpc":{"port":5000},"periodSeconds":1,"failureThreshold":2}}""",
            """{"name":"other","image":"none","readinessProbe":{"grpc":{"port":5000,"service":"nobody"},"periodSeconds":1}}""");
        string[] all = ["exec", "grpc", "http", "tcp"];
        await ReadyContainersAsync(twins[0], all);
        await ReadyContainersAsync(twins[1], all);

        // Blue's own server says so, by the address that red's has as well.
        var blue = twins[1];
        await HealthAsync(blue, "make-not-serving");
        await ReadyContainersAsync(blue, "exec", "http", "tcp");
        await TestLab.InAsync(blue.Netns, "ip", "addr", "del", "127.0.0.1/8", "dev", "lo");
        await ReadyContainersAsync(blue, "http", "tcp");
        await TestLab.InAsync(blue.Netns, "ip", "addr", "flush", "dev", "eth0");
        await ReadyContainersAsync(blue);
        await ReadyContainersAsync(twins[0], all);
    }

    private NetnsProbe ControlPlane => new(_lab.Cluster.Layout.ControlPlane);

    /// <summary>Makes the two pods anew.</summary>
    private async Task<TenantPod[]> TwinsAsync(params string[] containers)
    {
        await Task.WhenAll(Overlapping.Select(t => _lab.DeleteTenantPodAsync(t, Twin)));
        foreach (var tenant in Overlapping)
        {
            var json = TenantLab.Json("v1", "Pod", Twin, new JsonObject
            {
                ["nodeName"] = "node2",
                ["terminationGracePeriodSeconds"] = 1,
                ["containers"] = new JsonArray([.. containers.Select(c => JsonNode.Parse(c))]),
            });
            json["metadata"]!["annotations"] = new JsonObject { ["weft.dev/ip"] = "10.0.0.150,fd00:a::150" };
            await _lab.CreateAsync($"/api/v1/namespaces/{tenant}/pods", json);
        }

        var twins = await Task.WhenAll(Overlapping.Select(t => _lab.ReadTenantPodAsync(t, Twin, mustBeReady: false)));
        Assert.That(twins.Select(t => (t.V4, t.V6, t.Mac, t.Node)).Distinct().Count(), Is.EqualTo(1), "equal in everything that the network knows them by");
        return twins;
    }

    private async Task ReadyContainersAsync(TenantPod pod, params string[] ready)
    {
        var seen = "";
        await Eventually.True($"the ready containers of {pod} are {string.Join(", ", ready)}", async () =>
        {
            seen = await _lab.KubectlAsync("get", "pod", "-n", pod.Tenant, pod.Name, "-o", "jsonpath={range .status.containerStatuses[?(@.ready==true)]}{.name} {end}");
            return seen.Split(' ', StringSplitOptions.RemoveEmptyEntries).Order().SequenceEqual(ready);
        }, TimeSpan.FromSeconds(30)).ContinueWith(t => t.IsFaulted ? throw new TimeoutException($"{t.Exception.InnerException!.Message}; they are {seen}") : 0, TaskScheduler.Default);
    }

    /// <summary>Tells the gRPC server of a pod, by kubectl exec, what to say from now on.</summary>
    private static Task<string> HealthAsync(TenantPod pod, string what) =>
        TestLab.InAsync(pod.Netns, "curl", "-sf", "--http2-prior-knowledge", $"http://10.0.0.150:5000/{what}");

    private async Task<PortForward> ForwardAsync(TenantPod pod, int port)
    {
        string[] command = [.. _lab.Cluster.Layout.ControlPlane.Wrap(
            [Shell.Find("kubectl"), $"--kubeconfig={_lab.Cluster.Kubeconfig}", "port-forward", "-n", pod.Tenant, $"pod/{pod.Name}", $":{port}"])];
        var process = ChildProcess.Start(command[0], command[1..]);
        try
        {
            var local = await Eventually.Some($"a local port for {pod}:{port}", () =>
                Task.FromResult(LocalPort().Match(process.Output) is { Success: true } match ? match.Groups[1].Value : null), TimeSpan.FromSeconds(20));
            return new PortForward(process, new IPEndPoint(IPAddress.Loopback, int.Parse(local, System.Globalization.CultureInfo.InvariantCulture)));
        }
        catch (TimeoutException e)
        {
            await process.DisposeAsync();
            throw new TimeoutException($"{e.Message}; kubectl says: {process.Output}", e);
        }
    }

    [GeneratedRegex(@"Forwarding from 127\.0\.0\.1:(\d+) -> ")]
    private static partial Regex LocalPort();

    private sealed class PortForward(ChildProcess process, IPEndPoint local) : IAsyncDisposable
    {
        public IPEndPoint Local { get; } = local;

        public string Output => process.Output;

        public ValueTask DisposeAsync() => process.DisposeAsync();
    }
}
