using Microsoft.Extensions.Logging.Abstractions;
using Weft.Agent.Facts;
using Weft.Agent.Tests.Plan;
using Weft.TestSupport;
using Weft.Topology;
using Endpoint = Weft.Topology.Endpoint;

namespace Weft.Agent.Tests.Kernel;

/// <summary>The kernel's data path, which this machine need not have: a guest with Debian's kernel runs two nodes on it (scripts/lib/kernel-nodes).</summary>
/// <remarks>
/// Pods by the real plugin, Services, policies, restarts of agent and ovs-vswitchd; all three tunnels with WEFT_TEST_FULL=1 (scripts/test kernel), one with
/// WEFT_TEST_KERNEL=1 (scripts/test). Without QEMU, Debian's kernel or the memory the test is skipped and says why.
/// </remarks>
[Category("Kernel")]
public sealed class KernelTests
{
    private static readonly bool Full = Environment.GetEnvironmentVariable("WEFT_TEST_FULL") == "1";
    private static readonly bool Short = Environment.GetEnvironmentVariable("WEFT_TEST_KERNEL") == "1";
    private static readonly TunnelType[] Tunnels = Full ? [TunnelType.Geneve, TunnelType.Vxlan, TunnelType.Gre] : [TunnelType.Geneve];
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(Full ? 20 : 5);
    private static readonly TimeSpan ScaleLimit = TimeSpan.FromMinutes(40);

    [Test]
    public async Task Two_nodes_on_the_data_path_of_Debians_kernel_pass_every_check()
    {
        if (!Full && !Short)
        {
            Assert.Ignore("the guest takes minutes: scripts/test kernel");
        }

        await PrepareAsync();
        using var folder = new TemporaryFolder();
        foreach (var tunnel in Tunnels)
        {
            foreach (var node in (int[])[1, 2])
            {
                new SliceFile(folder.File($"{Name(tunnel)}-node{node}.ndjson"), NullLogger<SliceFile>.Instance).Write(SliceOf(tunnel, node));
            }
        }

        // The guest sees this folder, but cannot write to it.
        await File.WriteAllTextAsync(folder.File("run"), $"""
            export FOLDER={folder.Path} TUNNELS="{string.Join(' ', Tunnels.Select(Name))}"
            . {folder.Path}/programs
            exec bash {Root}/scripts/lib/kernel-nodes
            """);
        var output = await BashAsync($"""
            . scripts/lib/cni && publish_cni >&2 && . scripts/lib/agent && publish_agent >&2 && . scripts/lib/kernel && prepare_kernel >&2 &&
            printf 'export WEFT_AGENT=%s WEFT_CNI=%s\n' "$WEFT_AGENT" "$WEFT_CNI" >{folder.Path}/programs &&
            (run_in_kernel {Limit.TotalSeconds:0} {folder.Path}/run || echo "the guest did not end well within {Limit.TotalSeconds:0} s")
            """);
        TestContext.Out.WriteLine(output);
        var lines = output.Split('\n');
        Assert.That(lines.Where(l => l.StartsWith("FAILED", StringComparison.Ordinal)), Is.Empty, output);
        if (!Full && !output.Contains("guest: ended with", StringComparison.Ordinal))
        {
            Assert.Ignore($"this machine was too slow for the guest, {lines.Count(l => l.StartsWith("ok ", StringComparison.Ordinal))} checks passed in {Limit.TotalMinutes} minutes: scripts/test kernel waits longer");
        }

        Assert.That(output, Does.Contain("guest: ended with 0"));
        Assert.That(lines.Count(l => l.StartsWith("ok ", StringComparison.Ordinal)), Is.GreaterThan(20), output);
    }

    [Test]
    public async Task The_next_of_five_hundred_networks_takes_as_long_as_the_first_on_the_data_path_of_Debians_kernel()
    {
        if (!Full)
        {
            Assert.Ignore("the guest takes a quarter of an hour: scripts/test kernel");
        }

        await PrepareAsync();
        var output = await BashAsync($"""
            . scripts/lib/cni && publish_cni >&2 && . scripts/lib/kernel && prepare_kernel >&2 &&
            (WEFT_KERNEL_MEMORY=6000 run_in_kernel {ScaleLimit.TotalSeconds:0} scripts/lib/kernel-scale || echo "the guest did not end well within {ScaleLimit.TotalSeconds:0} s")
            """, ScaleLimit);
        TestContext.Out.WriteLine(output);
        Assert.That(output, Does.Contain("guest: ended with 0").And.Contain("CNI ADD"));
    }

