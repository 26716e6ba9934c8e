using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Weft.Lab.Cluster;
using Weft.Lab.Kubelet;
using Weft.Lab.Net;
using Weft.Lab.State;
using Weft.TestSupport;

namespace Weft.Lab.Tests.EndToEnd;

/// <summary>A lab without the demo, and short words for what tests do with it.</summary>
public sealed partial class TestLab : IAsyncDisposable
{
    private const string Namespace = "default";
    private int _nextPod;

    private TestLab(LabCluster cluster)
    {
        Cluster = cluster;
        Api = cluster.ConnectApi();
    }

    /// <summary>True when the long forms of tests are wanted.</summary>
    public static bool Full => Environment.GetEnvironmentVariable("WEFT_TEST_FULL") == "1";

    public LabCluster Cluster { get; }

    public ClusterApi Api { get; }

    /// <summary>A lab's name of this checkout, so that the tests of several checkouts run on one machine.</summary>
    /// <param name="part">At most 3 letters.</param>
    public static string NameOf(string part) =>
        $"e{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(new LabPrograms().Root)))[..3]}-{part}";

    /// <summary>The data path of the nodes: that of the kernel with WEFT_TEST_DATAPATH=system, where it has one (scripts/lib/kernel).</summary>
    public static string Datapath { get; } = Environment.GetEnvironmentVariable("WEFT_TEST_DATAPATH") ?? "netdev";

    /// <summary>Starts a lab. The short name keeps it apart from others, at most 3 letters.</summary>
    public static async Task<TestLab> UpAsync(string name, string tunnel = "geneve", int nodes = 2, string? clusterCidrs = null, int controllers = 1, int sparePorts = 0)
    {
        var options = new LabOptions { Name = NameOf(name), Tunnel = tunnel, Nodes = nodes, Controllers = controllers, SparePorts = sparePorts, Manifests = "", Datapath = Datapath };
        options = options with { ClusterCidrs = clusterCidrs ?? options.ClusterCidrs };
        return new TestLab(await LabCluster.UpAsync(options, TestContext.Progress.WriteLine, CancellationToken.None));
    }

    /// <summary>Makes a pod that only exists and waits until it is ready.</summary>
    public async Task<TestPod> PodAsync(string node, string? name = null, string[]? command = null)
    {
        name ??= $"pod-{Interlocked.Increment(ref _nextPod)}";
        await CreatePodAsync(node, name, command);
        return await ReadyPodAsync(name);
    }

    /// <summary>Makes several at once, on the nodes given.</summary>
    public Task<TestPod[]> PodsAsync(params string[] nodes) =>
        Task.WhenAll(nodes.Select(node => PodAsync(node)));