    /// <summary>Without QEMU or a kernel to download the test cannot be.</summary>
    private static async Task PrepareAsync()
    {
        var prepared = await BashAsync("(. scripts/lib/kernel && prepare_kernel) 2>&1 && echo ready || true");
        if (!prepared.TrimEnd().EndsWith("ready", StringComparison.Ordinal))
        {
            Assert.Ignore($"no guest kernel here: {prepared.Trim()}");
        }
    }

    private static string Name(TunnelType tunnel) => tunnel.ToString().ToLowerInvariant();

    private static Slice SliceOf(TunnelType tunnel, int node)
    {
        Endpoint[] Endpoints(string near, string far) => [new() { Address = near, Port = 80, Node = "node1" }, new() { Address = far, Port = 80, Node = "node2" }];
        TopologyItem[] items =
        [
            PlanCases.Settings with { Tunnel = tunnel },
            new Network { Id = Network.DefaultId, Key = Network.DefaultKey },
            PlanCases.Endpoint(1) with { Addresses = ["172.30.0.11"] },
            PlanCases.Endpoint(2) with { Addresses = ["172.30.0.12"] },
            new LogicalSwitch
            {
                Id = $"node{node}", NetworkKey = Network.DefaultKey, Node = $"node{node}",
                Subnets = [new($"10.244.{node}.0/24", $"10.244.{node}.1"), new($"fd00:10:244:{node}::/64", $"fd00:10:244:{node}::1")],
            },
            .. Pods(node),
            new EndpointSet { Id = "web4", Endpoints = [.. Endpoints("10.244.1.11", "10.244.2.12")] },
            new EndpointSet { Id = "web6", Endpoints = [.. Endpoints("fd00:10:244:1::11", "fd00:10:244:2::12")] },
            new LoadBalancer { Id = "default/web/80/4", Service = "default/web", Key = 7, Port = 80, ClusterIp = "10.96.0.7", Endpoints = "web4" },
            new LoadBalancer { Id = "default/web/80/6", Service = "default/web", Key = 8, Port = 80, ClusterIp = "fd00:10:96::7", Endpoints = "web6" },
            new AddressSet { Id = "clients", Addresses = ["10.244.1.10", "fd00:10:244:1::10"] },
            new PortSet { Id = "servers", Ports = [node == 1 ? "default/near" : "default/far"] },
            new Policy
            {
                Id = "NetworkPolicy/default/web", Key = 1, AppliedTo = "servers", IsolatesIngress = true,
                Rules = [new PolicyRule { Direction = Direction.Ingress, PeerSets = ["clients"] }],
            },
        ];
        return PlanCases.Facts(items).Slice with { Epoch = "kernel" };
    }

    private static IEnumerable<LogicalPort> Pods(int node) =>
        from pod in new (string Name, int Node, int Number)[] { ("client", 1, 10), ("near", 1, 11), ("far", 2, 12), ("stranger", 2, 13) }
        where pod.Node == node
        select new LogicalPort
        {
            Id = $"default/{pod.Name}", Uid = pod.Name, Node = $"node{node}", Switch = $"node{node}", Key = pod.Number,
            Addresses = [$"10.244.{node}.{pod.Number}", $"fd00:10:244:{node}::{pod.Number}"],
        };

    private static Task<string> BashAsync(string script, TimeSpan? limit = null) =>
        ChildProcess.RunAsync("bash", ["-c", $"cd '{Root}'\n{script}"], timeout: (limit ?? Limit) + TimeSpan.FromMinutes(6));

    private static string Root
    {
        get
        {
            var folder = new DirectoryInfo(AppContext.BaseDirectory);
            while (!File.Exists(Path.Combine(folder!.FullName, "Ovs.sln")))
            {
                folder = folder.Parent;
            }

            return folder.FullName;
        }
    }
}