    /// <summary>Makes the object only.</summary>
    public Task CreatePodAsync(string node, string name, string[]? command = null, JsonObject? more = null, JsonObject? annotations = null)
    {
        var container = new JsonObject { ["name"] = "main", ["image"] = "none" };
        if (command is not null)
        {
            container["command"] = new JsonArray([.. command.Select(c => JsonValue.Create(c))]);
        }

        var spec = more ?? [];
        spec["nodeName"] = node;
        spec["terminationGracePeriodSeconds"] ??= 1;
        spec["containers"] = new JsonArray(container);
        return Api.CreateAsync($"/api/v1/namespaces/{Namespace}/pods", new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Pod",
            ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = Namespace, ["labels"] = new JsonObject { ["pod"] = name }, ["annotations"] = annotations ?? [] },
            ["spec"] = spec,
        }, CancellationToken.None);
    }

    public async Task<TestPod> ReadyPodAsync(string name)
    {
        var seen = "";
        var json = await Eventually.Some($"pod {name} ready", async () =>
        {
            var pod = await Api.GetAsync($"/api/v1/namespaces/{Namespace}/pods/{name}", CancellationToken.None);
            var view = PodView.Read(pod);
            seen = $"{view.Phase} {view.Problem}";
            return view.Ready && view.Addresses.Count > 0 ? pod : null;
        }, TimeSpan.FromSeconds(30)).ContinueWith(
            t => t.IsFaulted ? throw new TimeoutException($"{t.Exception.InnerException!.Message}; it is {seen}") : t.Result,
            TaskScheduler.Default);
        return new TestPod(this, PodView.Read(json), (string)json["metadata"]!["uid"]!);
    }

    /// <summary>Deletes a pod and waits until nothing of it is in the API.</summary>
    public async Task DeletePodAsync(string name)
    {
        await Api.DeleteAsync(PodPath(name), CancellationToken.None);
        await Eventually.True($"pod {name} gone", async () => await Api.FindAsync(PodPath(name), CancellationToken.None) is null, TimeSpan.FromSeconds(30));
    }

    public static string PodPath(string name) => $"/api/v1/namespaces/{Namespace}/pods/{name}";

    /// <summary>Runs a program in a namespace and returns what it printed.</summary>
    public static async Task<string> InAsync(Netns netns, params string[] command)
    {
        string[] whole = [.. netns.Wrap([Shell.Find(command[0]), .. command[1..]])];
        return await Shell.RunAsync(whole[0], whole[1..]);
    }

    /// <summary>Runs stock kubectl where the API server is and returns what it printed.</summary>
    /// <exception cref="Weft.Lab.LabException">It failed; the message has what it said.</exception>
    public Task<string> KubectlAsync(params string[] arguments) =>
        InAsync(Cluster.Layout.ControlPlane, ["kubectl", $"--kubeconfig={Cluster.Kubeconfig}", $"--cache-dir={Cluster.Layout.Folder}/kubectl", .. arguments]);

    /// <summary>Ends a test whose <c>kubectl exec</c> or <c>port-forward</c> would ask by SPDY, as before 1.31 (Debian 12 has 1.20): the lab's kubelet answers WebSockets.</summary>
    public static async Task NeedsKubectlWithWebSocketsAsync()
    {
        var version = JsonNode.Parse(await Shell.RunAsync(Shell.Find("kubectl"), ["version", "--client", "-o", "json"]))!["clientVersion"]!;
        var minor = int.Parse(string.Concat(((string)version["minor"]!).TakeWhile(char.IsAsciiDigit)), System.Globalization.CultureInfo.InvariantCulture);
        if (minor < 31)
        {
            Assert.Ignore($"kubectl {(string?)version["gitVersion"]} asks for exec and port-forward by SPDY: the lab's kubelet needs one of 1.31 or later");
        }
    }

    /// <summary>Runs an ovs program with a node's switch and returns what it printed.</summary>
    public async Task<string> OvsAsync(string node, params string[] command)
    {
        string[] whole = [.. Cluster.Layout.Node(node).Wrap([Shell.Find(command[0]), .. command[1..]])];
        var result = await Shell.TryRunAsync(whole[0], whole[1..], null, Cluster.OvsEnvironment(node), TimeSpan.FromSeconds(30), CancellationToken.None);
        Assert.That(result.ExitCode, Is.Zero, $"{string.Join(' ', command)} on {node}: {result.Error}{result.Output}");
        return result.Output;
    }

    /// <summary>True when a node's switch answers OpenFlow.</summary>
    public async Task<bool> IsSwitchUpAsync(string node)
    {
        string[] whole = [.. Cluster.Layout.Node(node).Wrap([Shell.Find("ovs-ofctl"), "-O", "OpenFlow13", "show", "br-int"])];
        return (await Shell.TryRunAsync(whole[0], whole[1..], null, Cluster.OvsEnvironment(node), TimeSpan.FromSeconds(5), CancellationToken.None)).ExitCode == 0;
    }

    /// <summary>The flows of a node, one a line, with table names, without counters' header.</summary>
    public async Task<string[]> FlowsAsync(string node, params string[] filter) =>
        [.. (await OvsAsync(node, ["ovs-ofctl", "-O", "OpenFlow13", "--names", "--no-stats", "dump-flows", "br-int", .. filter]))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Where(l => !l.Contains("reply", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)];

    /// <summary>When each flow of a node was added; a flow that is added again is younger.</summary>
    public async Task<Dictionary<string, DateTimeOffset>> AddedAtAsync(string node)
    {
        var text = await OvsAsync(node, "ovs-ofctl", "-O", "OpenFlow13", "--names", "dump-flows", "br-int");
        var now = DateTimeOffset.UtcNow;
        return text.Split('\n').Select(l => FlowPattern().Match(l)).Where(m => m.Success).ToDictionary(
            m => $"{m.Groups["table"].Value} {m.Groups["rest"].Value}",
            m => now.AddSeconds(-double.Parse(m.Groups["duration"].Value, System.Globalization.CultureInfo.InvariantCulture)));
    }

    /// <summary>Calls the CNI plugin on a node as a runtime does, for a sandbox that no pod object needs to have.</summary>
    public async Task<CniCall> CniAsync(string node) => new(
        await new LabPrograms().CniAsync(CancellationToken.None), Cluster.Layout.CniSocket(node), Cluster.Layout.Node(node));

    /// <summary>True when the agent says by STATUS that it can attach pods.</summary>
    public async Task<bool> IsAgentReadyAsync(string node)
    {
        var cni = await CniAsync(node);
        cni.Configuration["cniVersion"] = "1.1.0";
        try
        {
            await cni.RunAsync("STATUS", new Sandbox("", "", "", 0, Cluster.Layout.Node(node)), CancellationToken.None);
            return true;
        }
        catch (CniCallException)
        {
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        Api.Dispose();
        if (TestContext.CurrentContext.Result.FailCount > 0)
        {
            KeepLogs();
        }

        await LabRemoval.DownAsync(Cluster.Layout, CancellationToken.None);
    }

    /// <summary>What the lab's programs said is all that is left of a failure.</summary>
    private void KeepLogs()
    {
        var kept = Path.Combine(new LabPrograms().Root, "artifacts", "lab-logs", $"{Cluster.Layout.Name}-{DateTime.UtcNow:HHmmss}");
        foreach (var log in Directory.EnumerateFiles(Cluster.Layout.Folder, "*.log", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(kept, Path.GetRelativePath(Cluster.Layout.Folder, log));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(log, copy);
        }

        TestContext.Progress.WriteLine($"The logs of lab {Cluster.Layout.Name} are in {kept}");
    }

    [GeneratedRegex(@"duration=(?<duration>[\d.]+)s, table=(?<table>\w+), n_packets=\d+, n_bytes=\d+, (idle_timeout=\d+, )?(?<rest>.*)$")]
    private static partial Regex FlowPattern();
}
